"""Patient records at rest: one SQLite file, filled by `StoreWriter`, read by `PatientStore`.

The file is patient data; a new one can only be read by its owner. Reading by id is for `access.issue`, for `history`
and for a person at a terminal; what a model may reach goes through a `Grant`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ...errors import CorpusError, UserError
from .moments import parse_moment
from .records import Condition, Image, Patient, Report, Section, SectionName, Sentence, Study
from .regions import Region

FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source (row INTEGER PRIMARY KEY, name TEXT NOT NULL, folder TEXT NOT NULL, UNIQUE (name, folder));
CREATE TABLE patient (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, sex TEXT,
                      birth_year INTEGER);
CREATE TABLE condition (patient INTEGER NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL, time TEXT NOT NULL, until TEXT,
                        PRIMARY KEY (patient, id)) WITHOUT ROWID;
CREATE TABLE study (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, patient INTEGER NOT NULL, source INTEGER NOT NULL,
                    time TEXT NOT NULL, until TEXT, first INTEGER NOT NULL, last INTEGER NOT NULL,
                    zoned INTEGER NOT NULL, digest BLOB NOT NULL);
CREATE INDEX study_of_patient ON study (patient, last);
CREATE TABLE report (study INTEGER PRIMARY KEY, text TEXT NOT NULL, sections TEXT NOT NULL, sentences TEXT NOT NULL,
                     issued TEXT, issued_last INTEGER, issued_zoned INTEGER);
CREATE TABLE image (study INTEGER NOT NULL, id TEXT NOT NULL, path TEXT NOT NULL, view TEXT, boxes TEXT NOT NULL,
                    PRIMARY KEY (study, id)) WITHOUT ROWID;
"""
_SECTIONS: Final = tuple(SectionName)
_REGIONS: Final = tuple(Region)
_COMPARES, _NEGATED, _UNCERTAIN = 1, 2, 4


@dataclass(frozen=True)
class StudyRow:
    """When a study was, as `moments.span` counts; `row` is its number in the file."""

    row: int
    id: str
    time: str
    until: str | None
    first: int
    last: int
    zoned: bool


class PatientStore:
    """Reads a store. Safe to use from several threads.

    Raises:
        UserError: no such file.
        CorpusError: not a store, or of another version.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UserError(f"no patient records at `{path}`: make them with `wardround patients import`")
        self.path = path
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        self._id = check_format(self._db, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @property
    def id(self) -> str:
        """Tells this store from any other, also after it was moved."""
        return self._id

    def _all(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        try:
            with self._lock:
                return self._db.execute(query, values).fetchall()
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise CorpusError(f"`{self.path}` cannot be read ({error}): import again") from error

    def counts(self) -> dict[str, int]:
        """How many of each there are: patients, studies, reports, images, conditions."""
        tables = ("patient", "study", "report", "image", "condition")
        counted = self._all("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables))[0]
        names = ("patients", "studies", "reports", "images", "conditions")
        return {name: _int(n) for name, n in zip(names, counted, strict=True)}

    def sources(self) -> list[tuple[str, str, int]]:
        """Name, folder and number of studies of each source."""
        query = (
            "SELECT s.name, s.folder, count(t.row) FROM source s LEFT JOIN study t ON t.source = s.row GROUP BY s.row"
        )
        return [(str(name), str(folder), _int(n)) for name, folder, n in self._all(query)]

    def patient_ids(self) -> Iterator[str]:
        """Every patient's id, in the order of import."""
        for row in self._all("SELECT id FROM patient ORDER BY row"):
            yield str(row[0])

    def has_patient(self, patient: str) -> bool:
        """Whether the patient is here."""
        return storable(patient) and bool(self._all("SELECT 1 FROM patient WHERE id = ?", [patient]))

    def patient(self, patient: str) -> Patient | None:
        """The patient with all studies, oldest first, None where there is none."""
        rows = (
            self._all("SELECT row, sex, birth_year FROM patient WHERE id = ?", [patient]) if storable(patient) else []
        )
        if not rows:
            return None
        row, sex, year = rows[0]
        studies = self._all("SELECT id FROM study WHERE patient = ? ORDER BY first, id", [row])
        conditions = self._all("SELECT id, text, time, until FROM condition WHERE patient = ? ORDER BY time, id", [row])
        return Patient(
            id=patient,
            sex=None if sex is None else str(sex),
            birth_year=None if year is None else _int(year),
            studies=tuple(s for s in (self.study(str(i[0]), of=patient) for i in studies) if s),
            conditions=tuple(
                Condition(id=str(i), text=str(text), time=_time(time), until=_time(until) if until else None)
                for i, text, time, until in conditions
            ),
        )

    def study(self, study: str, *, of: str) -> Study | None:
        """The study with this id if it is one of patient `of`, else None."""
        if not (storable(study) and storable(of)):
            return None
        rows = self._all(
            "SELECT t.row, t.time, t.until, s.name FROM study t JOIN patient p ON p.row = t.patient"
            " JOIN source s ON s.row = t.source WHERE t.id = ? AND p.id = ?",
            [study, of],
        )
        if not rows:
            return None
        row, time, until, source = rows[0]
        return Study(
            id=study,
            patient_id=of,
            time=_time(time),
            until=_time(until) if until else None,
            images=self._images(_int(row)),
            report=self.report(_int(row)),
            source=str(source),
        )

    def studies_before(self, patient: str, before: int) -> list[StudyRow]:
        """The studies of a patient that began before a moment, whichever clock either has; the last one first.

        A superset: `history` decides which of them are provably earlier.
        """
        rows = self._all(
            "SELECT t.row, t.id, t.time, t.until, t.first, t.last, t.zoned FROM study t JOIN patient p"
            " ON p.row = t.patient WHERE p.id = ? ORDER BY t.last DESC, t.first DESC, t.id DESC",
            [patient],
        )
        return [
            StudyRow(_int(r), str(i), str(t), None if u is None else str(u), _int(f), _int(la), bool(z))
            for r, i, t, u, f, la, z in rows
            if _int(f) <= before + _DAY
        ]

    def report(self, row: int) -> Report | None:
        """The report of the study in this row."""
        rows = self._all("SELECT text, sections, sentences, issued FROM report WHERE study = ?", [row])
        if not rows:
            return None
        text, sections, sentences, issued = rows[0]
        return _report(str(text), str(sections), str(sentences), None if issued is None else str(issued))

    def issued(self, row: int) -> tuple[int, bool] | None:
        """The last moment at which the report of the study in this row may have been signed; None where unknown."""
        rows = self._all("SELECT issued_last, issued_zoned FROM report WHERE study = ?", [row])
        if not rows or rows[0][0] is None:
            return None
        return _int(rows[0][0]), bool(rows[0][1])

    def _images(self, row: int) -> tuple[Image, ...]:
        rows = self._all("SELECT id, path, view, boxes FROM image WHERE study = ? ORDER BY id", [row])
        return tuple(
            Image.model_validate({"id": i, "path": path, "view": view, "boxes": json.loads(str(boxes))})
            for i, path, view, boxes in rows
        )

    def image_file(self, study: str, image: str, *, of: str) -> Path:
        """Where the file of an image lies.

        Raises:
            UserError: there is no such image, or its file is gone or lies outside the folder of the import.
        """
        rows = self._all(
            "SELECT i.path, s.folder FROM image i JOIN study t ON t.row = i.study JOIN patient p ON p.row = t.patient"
            " JOIN source s ON s.row = t.source WHERE t.id = ? AND i.id = ? AND p.id = ?",
            [study, image, of],
        )
        if not rows:
            raise UserError(f"the study `{study}` has no image `{image}`: see `wardround patients show`")
        folder = Path(str(rows[0][1])).resolve()
        path = (folder / str(rows[0][0])).resolve()
        if not path.is_relative_to(folder):
            raise UserError(f"the image `{image}` lies outside `{folder}`: it is not read")
        if not path.is_file():
            raise UserError(f"the file of image `{image}` is not there: `{path}`")
        return path


_DAY: Final = 24 * 3600 * 1_000_000


def create(path: Path) -> sqlite3.Connection:
    """A new store at `path`, or the one that is there, open for writing.

    Raises:
        UserError: it cannot be made there.
        CorpusError: what is there is something else.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    db = sqlite3.connect(path, isolation_level=None)
    try:
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute("INSERT INTO meta VALUES ('format', ?), ('id', ?)", (str(FORMAT), uuid.uuid4().hex))
            db.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise CorpusError(f"`{path}` is not a store of patients ({error}): name another file") from error
    check_format(db, path)
    return db


def check_format(db: sqlite3.Connection, path: Path) -> str:
    """The id of a store.

    Raises:
        CorpusError: the file is something else, or was written by another version.
    """
    try:
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
    except sqlite3.DatabaseError as error:
        raise CorpusError(f"`{path}` is not a store of patients ({error}): name another file") from error
    if meta.get("format") != str(FORMAT):
        raise CorpusError(f"`{path}` has format `{meta.get('format')}`, this version reads `{FORMAT}`: import again")
    return str(meta["id"])


def pack_sentences(sentences: Sequence[Sentence]) -> str:
    """Sentences as stored: section, start, end, regions as bits, flags as bits."""
    packed = [
        [
            _SECTIONS.index(s.section),
            s.start,
            s.end,
            sum(1 << _REGIONS.index(r) for r in s.regions),
            s.compares * _COMPARES + s.negated * _NEGATED + s.uncertain * _UNCERTAIN,
        ]
        for s in sentences
    ]
    return json.dumps(packed, separators=(",", ":"))


def pack_sections(sections: Sequence[Section]) -> str:
    """Sections as stored: name, start, end."""
    return json.dumps([[_SECTIONS.index(s.name), s.start, s.end] for s in sections], separators=(",", ":"))


def _report(text: str, sections: str, sentences: str, issued: str | None) -> Report:
    return Report(
        text=text,
        sections=tuple(Section(name=_SECTIONS[n], start=a, end=b) for n, a, b in json.loads(sections)),
        sentences=tuple(
            Sentence(
                section=_SECTIONS[n],
                start=start,
                end=end,
                text=text[start:end],
                regions=tuple(r for i, r in enumerate(_REGIONS) if bits >> i & 1) if bits else (),
                compares=bool(flags & _COMPARES),
                negated=bool(flags & _NEGATED),
                uncertain=bool(flags & _UNCERTAIN),
            )
            for n, start, end, bits, flags in json.loads(sentences)
        ),
        issued=None if issued is None else _time(issued),
    )


def storable(value: str) -> bool:
    """Whether a text can be an SQLite value at all: one with half a character (a lone surrogate) can't."""
    return not any("\ud800" <= c <= "\udfff" for c in value)


def _time(value: object) -> datetime:
    return parse_moment(str(value))[0]


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - columns declared INTEGER
    return value
