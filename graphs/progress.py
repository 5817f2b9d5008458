"""Ask one question about films and get everything back: the answer, the records it rests on, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel, ConfigDict, Field

from ..agents.reading_records import NumberedRecord, Reading, RecordCitation
from ..agents.turn import AnsweredBy, Flag
from ..corpora.patients import HistoryRecord, Region, RunContext
from .events import Event, stream_events
from .trace import Recorder


class ShownRecord(BaseModel):
    """A record as it was shown, for people to look up."""

    model_config = ConfigDict(frozen=True)
    n: int
    id: str
    study_id: str
    date: str
    days_before: int
    scope: str
    regions: tuple[Region, ...]
    text: str

    @staticmethod
    def of(item: NumberedRecord) -> ShownRecord:
        """The record with its number."""
        record: HistoryRecord = item.record
        return ShownRecord(
            n=item.n,
            id=record.id,
            study_id=record.study_id,
            date=record.date,
            days_before=record.days_before,
            scope=record.scope.value,
            regions=record.regions,
            text=record.text,
        )


class Progressed(BaseModel):
    """The result; `model_dump_json()` is what `wardround progress --json` prints."""

    model_config = ConfigDict(frozen=True)
    answer: str
    letter: str | None = None
    regions: tuple[Region, ...] = ()
    records: tuple[ShownRecord, ...] = ()
    citations: tuple[RecordCitation, ...] = ()
    answered_by: AnsweredBy
    flags: tuple[Flag, ...] = ()
    usage: dict[str, int] = Field(default_factory=dict)
    timings: dict[str, float] = Field(default_factory=dict)


async def progress(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    messages: Sequence[AnyMessage],
    *,
    context: RunContext | None = None,
    thread: str | None = None,
    trace: Path | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Progressed:
    """Run a `progression` graph.

    Args:
        graph: the graph, or a user's own with the same output.
        messages: the conversation; the last message asks.
        context: whose records may be read, and before when.
        thread: the conversation's name in the graph's checkpointer.
        trace: a folder to write the trace into.
        on_event: told every event as it happens.

    Raises:
        UserError: the conversation or its images can't be used.
        AccessDenied: the context is none, or the conversation belongs to another patient.
        ModelError: the model server does not answer.
    """
    final: dict[str, Any] = {}
    with Recorder(trace) as recorder:
        config: Any = {"callbacks": [recorder]}
        if thread is not None:
            config["configurable"] = {"thread_id": thread}
        given = {"messages": list(messages)}
        async with aclosing(stream_events(graph, given, config, context=context)) as events:
            async for event in events:
                if on_event:
                    on_event(event)
                if event.kind == "final":
                    final = event.data
    reading: Reading = final["reading"]
    return Progressed(
        answer=reading.text,
        letter=final["letter"],
        regions=tuple(final["regions"]),
        records=tuple(ShownRecord.of(item) for item in final["records"]),
        citations=reading.citations,
        answered_by=reading.answered_by,
        flags=tuple(final["flags"]),
        usage=recorder.usage,
        timings=recorder.timings,
    )
