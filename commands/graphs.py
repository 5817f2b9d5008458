"""The commands `wardround diagnose`, `review ...`, `round` and `graphs ...`. Thin, as in `cli.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..errors import UserError
from .corpus import CorpusOption, JsonOption
from .progress import StoreOption

review_app = typer.Typer(no_args_is_help=True, help="Answers that wait until a clinician has read them.")
graphs_app = typer.Typer(no_args_is_help=True, help="The graphs: which there are, and how each looks.")

ModelOption = Annotated[str | None, typer.Option(help="local, openai:NAME@http://host:port/v1 or scripted:FILE.")]
ThreadArgument = Annotated[str, typer.Argument(help="The name under which it waits.")]


def diagnose(
    case: Annotated[Path, typer.Argument(help="JSON with sections (and images), DiagnosisArena's form, or text.")],
    model: ModelOption = None,
    samples: Annotated[int, typer.Option(min=1, max=64, help="Readings of the case, side by side.")] = 1,
    fuse: Annotated[Literal["rank", "majority"], typer.Option(help="How several become one.")] = "rank",
    verify: Annotated[bool, typer.Option(help="Let the model put the merged diagnoses in order.")] = False,
    critiques: Annotated[int, typer.Option(min=0, max=8, help="Rounds of self-criticism.")] = 0,
    form: Annotated[Literal["reasoned", "official"], typer.Option(help="How the model is asked.")] = "reasoned",
    thinking_tokens: Annotated[int, typer.Option(min=1, help="What a reasoning model may think, a call.")] = 8000,
    budget_tokens: Annotated[int | None, typer.Option(min=1, help="All that may be written, thinking too.")] = None,
    budget_seconds: Annotated[float | None, typer.Option(min=0.001, help="Stop after so many seconds.")] = None,
    codes: Annotated[bool, typer.Option(help="Look up ICD-10-CM codes.")] = False,
    review: Annotated[bool, typer.Option(help="Wait for a clinician before the answer goes out.")] = False,
    thread: Annotated[str | None, typer.Option(help="The name under which it waits.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Folder to write the trace into (patient data).")] = None,
    as_json: JsonOption = False,
) -> None:
    """A case in, a ranked differential out: with what speaks for and against each, quoted from the case."""
    from ..agents.purse import Limits
    from .diagnosing import Options, diagnose_file, show

    limits = Limits(thinking_tokens=thinking_tokens, output_tokens=budget_tokens, seconds=budget_seconds)
    options = Options(
        model=model,
        samples=samples,
        fuse=fuse,
        verify=verify,
        critiques=critiques,
        form=form,
        limits=limits,
        codes=codes,
        review=review,
    )
    result = diagnose_file(case, options, thread=thread, trace=trace, show=not as_json)
    if as_json:
        print(result.model_dump_json(indent=2, by_alias=True))  # noqa: T201
        return
    show(result)
    if result.waiting:
        print("It waits for a clinician: `wardround review list`.")  # noqa: T201


@review_app.command("list")
def review_list(as_json: JsonOption = False) -> None:
    """What waits, oldest first."""
    from .diagnosing import waiting
    from .terminal import clean, out

    found = waiting()
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))  # noqa: T201
        return
    for one in found:
        out().print(clean(f"{one.thread}  {one.case}  since {one.since} UTC"))
    if not found:
        print("Nothing waits.")  # noqa: T201


@review_app.command("show")
def review_show(thread: ThreadArgument) -> None:
    """What would go out."""
    from .diagnosing import asked, waiting_text
    from .terminal import clean, out

    out().print(clean(waiting_text(asked(thread))))


@review_app.command("approve")
def review_approve(thread: ThreadArgument, as_json: JsonOption = False) -> None:
    """Let it go out as it is."""
    _answer(thread, {"type": "approve"}, as_json=as_json)


@review_app.command("reject")
def review_reject(
    thread: ThreadArgument, reason: Annotated[str, typer.Option(help="Why.")] = "", as_json: JsonOption = False
) -> None:
    """Withhold it."""
    _answer(thread, {"type": "reject", "message": reason}, as_json=as_json)


@review_app.command("edit")
def review_edit(
    thread: ThreadArgument,
    text: Annotated[Path, typer.Option(help="A file with what shall go out instead.")],
    as_json: JsonOption = False,
) -> None:
    """Let something else go out."""
    try:
        said = text.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"`{text}` cannot be read ({error}): give a text file") from None
    if not said:
        raise UserError(f"`{text}` is empty: to withhold the answer use `wardround review reject`")
    _answer(thread, {"type": "edit", "edited_action": {"name": "answer", "args": {"text": said}}}, as_json=as_json)


def _answer(thread: str, decision: dict[str, Any], *, as_json: bool) -> None:
    from .diagnosing import answer
    from .terminal import clean, out

    result = answer(thread, decision)
    if as_json:
        print(result.model_dump_json(indent=2, by_alias=True))  # noqa: T201
    else:
        out().print(clean(result.answer))


def ward_round(
    model: ModelOption = None,
    corpus: CorpusOption = None,
    patient: Annotated[str | None, typer.Option(help="Whom it is about, for questions on films.")] = None,
    study: Annotated[str | None, typer.Option(help="The current study; only what is earlier is shown.")] = None,
    patients: StoreOption = None,
) -> None:
    """One conversation in which each question goes to the right specialist."""
    from .rounding import converse, open_round

    if (patient is None) != (study is None):
        raise UserError("a patient's records need both: give `--patient` and the current `--study`")
    if patient is None or study is None:
        converse(open_round(model, corpus))
        return
    from ..corpora.patients import PatientStore
    from .progressing import context_for, store_path

    with PatientStore(store_path(patients)) as store:
        converse(open_round(model, corpus, store), context=context_for(store, patient, study))


@graphs_app.command("list")
def graphs_list() -> None:
    """The graphs, and what each is for."""
    from ..graphs.catalogue import GRAPHS

    for name, known in GRAPHS.items():
        print(f"{name:20}{known.title}")  # noqa: T201


@graphs_app.command("show")
def graphs_show(
    name: Annotated[str, typer.Argument(help="Its name, or MODULE:NAME of your own.")],
    mermaid: Annotated[bool, typer.Option(help="Mermaid's source instead.")] = False,
    png: Annotated[Path | None, typer.Option(help="Write a picture into this file.")] = None,
) -> None:
    """Draw a graph."""
    from .drawing import as_mermaid, as_text, drawable, write_png

    graph = drawable(name)
    if png is not None:
        write_png(graph, png)
    else:
        print(as_mermaid(graph) if mermaid else as_text(graph))  # noqa: T201
