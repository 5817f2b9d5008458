"""The tool `patient_history` in a LangGraph graph: what a model may name, and what it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
from invented_patients import EFFUSION, store_of
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime
from pydantic import BaseModel
from typing_extensions import TypedDict
from wardround.corpora.patients import (
    OWNER,
    Bound,
    Comparisons,
    History,
    PatientStore,
    RunContext,
    binding,
    issue,
    keep_bound,
)
from wardround.errors import AccessDenied
from wardround.tools.patient_history import patient_history

CHANGED = "FINDINGS: Unchanged left effusion. The heart is large."


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    bound: Annotated[Bound | None, keep_bound]


def bind(state: State, runtime: Runtime[RunContext]) -> dict[str, Any]:  # noqa: ARG001 - LangGraph goes by the name
    return {"bound": binding(runtime.context)}


def graph_of(store: PatientStore, saver: InMemorySaver | None = None, **options: Any) -> Any:
    builder = StateGraph(State, context_schema=RunContext)
    builder.add_node("bind", bind)
    builder.add_node("tools", ToolNode([patient_history(store, **options)]))
    builder.add_edge(START, "bind")
    builder.add_edge("bind", "tools")
    return builder.compile(checkpointer=saver)


def context(store: PatientStore, patient: str = "ada", study: str = "a3") -> RunContext:
    return RunContext(issue(store, OWNER, patient=patient, study=study))


def call(graph: Any, run_context: object, thread: str = "t", **arguments: object) -> ToolMessage:
    wanted = AIMessage("", tool_calls=[{"name": "patient_history", "args": arguments, "id": "1"}])
    config = {"configurable": {"thread_id": thread}}
    message = graph.invoke({"messages": [wanted]}, config, context=run_context)["messages"][-1]
    assert isinstance(message, ToolMessage)
    return message


@pytest.fixture
def store(tmp_path: Path) -> PatientStore:
    return store_of(
        tmp_path / "p.sqlite",
        ("a1", "ada", "2180-05-04", EFFUSION),
        ("a2", "ada", "2180-05-05T10:00:00", CHANGED),
        ("a3", "ada", "2180-05-06T10:00:00", "FINDINGS: Current."),
        ("a4", "ada", "2180-05-06T10:00:01", "FINDINGS: Later."),
        ("b1", "bob", "2180-05-01", "FINDINGS: Bob's nodule."),
    )


def test_a_model_sees_three_arguments_and_no_patient(store: PatientStore) -> None:
    schema = patient_history(store).tool_call_schema
    assert not isinstance(schema, dict)
    assert issubclass(schema, BaseModel)
    assert set(schema.model_json_schema()["properties"]) == {"region", "scope", "limit"}


def test_records_are_dated_delimited_blocks_with_comparisons_marked(store: PatientStore) -> None:
    message = call(graph_of(store), context(store), region="left base", scope="regional")
    assert message.text == (
        '<record n="1" date="2180-05-05" age="1 days before" scope="regional">\n'
        "Findings: <compares>Unchanged left effusion.</compares>\n</record>\n"
        '<record n="2" date="2180-05-04" age="2 days before" scope="regional">\n'
        "Findings: Small left pleural effusion.\nImpression: Small left pleural effusion.\n</record>"
    )
    assert isinstance(message.artifact, History)


def test_comparisons_are_left_unmarked_or_out_by_option(store: PatientStore) -> None:
    plain = call(graph_of(store, comparisons=Comparisons.PLAIN), context(store), limit=1)
    assert "Findings: Unchanged left effusion. The heart is large." in plain.text
    without = call(graph_of(store, comparisons=Comparisons.LEAVE_OUT), context(store), limit=1)
    assert "Unchanged" not in without.text


def test_that_there_is_more_is_said(store: PatientStore) -> None:
    assert "further earlier records" in call(graph_of(store), context(store), limit=1).text


def test_an_empty_history_is_said(store: PatientStore) -> None:
    text = call(graph_of(store), context(store, study="a1")).text
    assert text == "No earlier record: no study of this patient is known to be earlier than the current one."


def test_a_region_that_is_none_is_answered_with_the_names(store: PatientStore) -> None:
    for region in ("the knee", None):
        message = call(graph_of(store), context(store), region=region, scope="regional")
        assert "right costophrenic angle" in message.text
        assert message.artifact.records == ()


@pytest.mark.parametrize("name", ["patient", "patient_id", "study", "before", "runtime", "grant"])
def test_an_argument_that_names_a_patient_is_refused(store: PatientStore, name: str) -> None:
    message = call(graph_of(store), context(store), **{name: "bob"})
    assert "Bob" not in message.text
    if name != "runtime":  # LangGraph itself puts its own there
        assert message.status == "error"


@pytest.mark.parametrize("sent", [None, {}, {"grant": None}, {"grant": {"patient": "bob"}}, {"patient": "bob"}, "bob"])
def test_a_context_that_a_client_sends_opens_nothing(store: PatientStore, sent: object) -> None:
    with pytest.raises((AccessDenied, TypeError)):
        call(graph_of(store), sent)


def test_the_schema_of_the_context_offers_a_client_nothing_to_send(store: PatientStore) -> None:
    schema = graph_of(store).get_context_jsonschema()
    assert schema["properties"]["grant"]["anyOf"][0]["not"] == {}


def test_a_conversation_is_not_resumed_with_another_patient_or_an_earlier_study(store: PatientStore) -> None:
    graph = graph_of(store, InMemorySaver())
    call(graph, context(store, study="a3"))
    for other in (context(store, "bob", "b1"), context(store, study="a2")):
        with pytest.raises(AccessDenied, match="start a new one"):
            call(graph, other)
    assert "Bob" not in call(graph, context(store, study="a4")).text


def test_a_resumed_conversation_needs_a_grant_again(store: PatientStore) -> None:
    graph = graph_of(store, InMemorySaver())
    call(graph, context(store))
    with pytest.raises(AccessDenied):
        call(graph, None)
