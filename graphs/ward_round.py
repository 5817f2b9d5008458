"""The graph `ward_round`: one conversation, each question sent to the right specialist.

A router chooses between the medication adviser, the diagnostician and the historian; what belongs to none of them is
answered by saying so. All see the same conversation, a long one compacted by the rule of `agents/compacting.py`. The
historian answers only where the run names a patient; else what is missing is said.
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
from ..agents.reading_records import NumberedRecord, Reading
from ..agents.router import Specialist, route
from ..agents.rules import is_small_talk, is_thanks, last_question
from ..agents.streaming import emit
from ..agents.turn import Answer, Flag, MedicineSearch, merge_flags
from ..corpora.patients import Bound, PatientStore, Region, RunContext, keep_bound
from ..corpora.words import has_chinese
from . import consultation, diagnosis, progression
from .progression import bound_by_run, grant_of_run

_TEXTS: Final = {
    "hello": (
        "Hello. Ask me about a medicine, tell me a case and I will say what it may be, or ask what changed between "
        "two films of a patient.",
        "您好。您可以问药品方面的问题，告诉我病例，我给出可能的诊断，或者问患者两次胸片之间的变化。",
    ),
    "welcome": ("You are welcome.", "不客气。"),
    "none": (
        "That belongs to none of us here: one of us answers questions about medicines from their leaflets, another "
        "reads a case (what happened, what was found) and names what it may be, a third compares a patient's chest "
        "films. Please ask one of these.",
        "这个问题不属于我们的范围：我们可以根据说明书回答药品问题，根据病例给出可能的诊断，或者比较患者的胸片。",
    ),
    "no_patient": (
        "To say what changed between films I need to know whose they are, and this conversation names no patient. "
        "Begin it with the patient and the current study (`wardround round --patient P --study S`), or ask once with "
        "`wardround progress`.",
        "比较胸片需要知道是哪位患者的，而本次对话没有指定患者。请用 `wardround round --patient P --study S` 重新开始。",
    ),
}


class WardRoundInput(TypedDict):
    """What a run starts from."""

    messages: Annotated[list[AnyMessage], add_messages]


class WardRoundState(WardRoundInput):
    """The state. All but `messages`, `specialist` and `bound` belongs to one turn."""

    specialist: Specialist
    """Who answered."""
    flags: Annotated[list[Flag], merge_flags]
    answer: Answer | None
    """Of the medication adviser; its citations point into `evidence`."""
    evidence: list[EvidenceItem]
    differential: Differential | None
    """Of the diagnostician."""
    reading: Reading | None
    """Of the historian; its citations point into `records`."""
    letter: str | None
    records: list[NumberedRecord]
    regions: list[Region]
    bound: Annotated[Bound | None, keep_bound]
    """The patient that the conversation belongs to, once it belongs to one."""


_TAKEN: Final = ("answer", "evidence", "differential", "reading", "letter", "records", "regions", "flags")
"""What is taken over from a specialist's result."""
Compiled = CompiledStateGraph[WardRoundState, RunContext, WardRoundInput, WardRoundState]
Specialists = CompiledStateGraph[Any, Any, Any, Any]


def build(
    *,
    model: BaseChatModel,
    medicines: MedicineSearch,
    adviser: Specialists | None = None,
    diagnostician: Specialists | None = None,
    historian: Specialists | None = None,
    patients: PatientStore | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Compiled:
    """Compile the graph: route, then one of the specialists, or a plain answer.

    Args:
        model: routes (if it is strong; else a rule does), advises and diagnoses.
        medicines: the database.
        adviser: answers about medicines instead of `consultation`; any graph that ends with `messages`.
        diagnostician: instead of `diagnosis`; with a review in it, the ward round waits where it waits.
        historian: instead of `progression`.
        patients: the records that the historian reads, under the grant of the run's context.
        checkpointer: any of LangGraph's; with it a run is given only what is new in the conversation.
    """
    builder = StateGraph(
        WardRoundState, context_schema=RunContext, input_schema=WardRoundInput, output_schema=WardRoundState
    )
    builder.add_node("route", _router(model, medicines))
    by_name: dict[str, Specialists] = {
        Specialist.CONSULTATION.value: adviser or consultation.build(model=model, medicines=medicines),
        Specialist.DIAGNOSIS.value: diagnostician or diagnosis.build(model=model),
        Specialist.PROGRESSION.value: historian or progression.build(model=model, store=patients),
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
    return Specialist.NONE.value if _lacks_patient(state["specialist"]) else state["specialist"].value


def _router(model: BaseChatModel, medicines: MedicineSearch) -> Node[WardRoundState, dict[str, Any]]:
    async def choose(state: WardRoundState, config: RunnableConfig) -> dict[str, Any]:
        bound = bound_by_run(state.get("bound"))
        seen = compacted(state["messages"], medicines)
        check_dialogue(seen)
        before = state.get("specialist")
        chosen, problem = await route(model, seen, medicines, config, before=before)
        if chosen is not Specialist.NONE and not _lacks_patient(chosen):
            emit("hand_over", to=chosen.value, before=before.value if before else None)
        text = f"A rule sent the question to `{chosen.value}`: {problem}."
        return {
            **bound,
            "specialist": chosen,
            "flags": Overwrite([Flag(kind="fallback", text=text)] if problem else []),
            "answer": None,
            "evidence": [],
            "differential": None,
            "reading": None,
            "letter": None,
            "records": [],
            "regions": [],
        }

    return node(choose, "route")


def _lacks_patient(specialist: Specialist) -> bool:
    """Whether the specialist needs a patient and the run names none."""
    return specialist is Specialist.PROGRESSION and grant_of_run() is None


def _asked(graph: Specialists, name: str, medicines: MedicineSearch) -> Node[WardRoundState, dict[str, Any]]:
    """A node that puts the conversation to a specialist's graph and takes its answer over."""

    async def ask(state: WardRoundState, config: RunnableConfig) -> dict[str, Any]:
        seen = compacted(state["messages"], medicines)
        final = cast("dict[str, Any]", await graph.ainvoke({"messages": seen}, config))
        messages: Sequence[AnyMessage] = final["messages"]
        taken = {key: final[key] for key in _TAKEN if key in final}
        return {**taken, "messages": [AIMessage(messages[-1].text, name=name)]}

    return node(ask, name)


def _declined() -> Node[WardRoundState, dict[str, Any]]:
    async def decline(state: WardRoundState, _config: RunnableConfig) -> dict[str, Any]:
        last = last_question(state["messages"])
        which = "none" if not is_small_talk(last) else "welcome" if is_thanks(last) else "hello"
        if state["specialist"] is Specialist.PROGRESSION:
            which = "no_patient"
        text = _TEXTS[which][1 if has_chinese(last) else 0]
        emit("text", text=text)
        return {"messages": [AIMessage(text)]}

    return node(decline, Specialist.NONE.value)
