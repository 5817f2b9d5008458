"""Turns as they are kept: an append-only table, in SQLite or Postgres.

A turn is a row when it begins and a row when it ends; nothing is ever changed. So what was finished is there whatever
happens, what began and has no end is unfinished, and the limits of a key (turns a minute, at once, tokens a day) are
counted from the same rows, over all workers and restarts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

Status = Literal["finished", "waiting", "failed", "cancelled", "lost"]
"""`waiting`: it stopped to ask a person. `lost`: its process died, found out at the next start."""


@dataclass(frozen=True)
class Begun:
    """A turn as it begins."""

    run: str
    at: float
    """Seconds since the epoch."""
    key: str
    """The id of the caller's key."""
    owner: str
    """Whose conversations it belongs to: the key and, where a frontend's signature names one, its user."""
    conversation: str
    agent: str
    thread: str
    """Where its checkpoint lies while it waits."""
    worker: str
    patient: str | None = None
    resumes: str | None = None
    """The run that waited and goes on with this turn."""
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What was asked."""


@dataclass(frozen=True)
class Ended:
    """How it ended."""

    run: str
    at: float
    status: Status
    input_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What was answered, with its sources, or why it failed."""


@dataclass(frozen=True)
class Turn:
    """Both; `ended` is None while it runs."""

    begun: Begun
    ended: Ended | None


@dataclass(frozen=True)
class Conversation:
    """A line of the list of conversations."""

    id: str
    agent: str
    turns: int
    first: float
    last: float
    title: str


@dataclass(frozen=True)
class Allowance:
    """What a key may use; None is without limit."""

    turns_a_minute: int | None = None
    at_once: int | None = None
    tokens_a_day: int | None = None


UNLIMITED: Final = Allowance()


@dataclass(frozen=True)
class Full:
    """Why a turn may not begin, and in how many seconds it may."""

    what: Literal["turns_a_minute", "at_once", "tokens_a_day", "patient", "resumed"]
    after_s: int = 0


class TurnStore(Protocol):
    """Where turns are kept. Methods are called from the event loop and don't block it."""

    async def begin(self, turn: Begun, allowance: Allowance) -> Full | None:
        """Keep a turn that begins, unless a limit is reached; both in one step, over all workers.

        A conversation keeps to its patient, and a run that waits goes on once.
        """
        ...

    async def end(self, turn: Ended) -> None:
        """Keep how it ended."""
        ...

    async def turn(self, run: str) -> Turn | None:
        """One turn."""
        ...

    async def turns(self, owner: str | None, conversation: str) -> list[Turn]:
        """A conversation, oldest first; without an owner of whoever has one of that name."""
        ...

    async def conversations(self, owner: str | None = None, *, limit: int = 100) -> list[Conversation]:
        """The conversations of an owner, or of all, the latest first."""
        ...

    async def recover(self, at: float) -> list[str]:
        """End as `lost` what began in a worker that is no more; the runs."""
        ...

    async def purge(self, before: float, *, owner: str | None = None, conversation: str | None = None) -> Sequence[str]:
        """Delete turns that ended, or were lost, before a moment; the threads whose checkpoints may go, too."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...
