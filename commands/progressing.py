"""Progression at the terminal: opens the parts, finds the boxes of a region, shows what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rich.text import Text

from ..agents.asked_films import Film, film_message, regions_by_rule
from ..agents.images import PIXELS, Corners
from ..corpora.cohort import make_cohort, write_cohort
from ..corpora.patients import OWNER, Comparisons, Grant, PatientStore, Region, RunContext, issue
from ..errors import UserError
from ..graphs import progression
from ..graphs.events import Event
from ..graphs.progress import Progressed, progress
from ..models import chat_model
from ..settings import get_settings
from .terminal import clean, counting, out, say


class Asked(BaseModel):
    """What a person asked for: the options of `wardround progress`."""

    model_config = ConfigDict(frozen=True)
    question: str
    options: Mapping[str, str] = {}
    patient: str | None = None
    study: str | None = None
    store: Path | None = None
    image: Path | None = None
    prior: Path | None = None
    model: str | None = None
    records: progression.Records = "regional"
    comparisons: Comparisons = Comparisons.MARK
    limit: int = 3
    locate: progression.Locate = "rules"
    crop: bool = False
    pixels: int = PIXELS
    without_vision: Literal["refuse", "records"] = "refuse"


def store_path(given: Path | None) -> Path:
    """The file of the patient records.

    Raises:
        UserError: none was named.
    """
    path = given or get_settings().patients
    if path is None:
        raise UserError("no patient records were named: give `--patients FILE`, or set WARDROUND_PATIENTS")
    return path


def context_for(store: PatientStore, patient: str, study: str) -> RunContext:
    """The run context of a person at a terminal, who owns the file.

    Raises:
        UserError: there is no such patient or study.
    """
    return RunContext(issue(store, OWNER, patient=patient, study=study))


def ask(asked: Asked, *, trace: Path | None, show: bool) -> Progressed:
    """Answer one question.

    Raises:
        UserError: an option, a file or the store can't be used.
    """
    if (asked.patient is None) != (asked.study is None):
        raise UserError("a patient's records need both: give `--patient` and the current `--study`")
    listen = _shown if show else None
    if asked.patient is None or asked.study is None:
        if asked.crop:
            raise UserError("`--crop` takes the boxes from the patient records: give `--patient` and `--study`")
        return _run(asked, None, None, [], trace=trace, listen=listen)
    with PatientStore(store_path(asked.store)) as store:
        context = context_for(store, asked.patient, asked.study)
        crops = _crops(asked, store, context.grant) if asked.crop else []
        return _run(asked, store, context, crops, trace=trace, listen=listen)


def _run(
    asked: Asked,
    store: PatientStore | None,
    context: RunContext | None,
    crops: list[Film],
    *,
    trace: Path | None,
    listen: Callable[[Event], None] | None,
) -> Progressed:
    graph = progression.build(
        model=chat_model(asked.model),
        store=store,
        records=asked.records,
        comparisons=asked.comparisons,
        limit=asked.limit,
        locate=asked.locate,
        without_vision=asked.without_vision,
    )
    films = [Film(path, label) for path, label in _films(asked)]
    message = film_message(asked.question, [*films, *crops], options=asked.options, pixels=asked.pixels)
    return asyncio.run(progress(graph, [message], context=context, trace=trace, on_event=listen))


def _films(asked: Asked) -> list[tuple[Path, str]]:
    given = ((asked.prior, "Earlier film"), (asked.image, "Current film"))
    return [(path, label) for path, label in given if path is not None]


def _crops(asked: Asked, store: PatientStore, grant: Grant | None) -> list[Film]:
    """The asked region, cut out of each film by the box that the records have for it.

    Raises:
        UserError: the question names no region, or the records have no box of it for a film.
    """
    regions = regions_by_rule(asked.question)
    if not regions:
        raise UserError("`--crop` cuts out the region that is asked about, and the question names none")
    found: list[Film] = []
    for path, label in _films(asked):
        box = _box(store, grant, path, regions[0], current=path == asked.image)
        found.append(Film(path, f"{label}, {regions[0].value}", box))
    return found


def _box(store: PatientStore, grant: Grant | None, path: Path, region: Region, *, current: bool) -> Corners:
    assert grant is not None  # noqa: S101 - made by `context_for`
    patient = store.patient(grant.patient)
    studies = patient.studies if patient else ()
    images = [image for study in studies if (study.id == grant.study) == current for image in study.images]
    boxes = [image.boxes for image in images if path.resolve().as_posix().endswith(f"/{image.path}")]
    if not boxes and current and len(images) == 1:
        boxes = [images[0].boxes]
    if len(boxes) != 1 or region not in boxes[0]:
        raise UserError(f"the patient records have no box of the {region.value} for `{path}`: leave out `--crop`")
    box = boxes[0][region]
    return box.left, box.top, box.right, box.bottom


def show(result: Progressed) -> None:
    """What is left to say after the answer was shown."""
    console = out()
    if result.citations:
        console.print("\nRecords", style="dim")
    for cited in result.citations:
        still = ", compares with a still earlier film" if cited.compares else ""
        ago = "same day" if cited.days_before == 0 else f"{cited.days_before} d before"
        line = f"  [{cited.n}] {cited.date} ({ago}{still}), study {cited.study_id}: {cited.quote}"
        console.print(clean(line), style="dim")
    for flag in result.flags:
        console.print(Text("  note  ", style="yellow") + clean(flag.text))
    used = result.usage["input_tokens"] + result.usage["output_tokens"]
    console.print(
        f"  answered by {result.answered_by.value}, {result.usage['model_calls']} model calls, {used:,} tokens, "
        f"{result.timings['total_s']:.1f} s",
        style="dim",
    )


def _shown(event: Event) -> None:
    console = out()
    if event.kind == "tool_start":
        wanted = [str(value) for value in event.data["arguments"].values() if value]
        console.print(Text("  history  ", style="cyan") + clean(" · ".join(wanted)))
    elif event.kind == "tool_end":
        console.print(Text(f"           {event.data['hits']} records", style="dim"))
    elif event.kind == "text":
        console.print(clean(event.data["text"]))


def write_synthetic(folder: Path, *, patients: int, seed: int, images: bool, sheets: bool) -> None:
    """Make a synthetic cohort and say what came of it."""
    cohort = make_cohort(patients, seed)
    with counting() as counted:
        write_cohort(cohort, folder, images=images, sheets=sheets, progress=counted)
    films = sum(len(one.who.films) for one in cohort.patients)
    say(
        f"{len(cohort.patients)} synthetic patients, {films} films, {len(cohort.train)} questions for training and "
        f"{len(cohort.test)} for the test (of {len(cohort.test_patients)} other patients): {folder}"
    )
