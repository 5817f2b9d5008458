"""Filling a store: studies are added one by one, in batches that are committed, so that a broken import goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ...errors import UserError
from ..sources.problems import RowError
from .moments import parse_moment, span
from .reading import TAGGER, read_report, report_of
from .records import Condition, Patient, Report, SectionName, Study
from .store import create, pack_sections, pack_sentences, storable

_BATCH: Final = 500


@dataclass(frozen=True)
class Written:
    """What a source gives of a report, before it is split and tagged."""

    text: str | Mapping[SectionName, str]
    """The whole text with its headings, or its sections."""
    issued: datetime | None = None
    regions: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """What Chest ImaGenome says its phrases are about, white space as single blanks; it goes before our own tags."""


class Added(StrEnum):
    """What adding a study came to."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


class StoreWriter:
    """Opens a store for adding, and makes it if it isn't there.

    Adding a study again changes nothing if nothing changed, and is quick: only a new or changed report is split and
    tagged. What was added is safe after every 500th study and at the end.

    Raises:
        UserError: the file cannot be made.
        CorpusError: it is something else.
    """

    def __init__(self, path: Path, *, source: str, folder: Path) -> None:
        self._db = create(path)
        self._source = source
        self._db.execute(
            "INSERT INTO source (name, folder) VALUES (?, ?) ON CONFLICT DO NOTHING", (source, str(folder.resolve()))
        )
        query = "SELECT row FROM source WHERE name = ? AND folder = ?"
        self._source_row: int = self._db.execute(query, (source, str(folder.resolve()))).fetchone()[0]
        self._patients: dict[str, int] = {}
        self._waiting = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit what was added and let go of the file."""
        self._commit()
        self._db.close()

    def add_patient(self, patient: Patient) -> list[Added]:
        """Add a patient with all studies, whose reports are ready. See `add_study` for the errors."""
        row = self._patient(patient.id, patient.sex, patient.birth_year)
        self._conditions(row, patient.conditions)
        return [
            self.add_study(s.model_copy(update={"report": None}), s.report, sex=patient.sex, year=patient.birth_year)
            for s in patient.studies
        ]

    def add_conditions(self, patient: str, conditions: Sequence[Condition]) -> None:
        """Set the conditions of a patient."""
        self._conditions(self._patient(patient, None, None), conditions)

    def add_study(
        self, study: Study, report: Report | Written | None, *, sex: str | None = None, year: int | None = None
    ) -> Added:
        """Add a study of a patient, or put it in the place of the one with its id.

        Raises:
            RowError: the study or the patient is already there as another's, or the report is no text.
        """
        said = report.text if report else ""
        if not all(storable(part) for part in ([said] if isinstance(said, str) else said.values())):
            raise RowError("the report holds half a character (a lone surrogate)")
        row = self._patient(study.patient_id, sex, year)
        digest = _digest(study, report)
        known = self._db.execute("SELECT row, patient, digest FROM study WHERE id = ?", (study.id,)).fetchone()
        if known and known[1] != row:
            raise RowError("the study id is already that of another patient: neither is trusted more, the first stays")
        if known and known[2] == digest:
            return Added.SAME
        self._begin()
        first, last, zoned = span(study.time, study.until)
        until = study.until.isoformat() if study.until else None
        values = (row, self._source_row, study.time.isoformat(), until, first, last, zoned, digest)
        if known:
            study_row = int(known[0])
            self._db.execute(
                "UPDATE study SET patient=?, source=?, time=?, until=?, first=?, last=?, zoned=?, digest=?"
                " WHERE row = ?",
                (*values, study_row),
            )
            self._db.execute("DELETE FROM report WHERE study = ?", (study_row,))
            self._db.execute("DELETE FROM image WHERE study = ?", (study_row,))
        else:
            cursor = self._db.execute(
                "INSERT INTO study (id, patient, source, time, until, first, last, zoned, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (study.id, *values),
            )
            study_row = int(cursor.lastrowid or 0)
        self._report(study_row, report)
        self._db.executemany(
            "INSERT INTO image VALUES (?, ?, ?, ?, ?)",
            [
                (study_row, i.id, i.path, i.view, json.dumps({r.value: b.model_dump() for r, b in i.boxes.items()}))
                for i in study.images
            ],
        )
        self._waiting += 1
        if self._waiting >= _BATCH:
            self._commit()
        return Added.CHANGED if known else Added.NEW

    def _report(self, study: int, report: Report | Written | None) -> None:
        if isinstance(report, Written):
            report = _tagged(report)
        if report is None or not report.text.strip():
            return
        issued_span = span(*_moment(report.issued)) if report.issued else None
        self._db.execute(
            "INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                study,
                report.text,
                pack_sections(report.sections),
                pack_sentences(report.sentences),
                report.issued.isoformat() if report.issued else None,
                issued_span[1] if issued_span else None,
                issued_span[2] if issued_span else None,
            ),
        )

    def _patient(self, patient: str, sex: str | None, year: int | None) -> int:
        if row := self._patients.get(patient):
            return row
        known = self._db.execute("SELECT row, source FROM patient WHERE id = ?", (patient,)).fetchone()
        if known and known[1] != self._source:
            raise RowError(f"the patient id is already one of the source {known[1]}: import into another file")
        self._begin()
        if known:
            row = int(known[0])
            self._db.execute(
                "UPDATE patient SET sex = coalesce(?, sex), birth_year = coalesce(?, birth_year) WHERE row = ?",
                (sex, year, row),
            )
        else:
            cursor = self._db.execute(
                "INSERT INTO patient (id, source, sex, birth_year) VALUES (?, ?, ?, ?)",
                (patient, self._source, sex, year),
            )
            row = int(cursor.lastrowid or 0)
        self._patients[patient] = row
        return row

    def _conditions(self, row: int, conditions: Sequence[Condition]) -> None:
        self._begin()
        self._db.execute("DELETE FROM condition WHERE patient = ?", (row,))
        self._db.executemany(
            "INSERT OR REPLACE INTO condition VALUES (?, ?, ?, ?, ?)",
            [(row, c.id, c.text, c.time.isoformat(), c.until.isoformat() if c.until else None) for c in conditions],
        )

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self._waiting = 0


def write_patients(path: Path, patients: Sequence[Patient], *, source: str, folder: Path) -> None:
    """Put patients whose reports are ready into a store, making it if need be.

    Raises:
        UserError: an id is already another's.
    """
    with StoreWriter(path, source=source, folder=folder) as writer:
        for patient in patients:
            try:
                writer.add_patient(patient)
            except RowError as error:
                raise UserError(f"the patient `{patient.id}` cannot be added to `{path}`: {error}") from error


def _tagged(written: Written) -> Report:
    if isinstance(written.text, str):
        return read_report(written.text, issued=written.issued, tagged=written.regions)
    return report_of(written.text, issued=written.issued, tagged=written.regions)


def _moment(time: datetime) -> tuple[datetime, datetime | None]:
    return parse_moment(time.isoformat())


def _digest(study: Study, report: Report | Written | None) -> bytes:
    """Tells whether a study has to be stored again: by all it holds and by how reports are tagged."""
    said: object = None
    if isinstance(report, Written):
        text = report.text if isinstance(report.text, str) else {k.value: v for k, v in report.text.items()}
        regions = {phrase: sorted(names) for phrase, names in report.regions.items()}
        said = [text, report.issued.isoformat() if report.issued else None, regions]
    elif report is not None:
        said = report.model_dump(mode="json")
    whole = [TAGGER, study.model_dump(mode="json", exclude={"report"}), said]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode("utf-8", "surrogatepass")).digest()[:16]
