"""The graph `ward_round`: one conversation, each question sent to the right specialist.

A router chooses between the medication adviser and the diagnostician; what belongs to neither is answered by saying so.
Both see the same conversation, a long one compacted by the rule of `agents/compacting.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypedDict, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Overwrite

from ..agents.checking import EvidenceItem
from ..agents.compacting import compacted
from ..agents.dialogue import check_dialogue
from ..agents.differential import Differential
from ..agents.node import Node, node
from ..agents.router import Specialist, route
from ..agents.rules import is_small_talk, is_thanks, last_question
from ..agents.streaming import emit
from ..agents.turn import Answer, Flag, MedicineSearch, merge_flags
from ..corpora.words import has_chinese
from . import consultation, diagnosis

_TEXTS: Final = {
    "hello": (
        "Hello. Ask me about a medicine, or tell me a case and I will say what it may be.",
        "您好。您可以问药品方面的问题，或者告诉我病例，我给出可能的诊断。",
    ),
    "welcome": ("You are welcome.", "不客气。"),
    "none": (
        "That belongs to none of us here: one of us answers questions about medicines from their leaflets, another "
        "reads a case (what happened, what was found) and names what it may be. Please ask one of these.",
        "这个问题不属于我们的范围：我们可以根据说明书回答药品问题，或者根据病例给出可能的诊断。",
    ),
}


class WardRoundInput(TypedDict):
    """What a run starts from."""

    messages: Annotated[list[AnyMessage], add_messages]


class WardRoundState(WardRoundInput):
    """The state. All but `messages` and `specialist` belongs to one turn."""

    specialist: Specialist
    """Who answered."""
    flags: Annotated[list[Flag], merge_flags]
    answer: Answer | None
    """Of the medication adviser; its citations point into `evidence`."""
    evidence: list[EvidenceItem]
    differential: Differential | None
    """Of the diagnostician."""


Compiled = CompiledStateGraph[WardRoundState, Any, WardRoundInput, WardRoundState]
Specialists = CompiledStateGraph[Any, Any, Any, Any]


def build(
    *,
    model: BaseChatModel,
    medicines: MedicineSearch,
    adviser: Specialists | None = None,
    diagnostician: Specialists | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Compiled:
    """Compile the graph: route, then one of the specialists, or a plain answer.

    Args:
        model: routes (if it is strong; else a rule does), advises and diagnoses.
        medicines: the database.
        adviser: answers about medicines instead of `consultation`; any graph that ends with `messages`.
        diagnostician: instead of `diagnosis`; with a review in it, the ward round waits where it waits.
        checkpointer: any of LangGraph's; with it a run is given only what is new in the conversation.
    """
    builder = StateGraph(WardRoundState, input_schema=WardRoundInput, output_schema=WardRoundState)
    builder.add_node("route", _router(model, medicines))
    by_name: dict[str, Specialists] = {
        Specialist.CONSULTATION.value: adviser or consultation.build(model=model, medicines=medicines),
        Specialist.DIAGNOSIS.value: diagnostician or diagnosis.build(model=model),
    }
    for name, graph in by_name.items():
        builder.add_node(name, _asked(graph, name, medicines))
        builder.add_edge(name, END)
    builder.add_node(Specialist.NONE.value, _declined())
    builder.add_edge(Specialist.NONE.value, END)
    builder.add_edge(START, "route")
    builder.add_conditional_edges("route", _chosen, [s.value for s in Specialist])
    return builder.compile(checkpointer=checkpointer, name="ward_round")


def _chosen(state: WardRoundState) -> str:
    return state["specialist"].value


def _router(model: BaseChatModel, medicines: MedicineSearch) -> Node[WardRoundState, dict[str, Any]]:
    async def choose(state: WardRoundState, config: RunnableConfig) -> dict[str, Any]:
        seen = compacted(state["messages"], medicines)
        check_dialogue(seen)
        before = state.get("specialist")
        chosen, problem = await route(model, seen, medicines, config, before=before)
        if chosen is not Specialist.NONE:
            emit("hand_over", to=chosen.value, before=before.value if before else None)
        text = f"A rule sent the question to `{chosen.value}`: {problem}."
        return {
            "specialist": chosen,
            "flags": Overwrite([Flag(kind="fallback", text=text)] if problem else []),
            "answer": None,
            "evidence": [],
            "differential": None,
        }

    return node(choose, "route")


def _asked(graph: Specialists, name: str, medicines: MedicineSearch) -> Node[WardRoundState, dict[str, Any]]:
    """A node that puts the conversation to a specialist's graph and takes its answer over."""

    async def ask(state: WardRoundState, config: RunnableConfig) -> dict[str, Any]:
        seen = compacted(state["messages"], medicines)
        final = cast("dict[str, Any]", await graph.ainvoke({"messages": seen}, config))
        messages: Sequence[AnyMessage] = final["messages"]
        taken = {key: final[key] for key in ("answer", "evidence", "differential", "flags") if key in final}
        return {**taken, "messages": [AIMessage(messages[-1].text, name=name)]}

    return node(ask, name)


def _declined() -> Node[WardRoundState, dict[str, Any]]:
    async def decline(state: WardRoundState, _config: RunnableConfig) -> dict[str, Any]:
        last = last_question(state["messages"])
        which = "none" if not is_small_talk(last) else "welcome" if is_thanks(last) else "hello"
        text = _TEXTS[which][1 if has_chinese(last) else 0]
        emit("text", text=text)
        return {"messages": [AIMessage(text)]}

    return node(decline, Specialist.NONE.value)
