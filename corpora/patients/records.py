"""Patients at rest: `Patient` -> `Study` -> `Report` -> `Sentence`, and what a query over them returns.

All records are frozen and refuse unknown fields. Offsets count characters of the report's text, end exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from .moments import parse_moment
from .regions import Region

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
"""An id of a patient, study or image. What could be taken for a path or a delimiter is refused."""


class SectionName(StrEnum):
    """The parts of a report. Values are the words used in files and output."""

    EXAMINATION = "examination"
    INDICATION = "indication"
    TECHNIQUE = "technique"
    COMPARISON = "comparison"
    FINDINGS = "findings"
    IMPRESSION = "impression"
    OTHER = "other"


class Scope(StrEnum):
    """How much of an earlier report a record holds (MAG, arXiv 2502.11651)."""

    GLOBAL = "global"
    """The whole report."""
    REGIONAL = "regional"
    """Only its sentences that concern the asked region."""
    BOTH = "both"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Section(_Record):
    """A part of a report, without its heading."""

    name: SectionName
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Sentence(_Record):
    """A sentence of a report and what it is about."""

    section: SectionName
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    text: str
    regions: tuple[Region, ...] = ()
    """What the sentence names, in the order of `Region`; without parents and children of those."""
    compares: bool = False
    """It speaks of a change, or of none, since an earlier film. Such a sentence misleads when that film is not the one
    asked about."""
    negated: bool = False
    """All the findings that it names are denied ("no effusion")."""
    uncertain: bool = False
    """It hedges ("may represent", "cannot be excluded")."""


class Report(_Record):
    """The written report of a study. `read_report` in `reading.py` makes one from a plain text."""

    text: str
    sections: tuple[Section, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    issued: datetime | None = None
    """When it was signed, where the source says. One signed after the study in question is not shown there."""

    @model_validator(mode="after")
    def _offsets_fit(self) -> Report:
        for sentence in self.sentences:
            if self.text[sentence.start : sentence.end] != sentence.text:
                raise ValueError(f"the sentence at {sentence.start} is not what the report says there")
        if any(not s.start <= s.end <= len(self.text) for s in self.sections):
            raise ValueError("a section ends outside the report")
        return self


class Box(_Record):
    """A rectangle in an image: pixels of the stored image, origin at the top left, right and bottom edge exclusive."""

    left: int = Field(ge=0)
    top: int = Field(ge=0)
    right: int
    bottom: int

    @model_validator(mode="after")
    def _has_an_inside(self) -> Box:
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError("a box has its right and bottom edges beyond the left and top ones")
        return self


class Image(_Record):
    """One film of a study."""

    id: Id
    path: str
    """Relative to the folder that the import was given; never leaves it."""
    view: str | None = None
    """`PA`, `AP`, `LATERAL`, as the source words it."""
    boxes: dict[Region, Box] = Field(default_factory=dict)

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if not value or path.is_absolute() or ".." in path.parts or "\\" in value or "\0" in value or ":" in value:
            raise ValueError("an image path is relative, with forward slashes, and stays inside its folder")
        return value


class Study(_Record):
    """One examination of one patient.

    A time that is only known to the day (month, year) is given as such: `time` is then its first moment and `until` its
    last. In JSON `"time": "2180-05-06"` does that. Times without a zone are local; such a time and one with a zone are
    told apart only beyond the 14 hours that clocks on Earth differ.
    """

    id: Id
    patient_id: Id
    time: datetime
    until: datetime | None = None
    images: tuple[Image, ...] = ()
    report: Report | None = None
    source: str
    """The source's short name: `mimic-cxr`, `fhir`, `jsonl`, `synthetic`."""

    @model_validator(mode="before")
    @classmethod
    def _time_as_precise_as_written(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and isinstance(value.get("time"), str) and value.get("until") is None:
            time, until = parse_moment(value["time"])
            return {**value, "time": time, "until": until}
        return value

    @model_validator(mode="after")
    def _time_in_order(self) -> Study:
        if self.until is not None:
            if (self.until.tzinfo is None) != (self.time.tzinfo is None):
                raise ValueError("`time` and `until` both have a time zone, or neither has one")
            if self.until < self.time:
                raise ValueError("`until` is before `time`")
        return self


class Condition(_Record):
    """A diagnosis or problem with its first day, as FHIR lists them."""

    id: Id
    text: str
    time: datetime
    until: datetime | None = None
    """As in `Study`: the last moment that `time` may mean. Not the end of the illness."""


class Patient(_Record):
    """A person, with what was examined, oldest first."""

    id: Id
    sex: str | None = None
    birth_year: int | None = None
    studies: tuple[Study, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _own_studies(self) -> Patient:
        for study in self.studies:
            if study.patient_id != self.id:
                raise ValueError(f"the study `{study.id}` names another patient than the one it is listed under")
        return self


class HistoryRecord(_Record):
    """What one earlier study says, as far as it was asked for. `text` is `sentences` joined by section."""

    id: str
    """`<study>/<scope>`, the same in every query."""
    study_id: Id
    time: datetime
    until: datetime | None = None
    """As in `Study`."""
    days_before: int
    """Whole days between its first possible date and that of the current study; 0 is the same day, and earlier."""
    scope: Scope
    """GLOBAL or REGIONAL."""
    text: str
    sentences: tuple[Sentence, ...]
    """What of the report is in `text`; offsets count in the whole report."""
    regions: tuple[Region, ...] = ()
    """All that its sentences name."""
    compares: bool = False
    """Whether any of its sentences compares with a still earlier film."""

    @property
    def date(self) -> str:
        """The ISO date of the study, as precise as it is known: `2180-05-06`, `2180-05` or `2180`."""
        day = self.time.date().isoformat()
        if self.until is None or self.until.date() == self.time.date():
            return day
        return day[:7] if self.until.month == self.time.month else day[:4]


class History(_Record):
    """The answer to a query over a patient's earlier studies."""

    records: tuple[HistoryRecord, ...] = ()
    """Newest study first; of one study the regional record before the global one."""
    regions: tuple[Region, ...] = ()
    """The regions that were asked for."""
    earlier: int = 0
    """How many provably earlier studies the patient has."""
    more: bool = False
    """Whether limit or budget left something out."""
    comparing_left_out: int = 0
    """Sentences left out because they compare with a still earlier film."""
    unclear_order: int = 0
    """Studies left out because their time does not prove that they are earlier (such as one of the same day)."""
    empty_because: str | None = None
    """Why `records` is empty, in words for a reader; None where it isn't."""
