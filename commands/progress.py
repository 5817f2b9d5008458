"""The commands `wardround progress` and `wardround patients cohort`. Thin, as in `cli.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..errors import UserError
from .corpus import JsonOption

StoreOption = Annotated[
    Path | None, typer.Option("--patients", help="What `patients import` made. Default: $WARDROUND_PATIENTS.")
]


def progress(
    question: Annotated[str, typer.Option(help="What is asked, e.g. what changed in the left lower lung.")],
    patient: Annotated[str | None, typer.Option(help="Whose films they are, for the earlier records.")] = None,
    study: Annotated[str | None, typer.Option(help="The current study; only what is earlier is shown.")] = None,
    image: Annotated[Path | None, typer.Option(help="The current film: PNG, JPEG or DICOM.")] = None,
    prior: Annotated[Path | None, typer.Option(help="The earlier film.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="Multiple choice: an option, in order; repeatable.")] = None,
    model: Annotated[str | None, typer.Option(help="local, openai:NAME@http://host:port/v1 or scripted:FILE.")] = None,
    patients: StoreOption = None,
    records: Annotated[
        Literal["none", "global", "regional", "both"], typer.Option(help="Which earlier records.")
    ] = "regional",
    comparisons: Annotated[
        Literal["mark", "plain", "leave_out"],
        typer.Option(help="Sentences that compare with a still earlier film."),
    ] = "mark",
    limit: Annotated[int, typer.Option(min=1, max=20, help="Earlier studies at most, newest first.")] = 3,
    locate: Annotated[Literal["rules", "model"], typer.Option(help="Who finds the region that is asked about.")] = (
        "rules"
    ),
    crop: Annotated[bool, typer.Option(help="Show the region of each film once more, cut out by its box.")] = False,
    pixels: Annotated[int, typer.Option(min=1, help="Larger images are made smaller than this.")] = 1_048_576,
    records_only: Annotated[
        bool, typer.Option("--records-only", help="Where the model sees no images: answer by the records.")
    ] = False,
    trace: Annotated[Path | None, typer.Option(help="Folder to write the trace into (patient data).")] = None,
    as_json: JsonOption = False,
) -> None:
    """What changed between two films: by the images and the patient's earlier records, each dated and cited."""
    from ..agents.asked_films import LETTERS
    from ..corpora.patients import Comparisons
    from .progressing import Asked, ask, show

    if option and not 2 <= len(option) <= len(LETTERS):
        raise UserError(f"{len(option)} options were given: give two to {len(LETTERS)}, or none")
    asked = Asked(
        question=question,
        options=dict(zip(LETTERS, option or (), strict=False)),
        patient=patient,
        study=study,
        store=patients,
        image=image,
        prior=prior,
        model=model,
        records=records,
        comparisons=Comparisons(comparisons),
        limit=limit,
        locate=locate,
        crop=crop,
        pixels=pixels,
        without_vision="records" if records_only else "refuse",
    )
    result = ask(asked, trace=trace, show=not as_json)
    if as_json:
        print(result.model_dump_json(indent=2))  # noqa: T201
    else:
        show(result)


def cohort(
    out: Annotated[Path, typer.Option(help="A new folder.")],
    patients: Annotated[int, typer.Option(min=5, max=100_000, help="How many; every fifth is for the test.")] = 50,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    images: Annotated[bool, typer.Option("--images/--no-images", help="Draw the films.")] = True,
    sheets: Annotated[
        bool, typer.Option("--sheets", help="Also a page a patient to look at: films and reports.")
    ] = False,
) -> None:
    """Write a synthetic cohort: reports, drawn films, and questions in MMXU's format. Nobody real is in it."""
    from .progressing import write_synthetic

    write_synthetic(out, patients=patients, seed=seed, images=images, sheets=sheets)
