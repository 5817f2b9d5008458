"""The two databases that turns lie in: how each is opened, locked, and told which workers are alive."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from ..errors import MissingExtra, UserError
from .workers import Workers

_COLUMNS: Final = """
    event TEXT NOT NULL CHECK (event IN ('begun', 'ended')),
    run TEXT NOT NULL,
    at {real} NOT NULL,
    key TEXT, owner TEXT, conversation TEXT, agent TEXT, thread TEXT, worker TEXT, patient TEXT, resumes TEXT,
    status TEXT, input_tokens INTEGER, output_tokens INTEGER, model_calls INTEGER,
    body {blob} NOT NULL,
    UNIQUE (run, event)
"""
_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS turns_of_key ON turns (key, at) WHERE event = 'begun'",
    "CREATE INDEX IF NOT EXISTS turns_of_conversation ON turns (owner, conversation) WHERE event = 'begun'",
    "CREATE INDEX IF NOT EXISTS turns_that_resume ON turns (resumes) WHERE resumes IS NOT NULL",
)


class Database(Protocol):
    """What the turns need of a database. Everything is called in the one thread that owns the connection."""

    own: str
    """The name of this worker."""

    def connect(self) -> None:
        """Open it and make the tables where they are missing; again, after `faults`."""
        ...

    def query(self, sql: str, given: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """Rows of a statement with `?` for what is given; none for one that gives none."""
        ...

    def begin(self, key: str) -> None:
        """Begin to write; who writes for the same key waits."""
        ...

    def finish(self, *, keep: bool) -> None:
        """End what `begin` began."""
        ...

    def alive(self, worker: str) -> bool:
        """Whether a worker still runs."""
        ...

    def shrink(self) -> None:
        """Let nothing stay behind of what was deleted."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...

    def faults(self) -> tuple[type[Exception], ...]:
        """What is raised when the connection is gone."""
        ...


class SqliteFile:
    """A file, shared by the workers of one machine. Only its owner may read it."""

    def __init__(self, path: Path, workers: Workers) -> None:
        self._path = path
        self._workers = workers
        self._db: Any = None
        self.own = workers.own

    def connect(self) -> None:
        """As the protocol says. Raises `UserError` where the file can't be used."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            db = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            # What was written survives the death of every process; only a power cut may cost the last moments.
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
            columns = _COLUMNS.format(real="REAL", blob="BLOB")
            db.execute(f"CREATE TABLE IF NOT EXISTS turns (seq INTEGER PRIMARY KEY, {columns})")
            for index in _INDEXES:
                db.execute(index)
            db.execute(
                "CREATE TRIGGER IF NOT EXISTS turns_are_not_changed BEFORE UPDATE ON turns "
                "BEGIN SELECT RAISE(ABORT, 'turns are appended, never changed'); END"
            )
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"`{self._path}` cannot hold conversations ({error}): name another folder") from None
        self._db = db

    def query(self, sql: str, given: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """As the protocol says."""
        return self._db.execute(sql, given).fetchall()

    def begin(self, key: str) -> None:  # noqa: ARG002 - SQLite has one lock for all
        """As the protocol says."""
        self._db.execute("BEGIN IMMEDIATE")

    def finish(self, *, keep: bool) -> None:
        """As the protocol says."""
        self._db.execute("COMMIT" if keep else "ROLLBACK")

    def alive(self, worker: str) -> bool:
        """As the protocol says."""
        return self._workers.alive(worker)

    def shrink(self) -> None:
        """As the protocol says: pages that were freed are given back, and the log is emptied."""
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """As the protocol says."""
        self._db.close()

    def faults(self) -> tuple[type[Exception], ...]:
        """As the protocol says: a file's connection does not go."""
        return ()


_LOCKS: Final = 0x77617264
"""Space of the advisory locks of workers; `_KEYS` that of keys."""
_KEYS: Final = 0x77616B65


class Postgres:
    """A database that several machines may share. A worker is alive while its session holds its advisory lock."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._db: Any = None
        self.own = uuid4().hex[:12]

    def connect(self) -> None:
        """As the protocol says. Raises `UserError` where it does not answer, `MissingExtra` without its package."""
        try:
            import psycopg
        except ImportError:
            raise MissingExtra(
                "conversations in Postgres need a package: run `pip install 'wardround[postgres]'`"
            ) from None
        try:
            db = psycopg.connect(self._address, autocommit=True, connect_timeout=10)
            db.execute("SELECT pg_advisory_lock(%s)", (_LOCKS,))  # several workers start at once
            try:
                columns = _COLUMNS.format(real="DOUBLE PRECISION", blob="BYTEA")
                seq = "seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
                for statement in (f"CREATE TABLE IF NOT EXISTS turns ({seq}, {columns})", *_INDEXES, *_NO_UPDATES):
                    db.execute(statement.encode())
            finally:
                db.execute("SELECT pg_advisory_unlock(%s)", (_LOCKS,))
            db.execute("SELECT pg_advisory_lock(%s, %s)", (_LOCKS, _number(self.own)))
        except psycopg.Error as error:
            reason = " ".join(str(error).split())
            raise UserError(f"the database for conversations cannot be used ({reason}): check its address") from None
        self._db = db

    def query(self, sql: str, given: Sequence[Any] = ()) -> list[Sequence[Any]]:
        """As the protocol says."""
        cursor = self._db.execute(sql.replace("?", "%s"), given)
        return cursor.fetchall() if cursor.description else []

    def begin(self, key: str) -> None:
        """As the protocol says."""
        self._db.execute("BEGIN")
        self._db.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_KEYS, _number(key)))

    def finish(self, *, keep: bool) -> None:
        """As the protocol says."""
        self._db.execute("COMMIT" if keep else "ROLLBACK")

    def alive(self, worker: str) -> bool:
        """As the protocol says."""
        if worker == self.own:
            return True
        place = (_LOCKS, _number(worker))
        if not self._db.execute("SELECT pg_try_advisory_lock(%s, %s)", place).fetchone()[0]:
            return True
        self._db.execute("SELECT pg_advisory_unlock(%s, %s)", place)
        return False

    def shrink(self) -> None:
        """As the protocol says."""
        self._db.execute("VACUUM turns")

    def close(self) -> None:
        """As the protocol says."""
        self._db.close()

    def faults(self) -> tuple[type[Exception], ...]:
        """As the protocol says."""
        import psycopg

        return (psycopg.OperationalError,)


_NO_UPDATES: Final = (
    """CREATE OR REPLACE FUNCTION turns_are_not_changed() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'turns are appended, never changed'; END $$""",
    "CREATE OR REPLACE TRIGGER turns_are_not_changed BEFORE UPDATE ON turns "
    "FOR EACH ROW EXECUTE FUNCTION turns_are_not_changed()",
)


def _number(name: str) -> int:
    """A name as Postgres' advisory locks want it: a signed number of 32 bits."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], signed=True)
