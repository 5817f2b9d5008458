"""Turns in a SQLite file."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from ..errors import UserError
from .sealing import Sealer
from .store import Allowance, Begun, Conversation, Ended, Full, Turn
from .workers import Workers

T = TypeVar("T")

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS turns (
    seq INTEGER PRIMARY KEY,
    event TEXT NOT NULL CHECK (event IN ('begun', 'ended')),
    run TEXT NOT NULL,
    at REAL NOT NULL,
    key TEXT, owner TEXT, conversation TEXT, agent TEXT, thread TEXT, worker TEXT, patient TEXT, resumes TEXT,
    status TEXT, input_tokens INTEGER, output_tokens INTEGER, model_calls INTEGER,
    body BLOB NOT NULL,
    UNIQUE (run, event)
);
CREATE INDEX IF NOT EXISTS turns_of_key ON turns (key, at) WHERE event = 'begun';
CREATE INDEX IF NOT EXISTS turns_of_conversation ON turns (owner, conversation) WHERE event = 'begun';
CREATE INDEX IF NOT EXISTS turns_that_resume ON turns (resumes) WHERE resumes IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS turns_are_not_changed BEFORE UPDATE ON turns
BEGIN SELECT RAISE(ABORT, 'turns are appended, never changed'); END;
"""
_BEGUN: Final = "run, at, key, owner, conversation, agent, thread, worker, patient, resumes, body"
_ENDED: Final = "run, at, status, input_tokens, output_tokens, model_calls, body"
_NOT_ENDED: Final = "NOT EXISTS (SELECT 1 FROM turns AS e WHERE e.run = b.run AND e.event = 'ended')"
_PAIRS: Final = f"""
SELECT {", ".join("b." + c for c in _BEGUN.split(", "))}, {", ".join("e." + c for c in _ENDED.split(", "))}
FROM turns AS b LEFT JOIN turns AS e ON e.run = b.run AND e.event = 'ended' WHERE b.event = 'begun'
"""


class SqliteTurns:
    """A `TurnStore` over one file that several workers may share; only its owner may read it.

    One thread writes, so that the event loop does not wait for the disc.

    Raises:
        UserError: the file can't be opened or is another program's.
    """

    def __init__(self, path: Path, workers: Workers, sealer: Sealer | None = None) -> None:
        self._workers = workers
        self._sealer = sealer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="turns")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = self._thread.submit(self._open, path).result()
        except (OSError, sqlite3.Error) as error:
            self._thread.shutdown()
            raise UserError(f"`{path}` cannot hold conversations ({error}): name another file") from None

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        # What was written survives the death of every process; only a power cut may cost the last moments.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_TABLES)
        return connection

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.wrap_future(self._thread.submit(work, self._connection))

    async def begin(self, turn: Begun, allowance: Allowance) -> Full | None:
        """As the protocol says."""
        row = (*self._row(turn, ("run", "at", "key", "owner", "conversation", "agent", "thread", "worker")),)
        patient = self._tag(turn.patient)
        body = self._written(turn.run, turn.body)

        def work(db: sqlite3.Connection) -> Full | None:
            db.execute("BEGIN IMMEDIATE")
            try:
                full = _full(db, turn, patient, allowance)
                if full is None:
                    places = ", ".join("?" * 11)
                    insert = f"INSERT INTO turns (event, {_BEGUN}) VALUES ('begun', {places})"
                    db.execute(insert, (*row, patient, turn.resumes, body))
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise
            return full

        return await self._do(work)

    async def end(self, turn: Ended) -> None:
        """As the protocol says."""
        row = self._row(turn, ("run", "at", "status", "input_tokens", "output_tokens", "model_calls"))
        body = self._written(turn.run, turn.body)
        insert = f"INSERT OR IGNORE INTO turns (event, {_ENDED}) VALUES ('ended', ?, ?, ?, ?, ?, ?, ?)"
        # Once handed over it is carried out, even if whoever waits for it is cancelled.
        await asyncio.shield(self._do(lambda db: db.execute(insert, (*row, body))))

    async def turn(self, run: str) -> Turn | None:
        """As the protocol says."""
        rows = await self._do(lambda db: db.execute(f"{_PAIRS} AND b.run = ?", (run,)).fetchall())
        return self._read(rows[0]) if rows else None

    async def turns(self, owner: str, conversation: str) -> list[Turn]:
        """As the protocol says."""
        query = f"{_PAIRS} AND b.owner = ? AND b.conversation = ? ORDER BY b.seq"
        rows = await self._do(lambda db: db.execute(query, (owner, conversation)).fetchall())
        return [self._read(row) for row in rows]

    async def conversations(self, owner: str | None = None, *, limit: int = 100) -> list[Conversation]:
        """As the protocol says."""
        query = """SELECT conversation, agent, COUNT(*), MIN(at), MAX(at), run, body FROM turns AS b
            WHERE event = 'begun' AND conversation != '' AND (?1 IS NULL OR owner = ?1)
            GROUP BY owner, conversation HAVING MIN(seq) ORDER BY MAX(at) DESC LIMIT ?2"""
        rows = await self._do(lambda db: db.execute(query, (owner, limit)).fetchall())
        return [
            Conversation(c, agent, n, first, last, str(self._plain(run, body).get("question", ""))[:80])
            for c, agent, n, first, last, run, body in rows
        ]

    async def recover(self, at: float) -> list[str]:
        """As the protocol says."""
        query = f"SELECT b.run, b.worker FROM turns AS b WHERE b.event = 'begun' AND {_NOT_ENDED}"
        open_runs = await self._do(lambda db: db.execute(query).fetchall())
        lost = [run for run, worker in open_runs if not self._workers.alive(worker)]
        for run in lost:
            await self.end(Ended(run=run, at=at, status="lost"))
        return lost

    async def purge(self, before: float, *, owner: str | None = None, conversation: str | None = None) -> Sequence[str]:
        """As the protocol says."""
        chosen = """SELECT b.run, b.thread FROM turns AS b JOIN turns AS e ON e.run = b.run AND e.event = 'ended'
            WHERE b.event = 'begun' AND e.at < ?1 AND (?2 IS NULL OR b.owner = ?2)
            AND (?3 IS NULL OR b.conversation = ?3)"""

        def work(db: sqlite3.Connection) -> list[str]:
            db.execute("BEGIN IMMEDIATE")
            try:
                rows = db.execute(chosen, (before, owner, conversation)).fetchall()
                db.executemany("DELETE FROM turns WHERE run = ?", [(run,) for run, _ in rows])
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("VACUUM")  # deleted text would otherwise stay in the file's free pages
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return [thread for _, thread in rows]

        return await self._do(work)

    async def close(self) -> None:
        """As the protocol says."""
        await self._do(lambda db: db.close())
        self._thread.shutdown()

    @staticmethod
    def _row(turn: Begun | Ended, fields: Sequence[str]) -> list[Any]:
        return [getattr(turn, name) for name in fields]

    def _tag(self, patient: str | None) -> str | None:
        return patient if patient is None or self._sealer is None else self._sealer.tag(patient)

    def _written(self, run: str, body: Mapping[str, Any]) -> bytes:
        plain = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return plain if self._sealer is None else self._sealer.seal(plain, about=run)

    def _plain(self, run: str, body: bytes) -> dict[str, Any]:
        return json.loads(body if self._sealer is None else self._sealer.open(body, about=run))

    def _read(self, row: Sequence[Any]) -> Turn:
        begun = Begun(*row[:1], *row[1:7], *row[7:10], body=self._plain(row[0], row[10]))
        if row[11] is None:
            return Turn(begun, None)
        return Turn(begun, Ended(*row[11:17], body=self._plain(row[0], row[17])))


def _full(db: sqlite3.Connection, turn: Begun, patient: str | None, allowance: Allowance) -> Full | None:
    def number(query: str, *given: object) -> Any:
        return db.execute(query, given).fetchone()[0]

    if turn.conversation and turn.patient is not None:
        query = """SELECT COUNT(*) FROM turns WHERE event = 'begun' AND owner = ? AND conversation = ?
            AND patient IS NOT NULL AND patient != ?"""
        if number(query, turn.owner, turn.conversation, patient):
            return Full("patient")
    if turn.resumes is not None:
        query = """SELECT COUNT(*) FROM turns AS b LEFT JOIN turns AS e ON e.run = b.run AND e.event = 'ended'
            WHERE b.resumes = ? AND (e.status IS NULL OR e.status IN ('finished', 'waiting'))"""
        if number(query, turn.resumes):
            return Full("resumed")
    if allowance.at_once is not None:
        query = f"SELECT COUNT(*) FROM turns AS b WHERE event = 'begun' AND key = ? AND at > ? AND {_NOT_ENDED}"
        if number(query, turn.key, turn.at - 86_400) >= allowance.at_once:
            return Full("at_once", 1)
    if allowance.turns_a_minute is not None:
        query = "SELECT COUNT(*), MIN(at) FROM turns WHERE event = 'begun' AND key = ? AND at > ?"
        count, first = db.execute(query, (turn.key, turn.at - 60)).fetchone()
        if count >= allowance.turns_a_minute:
            return Full("turns_a_minute", max(1, round(first + 60 - turn.at)))
    if allowance.tokens_a_day is not None:
        query = """SELECT COALESCE(SUM(e.input_tokens + e.output_tokens), 0) FROM turns AS b
            JOIN turns AS e ON e.run = b.run AND e.event = 'ended'
            WHERE b.event = 'begun' AND b.key = ? AND b.at >= ?"""
        if number(query, turn.key, turn.at - turn.at % 86_400) >= allowance.tokens_a_day:
            return Full("tokens_a_day", int(86_400 - turn.at % 86_400))
    return None
