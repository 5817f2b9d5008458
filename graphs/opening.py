"""The first node of a turn: empties what belongs to the last one, and sees whether the matter is urgent."""

from __future__ import annotations

from typing import Any, Final

from langchain_core.runnables import RunnableConfig
from langgraph.types import Overwrite

from ..agents.dialogue import check_dialogue, user_turns
from ..agents.node import Node, node
from ..agents.streaming import emit
from ..agents.turn import Flag
from ..agents.urgency import urgent, what_to_do
from ..corpora.words import has_chinese
from .state import ConsultationInput

_TURNS_READ: Final = 2
"""An emergency told this many turns ago still leads the answer; an older one has been answered."""


def opener() -> Node[ConsultationInput, dict[str, Any]]:
    """A node that opens a turn.

    Raises (the node):
        UserError: the conversation does not end with a question.
    """

    async def open_turn(state: ConsultationInput, _config: RunnableConfig) -> dict[str, Any]:
        messages = state["messages"]
        check_dialogue(messages)
        urgency = urgent("\n".join(user_turns(messages)[-_TURNS_READ:]))
        flags: list[Flag] = []
        if urgency:
            text = what_to_do(urgency.kind, "zh" if has_chinese(messages[-1].text) else "en")
            emit("text", text=text, lasting=True)
            flags.append(Flag(kind="urgent", text=f"Taken as urgent ({urgency.kind.value})."))
        return {
            "urgency": urgency,
            "calls": [],
            "evidence": Overwrite([]),
            "flags": Overwrite(flags),
            "draft": None,
        }

    return node(open_turn, "open")
