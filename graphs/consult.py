"""Ask one question and get everything back: the answer, what it rests on, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Self

from langchain_core.messages import AnyMessage
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel, ConfigDict

from ..agents.checking import Citation
from ..agents.turn import Answer, AnsweredBy, Call, DistilledBy, Flag
from ..corpora.medicines import Passage
from .events import Event, stream_events
from .trace import Recorder


class EvidenceShown(BaseModel):
    """A retrieved passage as a consultation reports it."""

    model_config = ConfigDict(frozen=True)
    n: int
    passage_id: str
    medicine_id: str
    medicine: str
    attribute: str
    text: str
    source: str
    source_id: str
    date: str | None

    @classmethod
    def of(cls, n: int, passage: Passage) -> Self:
        """The passage that citations call `n`."""
        return cls(
            n=n,
            passage_id=passage.id,
            medicine_id=passage.medicine_id,
            medicine=passage.medicine,
            attribute=passage.attribute.value,
            text=passage.text,
            source=passage.source.name,
            source_id=passage.source.id,
            date=passage.source.date,
        )


class Consultation(BaseModel):
    """The whole result of one turn; `model_dump_json()` is what `wardround consult --json` prints."""

    model_config = ConfigDict(frozen=True)
    answer: str
    answered_by: AnsweredBy
    distilled_by: DistilledBy | None
    """Of the first call that no rule added; `rule` if rules made all, None where no search was made."""
    citations: tuple[Citation, ...]
    evidence: tuple[EvidenceShown, ...]
    calls: tuple[Call, ...]
    flags: tuple[Flag, ...]
    usage: dict[str, int]
    """Tokens in and out and the number of model calls."""
    timings: dict[str, float]
    """Seconds, by node and in total."""


async def consult(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    messages: Sequence[AnyMessage],
    *,
    trace: Path | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Consultation:
    """Run a consultation graph on a conversation.

    Args:
        graph: `consultation`, a baseline, or a user's own graph with the same output.
        messages: the conversation, the last one the person's.
        trace: a folder to write the trace into.
        on_event: told every event as it happens.

    Raises:
        UserError: the conversation cannot be answered.
        ModelError: the model server does not answer.
    """
    final: dict[str, Any] = {}
    with Recorder(trace) as recorder:
        stream = stream_events(graph, {"messages": list(messages)}, {"callbacks": [recorder]})
        async with aclosing(stream) as events:  # stops the model, too, where `on_event` raises
            async for event in events:
                if on_event:
                    on_event(event)
                final = event.data
    return result_of(final, usage=recorder.usage, timings=recorder.timings)


def result_of(
    final: Mapping[str, Any], *, usage: Mapping[str, int] | None = None, timings: Mapping[str, float] | None = None
) -> Consultation:
    """The Consultation of a consultation graph's final state; what was not measured is left empty."""
    answer: Answer = final["answer"]
    calls: list[Call] = final["calls"]
    return Consultation(
        answer=answer.text,
        answered_by=answer.answered_by,
        distilled_by=next((c.distilled_by for c in calls if c.distilled_by is not DistilledBy.RULE), _first(calls)),
        citations=answer.citations,
        evidence=tuple(EvidenceShown.of(item.n, item.passage) for item in final["evidence"]),
        calls=tuple(calls),
        flags=tuple(final["flags"]),
        usage=dict(usage or {}),
        timings=dict(timings or {}),
    )


def _first(calls: Sequence[Call]) -> DistilledBy | None:
    return calls[0].distilled_by if calls else None
