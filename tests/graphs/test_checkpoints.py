from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Overwrite
from pydantic import BaseModel
from wardround.agents.turn import Flag
from wardround.corpora import Corpus
from wardround.errors import UserError
from wardround.graphs import consultation
from wardround.graphs.checkpoints import CheckpointError, serializer


class Foreign(BaseModel):
    x: int


def rules(medicine: str, attribute: str, answer: str) -> list[dict[str, Any]]:
    args = {"medicine": medicine, "attribute": attribute, "keywords": ""}
    call = {"tool_calls": [{"name": "search_medicine", "args": args}]}
    return [
        {"role": "distiller", "last": medicine, "times": 1, "reply": call},
        {"role": "reader", "when": medicine, "times": 1, "reply": {"content": answer}},
    ]


TWO_TURNS = [
    *rules("ibuprofen", "dosage", "Take 800 mg."),
    {
        "role": "reader",
        "times": 1,
        "reply": {"content": "There is no specific antidote for an overdose of ibuprofen [1]."},
    },
    *rules("warfarin", "boxed_warning", "Warfarin can cause major bleeding [1]."),
]


@pytest.mark.parametrize("saver", [InMemorySaver, lambda: InMemorySaver(serde=serializer())], ids=["plain", "strict"])
def test_a_second_turn_starts_with_empty_evidence_and_keeps_the_conversation(
    scripted: Callable[..., Any], essential: Corpus, saver: Callable[[], Any]
) -> None:
    graph = consultation.build(model=scripted(*TWO_TURNS), medicines=essential, checkpointer=saver())
    config: Any = {"configurable": {"thread_id": "1"}}
    first = graph.invoke({"messages": [HumanMessage("I just took 60 ibuprofen")]}, config)
    assert first["answer"].answered_by.value == "repair"
    assert {f.kind for f in first["flags"]} == {"urgent"}
    graph.invoke({"messages": [HumanMessage("thanks")]}, config)
    second = graph.invoke({"messages": [HumanMessage("What is the warning on warfarin?")]}, config)
    assert {item.passage.medicine for item in second["evidence"]} == {"Warfarin"}
    assert [item.n for item in second["evidence"]] == [1, 2, 3]
    assert (second["flags"], second["answer"].answered_by.value) == ([], "model")
    assert len(second["messages"]) == 6


def test_what_is_read_back_is_what_was_there(scripted: Callable[..., Any], essential: Corpus) -> None:
    graph = consultation.build(
        model=scripted(*TWO_TURNS), medicines=essential, checkpointer=InMemorySaver(serde=serializer())
    )
    config: Any = {"configurable": {"thread_id": "1"}}
    result = graph.invoke({"messages": [HumanMessage("I just took 60 ibuprofen")]}, config)
    kept = asyncio.run(graph.aget_state(config)).values
    for field in ("answer", "calls", "evidence", "flags", "messages"):
        assert kept[field] == result[field]
    assert (type(kept["draft"]).__name__, type(kept["urgency"]).__name__) == ("Draft", "Urgency")


def test_types_of_others_are_not_written() -> None:
    for value in (Foreign(x=1), {"deep": [Foreign(x=1)]}, Overwrite([Foreign(x=1)])):
        with pytest.raises(UserError, match=r"Foreign.*also="):
            serializer().dumps_typed(value)


def test_types_of_others_are_not_read() -> None:
    for value in (Foreign(x=1), {"deep": [Foreign(x=1)]}, Overwrite([Foreign(x=1)])):
        with pytest.raises(CheckpointError, match="Foreign"):
            serializer().loads_typed(JsonPlusSerializer().dumps_typed(value))


def test_a_row_that_names_a_function_calls_nothing() -> None:
    import ormsgpack

    inner = ormsgpack.packb(("os", "system", ("exit 3",)))
    row = ("msgpack", ormsgpack.packb({"x": ormsgpack.Ext(1, inner)}))
    with pytest.raises(CheckpointError, match=r"os\.system"):
        serializer().loads_typed(row)


@pytest.mark.parametrize("kind", ["json", "pickle", "msgpack+aes"])
def test_other_forms_of_rows_are_refused(kind: str) -> None:
    with pytest.raises(CheckpointError, match="form"):
        serializer().loads_typed((kind, b"{}"))


def test_a_type_may_be_allowed() -> None:
    allowing = serializer(also=[Foreign])
    assert allowing.loads_typed(allowing.dumps_typed([Foreign(x=1), Flag(kind="a", text="b"), b"x", None])) == [
        Foreign(x=1), Flag(kind="a", text="b"), b"x", None,
    ]  # fmt: skip


def test_an_allowlist_of_the_graphs_own_widens_nothing() -> None:
    with pytest.raises(UserError):
        serializer().with_msgpack_allowlist([Foreign]).dumps_typed(Foreign(x=1))


def test_importing_wardround_makes_langgraph_strict() -> None:
    told = "import wardround, langgraph.checkpoint.serde._msgpack as m; print(m.STRICT_MSGPACK_ENABLED)"
    environment = {k: v for k, v in os.environ.items() if k != "LANGGRAPH_STRICT_MSGPACK"}
    ran = subprocess.run(
        [sys.executable, "-c", told], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "True"
