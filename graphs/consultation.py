"""The graph `consultation`: Distill-Retrieve-Read, after MedicineQA / RagPULSE (arXiv 2404.17897)."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from ..agents.distiller import DistillerInput, distiller
from ..agents.reader import Mode
from ..agents.turn import MedicineSearch
from .answering import add_answering
from .opening import opener
from .retrieving import RetrieverInput, retriever
from .state import ConsultationInput, ConsultationOutput, ConsultationState

Compiled = CompiledStateGraph[ConsultationState, Any, ConsultationInput, ConsultationOutput]


def build(
    *,
    model: BaseChatModel,
    medicines: MedicineSearch,
    reader_model: BaseChatModel | None = None,
    mode: Mode | None = None,
    k: int = 3,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Compiled:
    """Compile the graph: open, distill, retrieve, read, and where the answer fails its check, repair and quote.

    Args:
        model: distills and reads.
        medicines: the database; `Corpus` or anything with its `search`, `mentions` and `medicine`.
        reader_model: reads instead of `model`.
        mode: `free` or `quotes`; None takes quotes for weak models.
        k: passages a call.
        checkpointer: any of LangGraph's; keeps the conversation between calls with one `thread_id`.

    The result takes `{"messages": [...]}` and gives `answer`, `calls`, `evidence`, `flags` and the messages.
    """
    builder = StateGraph(ConsultationState, input_schema=ConsultationInput, output_schema=ConsultationOutput)
    builder.add_node("open", opener(), input_schema=ConsultationInput)
    builder.add_node("distill", distiller(model, medicines), input_schema=DistillerInput)
    builder.add_node("retrieve", retriever(medicines, k=k), input_schema=RetrieverInput)
    add_answering(builder, reader_model or model, medicines, mode=mode)
    builder.add_edge(START, "open")
    builder.add_edge("open", "distill")
    builder.add_conditional_edges("distill", _after_distill, ["retrieve", "reply"])
    builder.add_conditional_edges("retrieve", _after_retrieve, ["read", "reply"])
    return builder.compile(checkpointer=checkpointer, name="consultation")


def _after_distill(state: ConsultationState) -> str:
    return "retrieve" if state["calls"] else "reply"


def _after_retrieve(state: ConsultationState) -> str:
    return "read" if state["evidence"] else "reply"
