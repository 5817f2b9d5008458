"""What the routes share: the agents, who may use them, and what is running."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..corpora.patients.access import Studies
from ..errors import WardroundError
from ..graphs.savers import open_saver
from ..graphs.sealing import Sealer, sealer_of
from .agents import Agent, by_name
from .audit import AuditLog
from .callers import Caller, Doorkeeper, secret_of
from .databases import Database, Postgres, SqliteFile
from .keys import KeyFile
from .refusing import Refused
from .replying import Patience
from .sql_turns import SqlTurns
from .store import TurnStore
from .tracing import Tracing
from .turns import Turns
from .watching import Watch
from .workers import Workers

MB: Final = 1_000_000
CONVERSATIONS: Final = "conversations.sqlite"
WAITING: Final = "waiting.sqlite"
"""Names of the files in the state's folder."""
_log: Final = logging.getLogger("wardround.serving")


@dataclass(frozen=True)
class Options:
    """How a gateway is run. Files hold patient data or secrets: only their owner may read them."""

    state: Path
    """A folder for what is kept: conversations, runs that wait, the audit log."""
    keys: Path | None = None
    """The key file; without one everybody who reaches the server may use it."""
    user_secret: Path | None = None
    """A file with the secret that a frontend signs its users with."""
    conversations: str | None = None
    """`postgresql://...` instead of a SQLite file in `state`."""
    encryption_key: Path | None = None
    """A file with the key under which texts and waiting runs are encrypted."""
    keep_texts: bool = True
    """Whether questions and answers are kept."""
    retention_days: float | None = None
    """After how many days turns are deleted; None keeps them."""
    sources_text: bool = True
    """Whether answers list their sources, for frontends that draw none."""
    origins: tuple[str, ...] = ()
    """Pages of other origins that may call (CORS)."""
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    """Names under which the server may be called; `*` is any."""
    largest_body: int = 48 * MB
    """Bytes of a request."""
    longest_turn_s: float = 600.0
    patience: Patience = field(default_factory=Patience)
    local_patients: frozenset[str] | None = frozenset()
    """The patients that may be read where there are no keys; None is all."""


class Gateway:
    """Opened by the app's lifespan: `async with gateway.opened(): ...`."""

    def __init__(
        self,
        agents: Sequence[Agent],
        options: Options,
        *,
        patients: Studies | None = None,
        metrics: str | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.agents: Mapping[str, Agent] = by_name(agents)
        self.options = options
        self.started = int(time.time())
        self.ready = False
        self.watch = Watch(metrics, tracing)
        self.doorkeeper = Doorkeeper(
            KeyFile(options.keys) if options.keys else None,
            user_secret=secret_of(options.user_secret) if options.user_secret else None,
            local_patients=options.local_patients,
        )
        self._patients = patients
        self._turns: Turns | None = None
        self._stack = AsyncExitStack()

    @property
    def turns(self) -> Turns:
        """Runs turns; there while the gateway is open."""
        if self._turns is None:
            raise RuntimeError("the gateway is not open: its app's lifespan has not begun")
        return self._turns

    @property
    def store(self) -> TurnStore:
        """Where turns are kept."""
        return self.turns.store

    def agent(self, name: str, caller: Caller) -> Agent:
        """The agent of this name, if the caller may use it.

        Raises:
            Refused: it is none of these; the caller does not learn whether it exists.
        """
        agent = self.agents.get(name)
        if agent is None or not caller.may_use(name):
            known = ", ".join(f"`{one}`" for one in self.agents if caller.may_use(one))
            text = f"There is no model `{name[:80]}`: choose one of {known}."
            raise Refused(404, text, code="model_not_found", param="model")
        return agent

    async def open(self) -> None:
        """Open files and database, and see what a worker that died has left."""
        options = self.options
        sealer = sealer_of(options.encryption_key) if options.encryption_key else None
        options.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stack.callback(self.watch.close)
        store, worker = await self._open_store(sealer)
        saver = None
        asks = any(agent.asks for agent in self.agents.values())
        if asks or options.conversations or (options.state / WAITING).exists():  # the latter: to purge them
            # What waits lies in the file, too, where it shall be encrypted: see `open_saver`.
            where = options.conversations if options.conversations and sealer is None else options.state / WAITING
            types = [one for agent in self.agents.values() for one in agent.types]
            saver = await self._stack.enter_async_context(open_saver(where, also=types, sealer=sealer))
        audit = AuditLog(options.state / "audit.jsonl")
        self._stack.callback(audit.close)
        self._turns = Turns(
            store,
            worker=worker,
            watch=self.watch,
            saver=saver,
            patients=self._patients,
            audit=audit,
            longest_s=options.longest_turn_s,
            keep_texts=options.keep_texts,
        )
        await store.recover(time.time())
        if options.retention_days is not None:
            task = asyncio.create_task(self._keep_short(options.retention_days))
            self._stack.callback(task.cancel)
        self.ready = True

    async def _open_store(self, sealer: Sealer | None) -> tuple[SqlTurns, str]:
        """The store, and the name of this worker in it."""
        options = self.options
        if options.conversations:
            database: Database = Postgres(options.conversations)
        else:
            workers = Workers(options.state / "workers")
            self._stack.callback(workers.close)
            database = SqliteFile(options.state / CONVERSATIONS, workers)
        store = SqlTurns(database, sealer)
        self._stack.push_async_callback(store.close)
        return store, database.own

    async def _keep_short(self, days: float) -> None:
        """Delete what is older, now and every hour."""
        while True:
            try:
                await self.turns.purge(before=time.time() - days * 86_400)
            except (OSError, WardroundError, *_database_errors()) as error:
                _log.error("old turns could not be deleted", extra={"error": type(error).__name__})
            await asyncio.sleep(3600)

    async def problem(self) -> str | None:
        """Why no turn can be taken now; None where one can."""
        if not self.ready:
            return "starting or shutting down"
        try:
            await self.store.turn("")
        except (OSError, WardroundError, *_database_errors()) as error:
            return f"the store of conversations: {type(error).__name__}"
        return None

    async def close(self) -> None:
        """Let go of everything; turns have ended by now."""
        self.ready = False
        await self._stack.aclose()
        self._turns = None


def _database_errors() -> tuple[type[Exception], ...]:
    try:
        import psycopg
    except ImportError:
        return (sqlite3.Error,)
    return (sqlite3.Error, psycopg.Error)
