"""The answering half that all consultation graphs share: read, check, repair once, else quote, and finish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, StateGraph

from ..agents.checking import EvidenceItem, citations_of
from ..agents.node import Node, node
from ..agents.reader import (
    Draft,
    Mode,
    QuoterInput,
    ReaderInput,
    RepairInput,
    quoter,
    reader,
    repairer,
)
from ..agents.rules import is_small_talk, is_thanks, last_question
from ..agents.streaming import emit
from ..agents.turn import Answer, AnsweredBy, Call, Flag, MedicineSearch
from ..agents.urgency import Urgency, what_to_do
from ..corpora.words import has_chinese
from .state import ConsultationState

_TEXTS: Final = {
    "hello": (
        "Hello. Ask me about a medicine: what it is for, how to take it, what it goes with, what to watch for.",
        "您好。您可以问我药品的适应症、用法用量、相互作用、不良反应和注意事项。",
    ),
    "welcome": ("You are welcome. Ask me again whenever you like.", "不客气。有问题请随时再问。"),
    "which": (
        "Which medicine do you mean? Please tell me its name, or the complaint you want a medicine for.",
        "请问您问的是哪种药？请告诉我药名，或者需要用药的症状。",
    ),
    "nothing": (
        "I found nothing about this in the medicine database. Please ask a pharmacist or your doctor.",
        "药品数据库中没有找到相关内容。请咨询药师或医生。",
    ),
}


class FinishInput(TypedDict):
    """State the finishing nodes read."""

    messages: Sequence[AnyMessage]
    urgency: Urgency | None
    calls: Sequence[Call]
    evidence: Sequence[EvidenceItem]
    flags: Sequence[Flag]
    draft: Draft | None


def add_answering(
    builder: StateGraph[Any, Any, Any, Any],
    model: BaseChatModel | None,
    medicines: MedicineSearch,
    *,
    mode: Mode | None = None,
) -> None:
    """Add the nodes `read`, `repair`, `quote`, `finish` and `reply` and the edges between them.

    The graph's own nodes lead to `read` (to `quote` where there is no model), or to `reply` without evidence.
    """
    builder.add_node("quote", quoter(), input_schema=QuoterInput)
    builder.add_node("finish", finisher(), input_schema=FinishInput)
    builder.add_node("reply", replier(), input_schema=FinishInput)
    if model is not None:
        builder.add_node("read", reader(model, medicines, mode=mode), input_schema=ReaderInput)
        builder.add_node("repair", repairer(model, medicines), input_schema=RepairInput)
        builder.add_conditional_edges("read", _after_read, ["finish", "repair"])
        builder.add_conditional_edges("repair", _after_repair, ["finish", "quote"])
    builder.add_edge("quote", "finish")
    builder.add_edge("finish", END)
    builder.add_edge("reply", END)


def _after_read(state: ConsultationState) -> str:
    return "repair" if state["draft"] and state["draft"].problems else "finish"


def _after_repair(state: ConsultationState) -> str:
    return "quote" if state["draft"] and state["draft"].problems else "finish"


def finisher() -> Node[FinishInput, dict[str, Any]]:
    """A node that makes the answer: what to do now first, then what was not found, then the draft's sentences."""

    async def finish(state: FinishInput, _config: RunnableConfig) -> dict[str, Any]:
        draft = state["draft"]
        if draft is None or not draft.sentences:
            return _fixed(state, "nothing")
        body = draft.text
        text = "\n\n".join([*_lead(state), *_missing(state), body])
        answer = Answer(
            text=text,
            citations=tuple(citations_of(body, state["evidence"])),
            answered_by=draft.answered_by,
        )
        return _done(answer, [])

    return node(finish, "finish")


def replier() -> Node[FinishInput, dict[str, Any]]:
    """A node for turns without evidence: a greeting, a question for the medicine's name, or that nothing was found."""

    async def reply(state: FinishInput, _config: RunnableConfig) -> dict[str, Any]:
        if state["calls"]:
            return _fixed(state, "nothing")
        said = last_question(state["messages"])
        if not is_small_talk(said):
            return _fixed(state, "which")
        return _fixed(state, "welcome" if is_thanks(said) else "hello")

    return node(reply, "reply")


def _fixed(state: FinishInput, which: str) -> dict[str, Any]:
    text = _TEXTS[which][1 if has_chinese(last_question(state["messages"])) else 0]
    emit("text", text=text)
    answer = Answer(text="\n\n".join([*_lead(state), *_missing(state), text]), answered_by=AnsweredBy.RULE)
    flags = [Flag(kind="nothing_found", text="Nothing was found that answers.")] if which == "nothing" else []
    return _done(answer, flags)


def _missing(state: FinishInput) -> list[str]:
    """What the database does not have, said plainly before anything it does have."""
    return [f.text for f in state["flags"] if f.kind in ("attribute_missing", "medicine_not_found")]


def _lead(state: FinishInput) -> list[str]:
    """What to do now, in an emergency."""
    if not state["urgency"]:
        return []
    chinese = has_chinese(last_question(state["messages"]))
    return [what_to_do(state["urgency"].kind, "zh" if chinese else "en")]


def _done(answer: Answer, flags: list[Flag]) -> dict[str, Any]:
    return {"answer": answer, "flags": flags, "messages": [AIMessage(answer.text)]}
