"""The cohort as files: films, records, questions, and a card that says what they are.

The same seed and number of patients give the same bytes: the texts everywhere, the pictures with the same versions of
numpy and Pillow (their hashes stand in `SHA256SUMS`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...errors import UserError
from ..patients import Patient, read_report
from .anatomy import REGION_BOXES, box_on
from .drawing import SIZE, draw, pose_of
from .patients import SyntheticPatient, patient
from .questions import Question, Reported, questions, tally
from .reports import report
from .sheets import sheet

if TYPE_CHECKING:
    from PIL.Image import Image

TEST_SHARE: Final = 5
"""Every fifth patient is a test patient; nobody is in both files."""
RECORDS: Final = "records.jsonl"
SUMS: Final = "SHA256SUMS"
SOURCE: Final = "synthetic"


@dataclass(frozen=True)
class Cohort:
    """All of a cohort but its pictures."""

    seed: int
    train_patients: tuple[Reported, ...]
    test_patients: tuple[Reported, ...]
    train: tuple[Question, ...]
    test: tuple[Question, ...]

    @property
    def patients(self) -> tuple[Reported, ...]:
        """Everybody."""
        return self.train_patients + self.test_patients


def make_cohort(patients: int, seed: int) -> Cohort:
    """The cohort. A patient is the same in every cohort of this seed, whatever its size.

    Raises:
        UserError: fewer than five patients: there would be none for the test.
    """
    if patients < TEST_SHARE:
        raise UserError(f"a cohort of `{patients}` patients has no test part: ask for at least {TEST_SHARE}")
    everybody = [_reported(patient(seed, number), seed) for number in range(patients)]
    train = tuple(one for number, one in enumerate(everybody) if (number + 1) % TEST_SHARE)
    test = tuple(one for number, one in enumerate(everybody) if not (number + 1) % TEST_SHARE)
    return Cohort(
        seed,
        train,
        test,
        tuple(questions(train, seed, name="train")),
        tuple(questions(test, seed, name="test")),
    )


def _reported(who: SyntheticPatient, seed: int) -> Reported:
    return Reported(who, [report(who, film, seed) for film in range(len(who.films))])


def write_cohort(
    cohort: Cohort,
    out: Path,
    *,
    images: bool = True,
    sheets: bool = False,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, dict[str, int]]:
    """Write the cohort into a new folder: `records.jsonl`, `train.jsonl`, `test.jsonl`, `README.md`, `SHA256SUMS`, and
    the films below `files/`, laid out as MIMIC-CXR-JPG is.

    Args:
        cohort: of `make_cohort`.
        out: a folder that is not there or is empty.
        images: False writes no films, which takes a hundredth of the time.
        sheets: also a page for each patient below `sheets/`, its films with their reports, to be looked at.
        progress: told what is under way and how many are done.

    Returns the tally of the test questions.

    Raises:
        UserError: the folder holds something, or can't be written.
        MissingExtra: Pillow is not installed.
    """
    try:
        if out.exists() and any(out.iterdir()):
            raise UserError(f"the folder `{out}` is not empty: name a new one")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the folder `{out}` cannot be made ({error.strerror}): name another") from None
    sums: dict[str, str] = {}

    def write(name: str, content: bytes) -> None:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        sums[name] = hashlib.sha256(content).hexdigest()

    write(RECORDS, _lines(record_lines(cohort)))
    for name, made in (("train", cohort.train), ("test", cohort.test)):
        write(f"{name}.jsonl", _lines(question.model_dump(mode="json") for question in made))
    write("README.md", card(cohort, images=images).encode())
    done = 0
    for one in cohort.patients if images or sheets else ():
        drawn = [draw(one.who, film, cohort.seed) for film in range(len(one.who.films))]
        done += len(drawn)
        if images:
            for taken, picture in zip(one.who.films, drawn, strict=True):
                write(taken.image, _bytes(picture))
        if sheets:
            write(f"sheets/{one.who.id}.png", _bytes(sheet(one, drawn)))
        if progress:
            progress("films", done)
    (out / SUMS).write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)), encoding="utf-8")
    return tally(cohort.test)


def record_lines(cohort: Cohort) -> Iterator[dict[str, Any]]:
    """One patient a line, as `wardround patients import --source jsonl` reads them."""
    for one in sorted(cohort.patients, key=lambda reported: reported.who.id):
        who = one.who
        yield {
            "id": who.id,
            "sex": who.sex,
            "birth_year": who.films[0].at.year - who.age,
            "studies": [
                {
                    "id": taken.study,
                    "patient_id": who.id,
                    "time": taken.at.isoformat(),
                    "source": SOURCE,
                    "images": [_image(who, film, cohort.seed)],
                    "report": {"text": one.reports[film].text},
                }
                for film, taken in enumerate(who.films)
            ],
        }


def cohort_patients(cohort: Cohort) -> Iterator[Patient]:
    """The patients as the store takes them, their reports split and tagged: for `write_patients`."""
    for line in record_lines(cohort):
        studies = [{**study, "report": read_report(study["report"]["text"])} for study in line["studies"]]
        yield Patient.model_validate({**line, "studies": studies})


def _image(who: SyntheticPatient, film: int, seed: int) -> dict[str, Any]:
    pose = pose_of(who, film, seed)
    names = ("left", "top", "right", "bottom")
    boxes = {region: dict(zip(names, box_on(region, pose, SIZE), strict=True)) for region in REGION_BOXES}
    taken = who.films[film]
    return {"id": f"film-{taken.study}", "path": taken.image, "view": "AP", "boxes": boxes}


def _bytes(picture: Image) -> bytes:
    held = BytesIO()
    picture.save(held, "PNG", optimize=False, compress_level=6)
    return held.getvalue()


def _lines(rows: Iterable[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def card(cohort: Cohort, *, images: bool) -> str:
    """The data card."""
    text = (files("wardround.corpora.cohort") / "CARD.md").read_text(encoding="utf-8")
    films = sum(len(one.who.films) for one in cohort.patients)
    shown = "\n".join(
        f"| {dimension}: {group} | {tally(cohort.train)[dimension].get(group, 0)} | {count} |"
        for dimension, groups in tally(cohort.test).items()
        for group, count in groups.items()
    )
    facts = {
        "seed": cohort.seed,
        "patients": len(cohort.patients),
        "test_patients": len(cohort.test_patients),
        "films": f"{films} films" if images else f"{films} films (not drawn: written without images)",
        "train": len(cohort.train),
        "test": len(cohort.test),
        "tally": shown,
    }
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
