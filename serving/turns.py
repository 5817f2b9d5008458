"""Running a turn: who may, kept from its first moment, bounded in time, stopped when nobody listens any more.

Every way in (the chat gateway, a page, a tool server) goes through here: `admit`, then the events.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from ..agents.asked_films import question_of
from ..corpora.patients.access import RunContext, Studies, issue
from ..errors import AccessDenied, UserError
from ..graphs.events import Event, stream_events
from .agents import Agent
from .audit import AuditLog
from .callers import Caller
from .refusing import Refused, shown
from .store import Begun, Ended, Full, Status, TurnStore
from .telling import final_text
from .watching import Watch

_log: Final = logging.getLogger("wardround.serving")
_AHEAD: Final = 256
"""Events that may wait for a slow reader before the graph has to wait, too."""


@dataclass(frozen=True)
class Asked:
    """What a caller asks."""

    caller: Caller
    agent: Agent
    messages: Sequence[AnyMessage]
    """The whole conversation; it is the truth, nothing is added from what was kept."""
    conversation: str = ""
    """Under which name the turn is kept; empty is by itself."""
    patient: str | None = None
    study: str | None = None
    resumes: str | None = None
    """The run that waits for a person; `decision` answers it."""
    decision: Any = None
    steps: bool = False
    """Whether it is told where in the graph it is."""


@dataclass
class Turn:
    """A turn that was admitted; `events` runs it, once."""

    run: str
    asked: Asked
    began: float
    _turns: Turns
    _thread: str
    _context: RunContext | None
    _queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue[Event | None](_AHEAD))
    _task: asyncio.Task[None] | None = None

    async def events(self) -> AsyncGenerator[Event]:
        """Run it; the last event is `final`, `interrupt` or `error`. Closing the iterator stops graph and model."""
        try:
            while (event := await self.next(None)) is not None:
                yield event
        finally:
            await self.stop()

    async def next(self, within_s: float | None) -> Event | None:
        """The next event; None when it is over. For who must do something while nothing happens.

        Raises:
            TimeoutError: nothing happened in that time; ask again.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._turns.run(self, self._queue, self._thread, self._context))
        if within_s is None:
            return await self._queue.get()
        async with asyncio.timeout(within_s):
            return await self._queue.get()

    async def stop(self) -> None:
        """Stop graph and model, where they still run. Returns when they have."""
        if self._task is None:
            self._task = asyncio.create_task(self._turns.give_up(self))
        elif not self._task.done():
            self._task.cancel()
        # The task keeps how the turn ended; whoever stops it may be cancelled, that must not.
        with suppress(asyncio.CancelledError):
            await asyncio.shield(asyncio.wait([self._task]))


class Turns:
    """Admits turns and runs them.

    Args:
        store: where they are kept.
        worker: the name of this worker.
        saver: where a run that waits for a person lies; without it none may.
        patients: the patient records, for agents that read them.
        audit: the audit log.
        longest_s: seconds a turn may take.
        keep_texts: whether questions and answers are kept, or only that there were some.
    """

    def __init__(
        self,
        store: TurnStore,
        *,
        worker: str,
        watch: Watch,
        saver: BaseCheckpointSaver[Any] | None = None,
        patients: Studies | None = None,
        audit: AuditLog | None = None,
        longest_s: float = 600.0,
        keep_texts: bool = True,
    ) -> None:
        self.store = store
        self.saver = saver
        self._worker = worker
        self._watch = watch
        self._patients = patients
        self._audit = audit
        self._longest_s = longest_s
        self._keep_texts = keep_texts

    async def admit(self, asked: Asked) -> Turn:
        """Begin a turn: it is kept and counted from here on, so `events` or `stop` of it must follow.

        Raises:
            Refused: the caller may not use the agent or read the patient, a limit is reached, or nothing waits there.
        """
        caller, run, now = asked.caller, f"run-{uuid4().hex}", time.time()
        try:
            context, patient = self._granted(asked)
            thread = run if asked.resumes is None else await self._waiting_thread(asked)
        except Refused as refused:
            if refused.status in (401, 403) and self._audit is not None:
                self._audit.refused(
                    key=caller.key, user=caller.user, agent=asked.agent.name, patient=asked.patient,
                    why=str(refused.error["code"]),
                )  # fmt: skip
            raise
        asks = bool(asked.messages) and isinstance(asked.messages[-1], HumanMessage)
        question = question_of(asked.messages) if asks else ""  # without the labels of its films
        body = {"question": question} if self._keep_texts else {}
        begun = Begun(
            run=run, at=now, key=caller.key, owner=caller.owner, conversation=asked.conversation,
            agent=asked.agent.name, thread=thread, worker=self._worker, patient=patient, resumes=asked.resumes,
            body=body,
        )  # fmt: skip
        if self._audit is not None:
            self._audit.asked(
                run, key=caller.key, user=caller.user, agent=asked.agent.name, patient=patient, study=asked.study
            )
        full = await self.store.begin(begun, caller.allowance)
        if full is not None:
            if self._audit is not None:
                self._audit.answered(run, status=f"refused: {full.what}", sources=())
            raise _refusal(full)
        self._watch.began(asked.agent.name)
        return Turn(run=run, asked=asked, began=time.perf_counter(), _turns=self, _thread=thread, _context=context)

    def _granted(self, asked: Asked) -> tuple[RunContext | None, str | None]:
        """The run context, with a grant where a patient is asked about, and that patient."""
        if not asked.caller.may_use(asked.agent.name):
            text = f"This key may not use `{asked.agent.name}`."
            raise Refused(403, text, type="permission_error", code="agent_not_allowed")
        patient = asked.patient or (asked.caller.one_patient() if asked.agent.context else None)
        if patient is None or not asked.agent.context:
            if asked.patient is not None and asked.caller.patients is not None:
                self._check_patient(asked.caller, asked.patient)
            return (RunContext() if asked.agent.context else None), asked.patient
        if self._patients is None:
            raise Refused(400, "No patient records are served here: leave out the patient.", param="metadata")
        try:
            at = None if asked.study else datetime.now(UTC)
            grant = issue(self._patients, asked.caller.reader, patient=patient, study=asked.study, at=at)
        except AccessDenied:
            raise _not_this_patient() from None
        except UserError as error:
            raise Refused(400, str(error), param="metadata") from None
        return RunContext(grant=grant), patient

    @staticmethod
    def _check_patient(caller: Caller, patient: str) -> None:
        if caller.patients is not None and patient not in caller.patients:
            raise _not_this_patient()

    async def purge(self, before: float, *, owner: str | None = None, conversation: str | None = None) -> int:
        """Delete turns that ended before a moment, with the checkpoints of those that wait; how many it were."""
        threads = await self.store.purge(before, owner=owner, conversation=conversation)
        if self.saver is not None:
            for thread in threads:
                await self.saver.adelete_thread(thread)
        return len(threads)

    async def waiting(self, caller: Caller, agent: Agent, run: str) -> list[dict[str, Any]]:
        """What a run that waits asks: `id` and `value` of each question.

        Raises:
            Refused: no such run of this caller and agent waits.
        """
        thread = await self._waiting_thread(Asked(caller=caller, agent=agent, messages=(), resumes=run))
        state = await agent.graph.copy({"checkpointer": self.saver}).aget_state({"configurable": {"thread_id": thread}})
        return [{"id": one.id, "value": one.value} for one in state.interrupts]

    async def _waiting_thread(self, asked: Asked) -> str:
        """Where the run lies that waits and shall go on. Of somebody else's the caller learns nothing."""
        turn = await self.store.turn(asked.resumes or "")
        known = turn is not None and turn.begun.owner == asked.caller.owner and turn.begun.agent == asked.agent.name
        if turn is None or not known or turn.ended is None or turn.ended.status != "waiting" or self.saver is None:
            raise Refused(404, "Nothing waits for this answer, or it was given already.", code="nothing_waits")
        return turn.begun.thread

    async def run(
        self, turn: Turn, queue: asyncio.Queue[Event | None], thread: str, context: RunContext | None
    ) -> None:
        """Carry a turn out; its events go into the queue, None is the last. Its end is kept before it is told."""
        asked, agent = turn.asked, turn.asked.agent
        config: RunnableConfig = {"callbacks": self._watch.callbacks(turn.run, agent.name)}
        options: dict[str, Any] = {} if context is None else {"context": context}
        graph = agent.graph
        if agent.asks and self.saver is not None:
            graph = graph.copy({"checkpointer": self.saver})
            config["configurable"] = {"thread_id": thread}
            options["durability"] = "exit"
        given: Any = {"messages": list(asked.messages)} if asked.resumes is None else Command(resume=asked.decision)
        usage: Mapping[str, int] = {}
        sources: dict[str, Mapping[str, Any]] = {}
        last: list[Event] = []
        status: Status = "cancelled"
        why = ""
        try:
            async with asyncio.timeout(self._longest_s):
                stream = stream_events(graph, given, config, tokens=agent.tokens, steps=asked.steps, **options)
                async with aclosing(stream) as events:
                    async for event in events:
                        if event.kind in ("final", "interrupt"):
                            last.append(event)
                            continue
                        if event.kind == "usage":
                            usage = event.data
                        elif event.kind == "source":
                            sources[str(event.data["id"])] = event.data
                        self._watch.saw(turn, event)
                        await queue.put(event)
            status = "waiting" if last and last[-1].kind == "interrupt" else "finished"
            if status == "waiting" and not (agent.asks and self.saver is not None):
                raise UserError(f"`{agent.name}` stopped to ask a person, and this server keeps no runs that wait")
        except asyncio.CancelledError:
            why = "cancelled"
            raise
        except Exception as error:  # noqa: BLE001 - whatever a graph raises is told, logged and kept, never swallowed
            status, last = "failed", [_failure(error, turn.run)]
            why = type(error).__name__
        finally:
            end = self._ended(turn, status, usage, sources, last, why, thread)
            # A task of its own: it is carried through even if this one is cancelled once more.
            last = await asyncio.shield(asyncio.create_task(end))
        for event in last:
            await queue.put(event)
        await queue.put(None)

    async def give_up(self, turn: Turn) -> None:
        """Keep that a turn was never run."""
        await self._ended(turn, "cancelled", {}, {}, [], "never begun", turn.run)

    async def _ended(
        self,
        turn: Turn,
        status: Status,
        usage: Mapping[str, int],
        sources: Mapping[str, Mapping[str, Any]],
        last: list[Event],
        why: str,
        thread: str,
    ) -> list[Event]:
        """Keep how it ended; the events to tell. What can't be kept is told as a failure."""
        body: dict[str, Any] = {"why": why} if why else {}
        if self._keep_texts and last and last[-1].kind == "final":
            body |= {"answer": final_text(last[-1].data), "sources": list(sources.values())}
        try:
            if self._audit is not None:
                self._audit.answered(turn.run, status=status, sources=list(sources))
            await self.store.end(
                Ended(
                    run=turn.run,
                    at=time.time(),
                    status=status,
                    body=body,
                    input_tokens=usage.get("input_tokens", 0),
                    output_tokens=usage.get("output_tokens", 0),
                    model_calls=usage.get("model_calls", 0),
                )
            )
            if status == "finished" and turn.asked.agent.asks and self.saver is not None:
                await self.saver.adelete_thread(thread)
        except Exception as error:  # noqa: BLE001 - a full disc, a database that went away: told, and logged
            status, last = "failed", [_failure(error, turn.run)]
        self._watch.ended(turn, status, usage)
        return last


def _failure(error: Exception, run: str) -> Event:
    refused = shown(error)
    level = logging.INFO if refused.status < 500 else logging.ERROR
    # Without the text and the traceback of a fault inside, which may hold what was said: the type, and where.
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else ""
    _log.log(level, "turn failed", extra={"run": run, "error": type(error).__name__, "place": place})
    return Event(kind="error", data={"status": refused.status, **refused.error})


def _not_this_patient() -> Refused:
    text = "This key may not read that patient, or there is no such patient."
    return Refused(403, text, type="permission_error", code="patient_not_allowed")


def _refusal(full: Full) -> Refused:
    after = {"Retry-After": str(full.after_s)}
    if full.what == "patient":
        text = "This conversation belongs to another patient: start a new one."
        return Refused(403, text, type="permission_error", code="other_patient")
    if full.what == "resumed":
        return Refused(404, "Nothing waits for this answer, or it was given already.", code="nothing_waits")
    if full.what == "tokens_a_day":
        text = "The tokens of this key for today are used up."
        return Refused(429, text, type="insufficient_quota", code="insufficient_quota", headers=after)
    text = {"at_once": "Too many turns of this key at once.", "turns_a_minute": "Too many turns of this key a minute."}
    return Refused(429, text[full.what], type="rate_limit_error", code="rate_limit_exceeded", headers=after)
