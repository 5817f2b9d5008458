"""Baselines for Distill-Retrieve-Read: search with the conversation as it stands, or with rules instead of a model."""

from __future__ import annotations

from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from ..agents.distiller import DistillerInput, DistillerOutput
from ..agents.node import Node, node
from ..agents.reader import Mode
from ..agents.rules import completed, rule_calls
from ..agents.turn import DistilledBy, MedicineSearch
from .answering import add_answering
from .opening import opener
from .retrieving import RetrieverInput, raw_retriever, retriever
from .state import ConsultationInput, ConsultationOutput, ConsultationState

Compiled = CompiledStateGraph[ConsultationState, Any, ConsultationInput, ConsultationOutput]


def build(
    *,
    model: BaseChatModel,
    medicines: MedicineSearch,
    query: Literal["dialogue", "last_turn"] = "dialogue",
    mode: Mode | None = None,
    k: int = 6,
) -> Compiled:
    """Compile the usual order: search with the whole conversation or the last turn, then read.

    Search and reader are those of `consultation`, so that only the distilling differs.
    """
    builder = _builder()
    builder.add_node("retrieve", raw_retriever(medicines, query=query, k=k), input_schema=RetrieverInput)
    add_answering(builder, model, medicines, mode=mode)
    builder.add_edge("open", "retrieve")
    builder.add_conditional_edges("retrieve", _after_retrieve, ["read", "reply"])
    return builder.compile(name=f"retrieve_then_read_{query}")


def build_by_rules(*, medicines: MedicineSearch, k: int = 3) -> Compiled:
    """Compile the baseline without any model: linked names, cue words for attributes, quotes for an answer."""
    builder = _builder()
    builder.add_node("distill", rule_distiller(medicines), input_schema=DistillerInput)
    builder.add_node("retrieve", retriever(medicines, k=k), input_schema=RetrieverInput)
    add_answering(builder, None, medicines)
    builder.add_edge("open", "distill")
    builder.add_conditional_edges("distill", _after_distill, ["retrieve", "reply"])
    builder.add_conditional_edges("retrieve", _to_quotes, ["quote", "reply"])
    return builder.compile(name="by_rules")


def rule_distiller(medicines: MedicineSearch) -> Node[DistillerInput, DistillerOutput]:
    """A node that distills by rules alone."""

    async def distill(state: DistillerInput, _config: RunnableConfig) -> DistillerOutput:
        messages = list(state["messages"])
        calls = rule_calls(messages, medicines, distilled_by=DistilledBy.RULE)
        return {"calls": completed(calls, messages, state.get("urgency"), medicines), "flags": []}

    return node(distill, "distill")


def _after_distill(state: ConsultationState) -> str:
    return "retrieve" if state["calls"] else "reply"


def _after_retrieve(state: ConsultationState) -> str:
    return "read" if state["evidence"] else "reply"


def _to_quotes(state: ConsultationState) -> str:
    return "quote" if state["evidence"] else "reply"


def _builder() -> StateGraph[ConsultationState, Any, ConsultationInput, ConsultationOutput]:
    builder = StateGraph(ConsultationState, input_schema=ConsultationInput, output_schema=ConsultationOutput)
    builder.add_node("open", opener(), input_schema=ConsultationInput)
    builder.add_edge(START, "open")
    return builder
