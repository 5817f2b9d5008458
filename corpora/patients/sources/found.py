"""What a source finds: a study with its report as it stands there, or a patient's conditions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..records import Condition, Report, Study
from ..writing import Written


@dataclass(frozen=True)
class Found:
    """One study, or the conditions of one patient, with the place it was read from."""

    file: Path
    line: int = 0
    """1-based, 0 where a file holds one thing."""
    study: Study | None = None
    report: Report | Written | None = None
    """The report of `study`."""
    patient: str = ""
    """Whose `conditions` these are."""
    conditions: tuple[Condition, ...] = ()
    sex: str | None = None
    birth_year: int | None = None


def why_invalid(error: ValidationError) -> str:
    """The first fault of a record, in one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "record"
    return f"not a valid record: {place}: {first['msg']}"
