"""Medicines, passages and names at rest: one SQLite file, written once and then only read."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ..errors import CorpusError
from .medicines import Attribute, Medicine, Passage, SourceRef
from .names import NameKind

_SCHEMA = """
CREATE TABLE medicine (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL);
CREATE TABLE text (medicine INTEGER NOT NULL, attribute TEXT NOT NULL, text TEXT NOT NULL,
                   PRIMARY KEY (medicine, attribute)) WITHOUT ROWID;
CREATE TABLE passage (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, medicine INTEGER NOT NULL,
                      attribute TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL);
CREATE TABLE name (key TEXT NOT NULL, kind INTEGER NOT NULL, medicine INTEGER NOT NULL,
                   PRIMARY KEY (key, medicine)) WITHOUT ROWID;
"""
_T = TypeVar("_T")
_MOST_VARIABLES = 20_000  # SQLite allows 32,766 a statement


class StoreWriter:
    """Fills a new store. Rows are numbered in the order of arrival."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")

    def add_medicine(self, row: int, medicine: Medicine, names: dict[str, NameKind]) -> None:
        """Store a medicine with its texts and the keys of its names."""
        record = medicine.model_dump_json(exclude={"texts"}, exclude_defaults=True)
        self._db.execute("INSERT INTO medicine VALUES (?, ?, ?)", (row, medicine.id, record))
        self._db.executemany(
            "INSERT INTO text VALUES (?, ?, ?)", [(row, a.value, t) for a, t in medicine.texts.items()]
        )
        self._db.executemany("INSERT INTO name VALUES (?, ?, ?)", [(k, int(kind), row) for k, kind in names.items()])

    def add_passages(self, rows: Iterable[tuple[int, str, int, Attribute, int, int]]) -> None:
        """Store passages: (row, id, medicine's row, attribute, start, end)."""
        self._db.executemany("INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Finish the file."""
        self._db.execute("COMMIT")
        self._db.close()


class Store:
    """Reads a finished store. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _all(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        try:
            with self._lock:
                return self._db.execute(query, values).fetchall()
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise CorpusError(f"`{self._path}` is damaged ({error}): build the index again") from error

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages with these rows, in the order asked for."""
        found: dict[int, Passage] = {}
        texts: dict[tuple[object, object], str] = {}
        for part in _parts(rows):
            query = (
                'SELECT p.row, p.medicine, p.attribute, p.id, p.start, p."end", m.id, m.record'
                f" FROM passage p JOIN medicine m ON m.row = p.medicine WHERE p.row IN ({_marks(part)})"
            )
            for row, medicine, attribute, *rest in self._all(query, part):
                # Read whole and cut in `_passage`: SQL's substr stops at a NUL.
                if (medicine, attribute) not in texts:
                    texts[medicine, attribute] = self._text(medicine, attribute)
                found[_int(row)] = _passage(texts[medicine, attribute], str(attribute), *rest)
        return [found[row] for row in rows]

    def _text(self, medicine: object, attribute: object) -> str:
        query = "SELECT text FROM text WHERE medicine = ? AND attribute = ?"
        return str(self._all(query, [medicine, attribute])[0][0])

    def passage_rows(self, ids: Sequence[str]) -> dict[str, int]:
        """The row of each of these passage ids that exists."""
        found: dict[str, int] = {}
        for part in _parts([i for i in ids if _storable(i)]):
            for row in self._all(f"SELECT id, row FROM passage WHERE id IN ({_marks(part)})", part):
                found[str(row[0])] = _int(row[1])
        return found

    def medicines(self, rows: Sequence[int]) -> list[Medicine]:
        """The whole medicines with these rows, in the order asked for."""
        return [self._medicine(row) for row in rows]

    def medicine_row(self, medicine_id: str) -> int | None:
        """The row of the medicine with this id, None where there is none."""
        rows = self._all("SELECT row FROM medicine WHERE id = ?", [medicine_id]) if _storable(medicine_id) else []
        return _int(rows[0][0]) if rows else None

    def all_medicines(self) -> Iterator[Medicine]:
        """Every medicine, by id."""
        for row in self._all("SELECT row FROM medicine ORDER BY row"):
            yield self._medicine(_int(row[0]))

    def all_texts(self) -> Iterator[tuple[Passage, Medicine]]:
        """Every passage with its medicine, by passage id: what an index over the store is made from."""
        for (medicine_row,) in self._all("SELECT row FROM medicine ORDER BY row"):
            medicine = self._medicine(_int(medicine_row))
            rows = self._all("SELECT row FROM passage WHERE medicine = ? ORDER BY row", [medicine_row])
            for passage in self.passages([_int(row[0]) for row in rows]):
                yield passage, medicine

    def _medicine(self, row: int) -> Medicine:
        record = self._all("SELECT record FROM medicine WHERE row = ?", [row])[0][0]
        texts = {str(a): t for a, t in self._all("SELECT attribute, text FROM text WHERE medicine = ?", [row])}
        return Medicine.model_validate({**json.loads(str(record)), "texts": texts})

    def named(self, keys: Sequence[str]) -> dict[str, list[tuple[int, NameKind]]]:
        """For each key that is a name: the medicines (rows) it may mean, and how it belongs to them."""
        found: dict[str, list[tuple[int, NameKind]]] = {}
        for part in _parts(keys):
            query = f"SELECT key, medicine, kind FROM name WHERE key IN ({_marks(part)})"
            for row in self._all(query, part):
                found.setdefault(str(row[0]), []).append((_int(row[1]), NameKind(_int(row[2]))))
        return found

    def names_of(self, medicine_row: int) -> list[str]:
        """The keys of all names of one medicine."""
        return [str(r[0]) for r in self._all("SELECT key FROM name WHERE medicine = ?", [medicine_row])]


def _passage(
    text: str, attribute: str, passage_id: object, start: object, end: object, medicine_id: object, record: object
) -> Passage:
    about = json.loads(str(record))
    own = about.get("text_sources", {}).get(attribute)
    return Passage(
        id=str(passage_id),
        medicine_id=str(medicine_id),
        medicine=about["names"]["display"],
        attribute=Attribute(attribute),
        text=text[_int(start) : _int(end)],
        start=_int(start),
        end=_int(end),
        source=SourceRef.model_validate(own or about["source"]),
        source_label=about.get("source_labels", {}).get(attribute),
    )


def _storable(value: str) -> bool:
    """Whether a text can stand in the file at all: one with half a character (a lone surrogate) can't."""
    return not any("\ud800" <= c <= "\udfff" for c in value)


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - columns declared INTEGER
    return value


def _parts(values: Sequence[_T]) -> Iterator[list[_T]]:
    for start in range(0, len(values), _MOST_VARIABLES):
        yield list(values[start : start + _MOST_VARIABLES])


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
