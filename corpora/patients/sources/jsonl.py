"""Patients as JSONL: one patient a line, as `records.Patient` is written, with reports as text.

    {"id": "p1", "sex": "female", "birth_year": 1950, "studies": [
        {"id": "s1", "time": "2180-05-06T10:15:00", "report": "FINDINGS: ...",
         "images": [{"id": "i1", "path": "s1/frontal.png", "view": "PA"}]}]}

A report is a text with headings, or an object of sections (`{"findings": ..., "impression": ...}`), either also as
`{"text": ..., "issued": TIME}`. Paths of images count from the file's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from pydantic import ValidationError

from ...sources.problems import Problems, RowError
from ...sources.rows import json_rows
from ..moments import parse_moment
from ..records import Patient, Report, SectionName, Study
from ..writing import Written
from .found import Found, why_invalid

NAME: Final = "jsonl"


def read(path: Path, problems: Problems) -> Iterator[Found]:
    """The studies of all patients in a file or in the `.jsonl` files of a folder."""
    for file in sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]:
        for row in json_rows(file, problems):
            try:
                yield from _patient(file, row.line, row.data)
            except RowError as error:
                problems.add(file, row.line, str(error))
            except ValidationError as error:
                problems.add(file, row.line, why_invalid(error))


def _patient(file: Path, line: int, data: dict[str, object]) -> list[Found]:
    listed = data.get("studies", [])
    if not isinstance(listed, list):
        raise RowError("`studies` is no list")
    reports: list[Report | Written | None] = []
    studies: list[object] = []
    for study in cast("list[object]", listed):
        if not isinstance(study, dict):
            raise RowError("a study is no object")
        fields = cast("dict[str, Any]", study)
        reports.append(_report(fields.get("report")))
        studies.append({"patient_id": data.get("id"), "source": NAME, **fields, "report": None})
    patient = Patient.model_validate({**data, "studies": studies})
    where = partial(Found, file=file, line=line, sex=patient.sex, birth_year=patient.birth_year)
    found = [where(study=_named(s), report=r) for s, r in zip(patient.studies, reports, strict=True)]
    return [*found, where(patient=patient.id, conditions=patient.conditions)]


def _named(study: Study) -> Study:
    return study.model_copy(update={"source": NAME})


def _report(value: object) -> Report | Written | None:
    if value is None or isinstance(value, str):
        return Written(value) if value else None
    if not isinstance(value, dict):
        raise RowError("a report is neither a text nor an object")
    fields = cast("dict[str, Any]", value)
    if "sentences" in fields:  # one that `records.Report` wrote: taken as it is
        return Report.model_validate(fields)
    issued = fields.get("issued")
    if issued is not None:
        try:
            first, last = parse_moment(str(issued))
        except ValueError:
            raise RowError(f"`issued` is no time: {issued}") from None
        issued = last or first
    if "text" in fields:
        return Written(str(fields["text"]), issued=issued)
    try:
        parts = {SectionName(name): str(text) for name, text in fields.items() if name != "issued"}
    except ValueError:
        names = ", ".join(s.value for s in SectionName)
        raise RowError(f"a section of a report has another name than: {names}") from None
    return Written(parts, issued=issued)
