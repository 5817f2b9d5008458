"""Graphs that search and do not read: what HR@k needs, in seconds instead of minutes.

WARDROUND_CORPUS=INDEX wardround eval medicineqa --data DATA --corpus INDEX --graph perf.distilled_search:NAME --out RUN

NAME is `tuned` (the shipped adapter), `untuned`, `rules`, `dialogue` (search with the whole conversation) or
`last_turn`. Another adapter: WARDROUND_MODEL=local:FOLDER and NAME `chosen`.
"""

from __future__ import annotations

from typing import Any

from langgraph.graph import END, START, StateGraph
from wardround.agents.distiller import distiller
from wardround.agents.turn import Answer, AnsweredBy
from wardround.corpora import open_corpus
from wardround.graphs.opening import opener
from wardround.graphs.retrieve_then_read import rule_distiller
from wardround.graphs.retrieving import raw_retriever, retriever
from wardround.graphs.state import ConsultationInput, ConsultationOutput, ConsultationState
from wardround.models import chat_model

NOT_READ = Answer(text="(searched, not read)", answered_by=AnsweredBy.RULE)


def _not_read(state: ConsultationState) -> dict[str, Answer]:  # noqa: ARG001 - a node has a state
    return {"answer": NOT_READ}


def _graph(distil: Any, retrieve: Any) -> Any:
    builder = StateGraph(ConsultationState, input_schema=ConsultationInput, output_schema=ConsultationOutput)
    builder.add_node("open", opener(), input_schema=ConsultationInput)
    builder.add_node("retrieve", retrieve)
    builder.add_node("finish", _not_read)
    builder.add_edge(START, "open")
    if distil is None:
        builder.add_edge("open", "retrieve")
    else:
        builder.add_node("distill", distil)
        builder.add_edge("open", "distill")
        builder.add_conditional_edges("distill", lambda state: "retrieve" if state["calls"] else "finish")
    builder.add_edge("retrieve", "finish")
    builder.add_edge("finish", END)
    return builder.compile(name="distilled_search")


def _with(spec: str | None) -> Any:
    medicines = open_corpus()
    return _graph(distiller(chat_model(spec), medicines), retriever(medicines))


def tuned() -> Any:
    """The embedded model with the shipped adapter."""
    return _with("local")


def untuned() -> Any:
    """The embedded model as it is."""
    return _with("local-plain")


def chosen() -> Any:
    """The model of the settings."""
    return _with(None)


def rules() -> Any:
    """No model."""
    medicines = open_corpus()
    return _graph(rule_distiller(medicines), retriever(medicines))


def dialogue() -> Any:
    """The whole conversation as the query."""
    return _graph(None, raw_retriever(open_corpus(), query="dialogue"))


def last_turn() -> Any:
    """The last turn as the query."""
    return _graph(None, raw_retriever(open_corpus(), query="last_turn"))
