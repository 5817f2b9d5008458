"""MIMIC-CXR as PhysioNet lays it out (https://physionet.org/content/mimic-cxr-jpg/2.1.0/).

    mimic-cxr-2.0.0-metadata.csv.gz       the films: ids, view, size, StudyDate, StudyTime
    files/p10/p10000032/s50414267.txt     the report (from mimic-cxr-reports.zip)
    files/p10/p10000032/s50414267/*.jpg   the films (MIMIC-CXR-JPG)
    silver_dataset/scene_graph/*.json     Chest ImaGenome, where present

Ids are those of the paths: patient `p10000032`, study `s50414267`. The reports may lie in another folder than the rest.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TextIO

from pydantic import ValidationError

from ....errors import UserError
from ...sources.problems import Problems, RowError
from ..records import Image, Study
from ..writing import Written
from . import imagenome
from .found import Found, why_invalid

NAME: Final = "mimic-cxr"
_COLUMNS: Final = frozenset({"dicom_id", "subject_id", "study_id", "StudyDate", "StudyTime"})


@dataclass(frozen=True)
class _Film:
    dicom: str
    time: datetime
    exact: bool
    view: str | None
    size: tuple[int, int] | None
    """Columns and rows."""


def read(
    path: Path, problems: Problems, *, reports: Path | None = None, scene_graphs: Path | None = None
) -> Iterator[Found]:
    """The studies that the metadata file lists, by patient and study, with reports where they are there.

    `reports` is the folder that holds `files` with the reports, `scene_graphs` the one of Chest ImaGenome; without them
    both are looked for in `path`.

    Raises:
        UserError: the metadata file or the reports are not there.
    """
    metadata = _metadata(path)
    texts = _report_folder(reports or path)
    graphs = imagenome.find(scene_graphs or path)
    if scene_graphs and graphs is None:
        raise UserError(f"no `*_SceneGraph.json` in `{scene_graphs}`: name the folder of Chest ImaGenome")
    studies, owners = _films(metadata, problems)
    for study in sorted(studies, key=lambda s: (owners[s], s)):
        subject, films = owners[study], studies[study]
        file = texts / f"p{subject[:2]}" / f"p{subject}" / f"s{study}.txt"
        try:
            yield _study(file, subject, study, films, graphs, problems)
        except ValidationError as error:
            problems.add(metadata, 0, why_invalid(error))
    yield from _without_metadata(texts, owners, problems)


def _study(file: Path, subject: str, study: str, films: list[_Film], graphs: Path | None, problems: Problems) -> Found:
    first = min(films, key=lambda f: f.time)
    day_end = first.time.replace(hour=23, minute=59, second=59, microsecond=999_999)
    images: list[Image] = []
    phrases: dict[str, frozenset[str]] = {}
    for film in sorted(films, key=lambda f: f.dicom):
        graph = imagenome.read(graphs, film.dicom, subject=subject, size=film.size, problems=problems)
        phrases.update(graph.phrases)
        images.append(
            Image(
                id=film.dicom,
                path=f"files/p{subject[:2]}/p{subject}/s{study}/{film.dicom}.jpg",
                view=film.view,
                boxes=graph.boxes,
            )
        )
    text = _text(file, problems)
    return Found(
        file=file,
        study=Study(
            id=f"s{study}",
            patient_id=f"p{subject}",
            time=first.time,
            until=None if first.exact else day_end,
            images=tuple(images),
            source=NAME,
        ),
        report=Written(text, regions=phrases) if text else None,
    )


def _films(metadata: Path, problems: Problems) -> tuple[dict[str, list[_Film]], dict[str, str]]:
    """The films of each study, and whose it is."""
    studies: dict[str, list[_Film]] = {}
    owners: dict[str, str] = {}
    with _opened(metadata) as file:
        rows = csv.DictReader(file)
        missing = _COLUMNS - set(rows.fieldnames or ())
        if missing:
            raise UserError(f"`{metadata}` has no column {', '.join(f'`{c}`' for c in sorted(missing))}")
        for line, row in enumerate(rows, start=2):
            try:
                film = _film(row)
            except RowError as error:
                problems.add(metadata, line, str(error))
                continue
            subject, study = row["subject_id"], row["study_id"]
            if owners.setdefault(study, subject) != subject:
                problems.add(metadata, line, "a study of two patients: the first one keeps it")
                continue
            studies.setdefault(study, []).append(film)
    return studies, owners


def _film(row: dict[str, str]) -> _Film:
    for name in ("subject_id", "study_id"):
        if not (row[name] or "").isascii() or not (row[name] or "").isdigit():
            raise RowError(f"`{name}` is no number: {row[name]}")
    time, exact = _time(row["StudyDate"], row["StudyTime"])
    try:
        size = int(row["Columns"]), int(row["Rows"])
    except (KeyError, TypeError, ValueError):
        size = None
    return _Film(row["dicom_id"], time, exact, row.get("ViewPosition") or None, size)


def _time(date: str, time: str) -> tuple[datetime, bool]:
    """`21800506` and `93014.531` (9:30:14, its leading zero lost as the column is a number)."""
    try:
        day = datetime.strptime(date.partition(".")[0], "%Y%m%d")  # noqa: DTZ007 - shifted dates have no zone
    except ValueError:
        raise RowError(f"`StudyDate` is no date: {date}") from None
    whole, _, fraction = (time or "").partition(".")
    if not whole:
        return day, False
    whole = whole.zfill(6)
    try:
        clock = timedelta(
            hours=int(whole[:2]),
            minutes=int(whole[2:4]),
            seconds=int(whole[4:6]),
            microseconds=int((fraction + "000000")[:6]),
        )
    except ValueError:
        raise RowError(f"`StudyTime` is no time: {time}") from None
    if len(whole) != 6 or clock >= timedelta(days=1):
        raise RowError(f"`StudyTime` is no time: {time}")
    return day + clock, True


def _text(file: Path, problems: Problems) -> str | None:
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        problems.add(file, 0, "a report that is not UTF-8: its study is kept without it")
        return None


def _without_metadata(texts: Path, owners: dict[str, str], problems: Problems) -> Iterator[Found]:
    """Reports of studies that the metadata does not know, or knows as another patient's, are reported and left out."""
    for patient in sorted(texts.glob("p[0-9][0-9]/p[0-9]*")):
        for file in sorted(patient.glob("s[0-9]*.txt")):
            owner = owners.get(file.stem[1:])
            if owner is None:
                problems.add(file, 0, "no film in the metadata, so no date: left out")
            elif patient.name != f"p{owner}":
                problems.add(file, 0, "a report in the folder of another patient than the metadata says: left out")
    yield from ()


def _metadata(path: Path) -> Path:
    for name in ("mimic-cxr-2.0.0-metadata.csv", "mimic-cxr-2.0.0-metadata.csv.gz"):
        if (path / name).is_file():
            return path / name
    raise UserError(
        f"no `mimic-cxr-2.0.0-metadata.csv` or `.csv.gz` in `{path}`: name the folder of MIMIC-CXR-JPG, which holds the"
        " dates of the studies"
    )


def _report_folder(path: Path) -> Path:
    for folder in (path / "files", path / "mimic-cxr-reports" / "files"):
        if next(folder.glob("p[0-9][0-9]/p[0-9]*/s[0-9]*.txt"), None):
            return folder
    raise UserError(
        f"no reports `files/pNN/pSUBJECT/sSTUDY.txt` in `{path}`: unpack `mimic-cxr-reports.zip` there, or name its"
        " folder with `--reports`"
    )


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")
