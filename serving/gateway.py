"""What the routes share: the agents, who may use them, and what is running."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..corpora.patients.access import Studies
from ..errors import WardroundError
from ..graphs.savers import open_saver
from .agents import Agent, by_name
from .audit import AuditLog
from .callers import Caller, Doorkeeper, secret_of
from .keys import KeyFile
from .refusing import Refused
from .replying import Patience
from .sealing import sealer_of
from .sqlite_store import SqliteTurns
from .store import TurnStore
from .turns import Turns
from .watching import Watch
from .workers import Workers

MB = 1_000_000


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
        tracing: Any = None,
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
        workers = Workers(options.state / "workers")
        self._stack.callback(workers.close)
        store = SqliteTurns(options.state / "conversations.sqlite", workers, sealer)
        self._stack.push_async_callback(store.close)
        saver = None
        if any(agent.asks for agent in self.agents.values()):
            saver = await self._stack.enter_async_context(open_saver(options.state / "waiting.sqlite"))
        audit = AuditLog(options.state / "audit.jsonl")
        self._stack.callback(audit.close)
        self._turns = Turns(
            store,
            worker=workers.own,
            watch=self.watch,
            saver=saver,
            patients=self._patients,
            audit=audit,
            longest_s=options.longest_turn_s,
            keep_texts=options.keep_texts,
        )
        await store.recover(time.time())
        self.ready = True

    async def problem(self) -> str | None:
        """Why no turn can be taken now; None where one can."""
        if not self.ready:
            return "starting or shutting down"
        try:
            await self.store.turn("")
        except (OSError, WardroundError, sqlite3.Error) as error:
            return f"the store of conversations: {type(error).__name__}"
        return None

    async def close(self) -> None:
        """Let go of everything; turns have ended by now."""
        self.ready = False
        await self._stack.aclose()
        self._turns = None
