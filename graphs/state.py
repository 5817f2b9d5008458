"""State and reducers shared by the graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages

from ..agents.checking import EvidenceItem
from ..agents.reader import Draft
from ..agents.turn import Answer, Call, Flag, merge_flags
from ..agents.urgency import Urgency


def merge_evidence(old: Sequence[EvidenceItem], new: Sequence[EvidenceItem]) -> list[EvidenceItem]:
    """Both, each passage once, numbered from 1 in order of arrival; numbers once given never change."""
    merged = {item.passage.id: item for item in old}
    for item in new:
        if item.passage.id not in merged:
            merged[item.passage.id] = item.model_copy(update={"n": len(merged) + 1})
    return list(merged.values())


class ConsultationInput(TypedDict):
    """What a run starts from."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The conversation, ending with the person's question. With a checkpointer: what is new in it."""


class ConsultationOutput(TypedDict):
    """What a run ends with. `messages` has the answer appended."""

    messages: Annotated[list[AnyMessage], add_messages]
    answer: Answer
    calls: list[Call]
    evidence: Annotated[list[EvidenceItem], merge_evidence]
    flags: Annotated[list[Flag], merge_flags]


class ConsultationState(ConsultationOutput):
    """The whole state. All but `messages` belongs to one turn and is emptied when the next begins."""

    urgency: Urgency | None
    draft: Draft | None
