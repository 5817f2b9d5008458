"""Turns in a database: the table of `databases.py`, asked and appended to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from ..graphs.sealing import Sealer
from .databases import Database
from .store import Allowance, Begun, Conversation, Ended, Full, Turn

T = TypeVar("T")

_BEGUN: Final = ("run", "at", "key", "owner", "conversation", "agent", "thread", "worker", "patient", "resumes")
_ENDED: Final = ("run", "at", "status", "input_tokens", "output_tokens", "model_calls")
_BEGIN: Final = f"INSERT INTO turns (event, {', '.join(_BEGUN)}, body) VALUES ('begun'{', ?' * 11})"
_END: Final = f"INSERT INTO turns (event, {', '.join(_ENDED)}, body) VALUES ('ended'{', ?' * 7}) ON CONFLICT DO NOTHING"
_WITH_END: Final = "turns AS b LEFT JOIN turns AS e ON e.run = b.run AND e.event = 'ended'"
_PAIRS: Final = (
    f"SELECT {', '.join('b.' + c for c in (*_BEGUN, 'body'))}, {', '.join('e.' + c for c in (*_ENDED, 'body'))} "
    f"FROM {_WITH_END} WHERE b.event = 'begun'"
)
_LIST: Final = """
SELECT b.conversation, b.agent, g.n, g.first, g.last, b.run, b.body FROM turns AS b JOIN (
    SELECT COUNT(*) AS n, MIN(seq) AS seq, MIN(at) AS first, MAX(at) AS last FROM turns
    WHERE event = 'begun' AND conversation != '' AND (CAST(? AS TEXT) IS NULL OR owner = ?)
    GROUP BY owner, conversation) AS g ON g.seq = b.seq ORDER BY g.last DESC LIMIT ?
"""
_OLD: Final = f"""
SELECT b.run, b.thread FROM {_WITH_END} WHERE b.event = 'begun' AND e.at < ?
AND (CAST(? AS TEXT) IS NULL OR b.owner = ?) AND (CAST(? AS TEXT) IS NULL OR b.conversation = ?)
"""


class SqlTurns:
    """A `TurnStore` over a database.

    One thread owns the connection, so that the event loop does not wait for the disc.

    Args:
        database: where.
        sealer: encrypts what was said, and turns patients into tags.

    Raises:
        UserError: the database can't be opened.
    """

    def __init__(self, database: Database, sealer: Sealer | None = None) -> None:
        self._database = database
        self._sealer = sealer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="turns")
        try:
            self._thread.submit(database.connect).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def _do(self, work: Callable[[Database], T]) -> T:
        def working() -> T:
            try:
                return work(self._database)
            except self._database.faults():
                self._database.connect()  # once more, over a new connection
                return work(self._database)

        return await asyncio.wrap_future(self._thread.submit(working))

    async def begin(self, turn: Begun, allowance: Allowance) -> Full | None:
        """As the protocol says."""
        patient = self._tag(turn.patient)
        given = {name: getattr(turn, name) for name in _BEGUN} | {"patient": patient}
        row = [*given.values(), self._written(turn.run, turn.body)]

        def work(db: Database) -> Full | None:
            db.begin(turn.key)
            kept = False
            try:
                full = _full(db, turn, patient, allowance)
                if full is None:
                    db.query(_BEGIN, row)
                kept = True
            finally:
                db.finish(keep=kept)
            return full

        return await self._do(work)

    async def end(self, turn: Ended) -> None:
        """As the protocol says."""
        row = [*(getattr(turn, name) for name in _ENDED), self._written(turn.run, turn.body)]
        # Once handed over it is carried out, even if whoever waits for it is cancelled.
        await asyncio.shield(self._do(lambda db: db.query(_END, row)))

    async def turn(self, run: str) -> Turn | None:
        """As the protocol says."""
        rows = await self._do(lambda db: db.query(f"{_PAIRS} AND b.run = ?", (run,)))
        return self._read(rows[0]) if rows else None

    async def turns(self, owner: str | None, conversation: str) -> list[Turn]:
        """As the protocol says."""
        query = f"{_PAIRS} AND (CAST(? AS TEXT) IS NULL OR b.owner = ?) AND b.conversation = ? ORDER BY b.seq"
        rows = await self._do(lambda db: db.query(query, (owner, owner, conversation)))
        return [self._read(row) for row in rows]

    async def conversations(self, owner: str | None = None, *, limit: int = 100) -> list[Conversation]:
        """As the protocol says."""
        rows = await self._do(lambda db: db.query(_LIST, (owner, owner, limit)))
        return [
            Conversation(c, agent, n, first, last, str(self._plain(run, body).get("question", ""))[:80])
            for c, agent, n, first, last, run, body in rows
        ]

    async def recover(self, at: float) -> list[str]:
        """As the protocol says."""
        query = f"SELECT b.run, b.worker FROM {_WITH_END} WHERE b.event = 'begun' AND e.run IS NULL"

        def work(db: Database) -> list[str]:
            return [run for run, worker in db.query(query) if not db.alive(worker)]

        lost = await self._do(work)
        for run in lost:
            await self.end(Ended(run=run, at=at, status="lost"))
        return lost

    async def purge(self, before: float, *, owner: str | None = None, conversation: str | None = None) -> Sequence[str]:
        """As the protocol says."""

        def work(db: Database) -> list[str]:
            db.begin("")
            kept = False
            try:
                rows = db.query(_OLD, (before, owner, owner, conversation, conversation))
                for run, _ in rows:
                    db.query("DELETE FROM turns WHERE run = ?", (run,))
                kept = True
            finally:
                db.finish(keep=kept)
            if rows:
                db.shrink()
            return [thread for _, thread in rows]

        return await self._do(work)

    async def close(self) -> None:
        """As the protocol says."""
        await self._do(lambda db: db.close())
        self._thread.shutdown()

    def _tag(self, patient: str | None) -> str | None:
        return patient if patient is None or self._sealer is None else self._sealer.tag(patient)

    def _written(self, run: str, body: Mapping[str, Any]) -> bytes:
        plain = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return plain if self._sealer is None else self._sealer.seal(plain, about=run)

    def _plain(self, run: str, body: bytes) -> dict[str, Any]:
        return json.loads(body if self._sealer is None else self._sealer.open(bytes(body), about=run))

    def _read(self, row: Sequence[Any]) -> Turn:
        begun = Begun(**dict(zip(_BEGUN, row, strict=False)), body=self._plain(row[0], row[10]))
        if row[11] is None:
            return Turn(begun, None)
        ended = dict(zip(_ENDED, row[11:], strict=False))
        return Turn(begun, Ended(**ended, body=self._plain(row[0], row[17])))


def _full(db: Database, turn: Begun, patient: str | None, allowance: Allowance) -> Full | None:
    """What stands in the way of a turn, if anything does."""
    if turn.conversation and patient is not None:
        query = """SELECT COUNT(*) FROM turns WHERE event = 'begun' AND owner = ? AND conversation = ?
            AND patient IS NOT NULL AND patient != ?"""
        if db.query(query, (turn.owner, turn.conversation, patient))[0][0]:
            return Full("patient")
    if turn.resumes is not None:
        query = f"""SELECT COUNT(*) FROM {_WITH_END}
            WHERE b.resumes = ? AND (e.status IS NULL OR e.status IN ('finished', 'waiting'))"""
        if db.query(query, (turn.resumes,))[0][0]:
            return Full("resumed")
    if allowance.at_once is not None:
        query = f"""SELECT COUNT(*) FROM {_WITH_END}
            WHERE b.event = 'begun' AND b.key = ? AND b.at > ? AND e.run IS NULL"""
        if db.query(query, (turn.key, turn.at - 86_400))[0][0] >= allowance.at_once:
            return Full("at_once", 1)
    if allowance.turns_a_minute is not None:
        query = "SELECT COUNT(*), MIN(at) FROM turns WHERE event = 'begun' AND key = ? AND at > ?"
        count, first = db.query(query, (turn.key, turn.at - 60))[0]
        if count >= allowance.turns_a_minute:
            return Full("turns_a_minute", max(1, round(first + 60 - turn.at)))
    if allowance.tokens_a_day is not None:
        query = f"""SELECT COALESCE(SUM(e.input_tokens + e.output_tokens), 0) FROM {_WITH_END}
            WHERE b.event = 'begun' AND b.key = ? AND b.at >= ?"""
        if db.query(query, (turn.key, turn.at - turn.at % 86_400))[0][0] >= allowance.tokens_a_day:
            return Full("tokens_a_day", int(86_400 - turn.at % 86_400))
    return None
