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
from typing import Annotated, Any, cast

import typer

from .commands.chat import chat
from .commands.corpus import CorpusOption, JsonOption, corpus_app
from .commands.distiller import train_app
from .commands.evals import elo, evaluate, runs_app, score
from .commands.graphs import diagnose, graphs_app, review_app, ward_round
from .commands.mcp import mcp
from .commands.models import models_app
from .commands.patients import patients_app
from .commands.progress import cohort, progress
from .commands.serve import serve_app
from .errors import UserError, WardroundError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Clinical-reasoning agents whose evidence is checked. For research and decision support, not for care.",
)
app.add_typer(corpus_app, name="corpus")
app.add_typer(models_app, name="models")
patients_app.command("cohort")(cohort)
app.add_typer(patients_app, name="patients")
app.command("diagnose")(diagnose)
app.add_typer(review_app, name="review")
app.command("round")(ward_round)
app.add_typer(graphs_app, name="graphs")
app.command("progress")(progress)
app.command("eval")(evaluate)
app.command("score")(score)
app.command("elo")(elo)
app.add_typer(runs_app, name="runs")
app.add_typer(serve_app, name="serve")
app.add_typer(train_app, name="train")
app.command("chat")(chat)
app.command("mcp")(mcp)


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
    from .commands.consulting import Session, open_graph

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
    from .commands.doctor import examine, show

    checks = examine(model=model, corpus=corpus)
    if as_json:
        print(json.dumps([c.model_dump() for c in checks], ensure_ascii=False, indent=2))  # noqa: T201
    else:
        show(checks)
    raise typer.Exit(0 if all(c.ok or not c.needed for c in checks) else 1)


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
    from .commands.terminal import clean

    print(f"wardround: {clean(' '.join(message.split()))}", file=sys.stderr)  # noqa: T201
