"""A run that waits for a clinician, answered over the chat: as text, by Open WebUI's `ask_user`, after a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, TypedDict

import openai
import pytest
from cases import CASE, named
from chat_server import say
from gateway_server import Serve, Served
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt
from postgres_server import fresh_database
from pydantic import BaseModel
from wardround.serving.keys import KeyFile

CASE_TURN: Any = {"role": "user", "content": CASE}
ASK_USER: Any = [{"type": "function", "function": {"name": "ask_user", "parameters": {"type": "object"}}}]


def reviewed(serve: Serve, **options: Any) -> Served:
    server = serve("diagnosis", review=True, **options)
    server.model_server.always(say(json.dumps(named("Gout"))))
    return server


def waiting(server: Served, key: str = "none", **more: Any) -> Any:
    client = server.openai(key)
    return client.chat.completions.create(model="diagnosis", messages=[CASE_TURN], **more).choices[0].message


def answer(server: Served, question: str, said: str, key: str = "none") -> str:
    history: Any = [CASE_TURN, {"role": "assistant", "content": question}, {"role": "user", "content": said}]
    reply = server.openai(key).chat.completions.create(model="diagnosis", messages=history)
    return str(reply.choices[0].message.content)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("approve", "1. Gout"),
        ("Reject: not enough was examined", "withheld it: not enough was examined"),
        ("edit: Septic arthritis first.\nThen gout.", "Septic arthritis first.\nThen gout."),
    ],
)
def test_a_clinician_decides_in_words(serve: Serve, said: str, expected: str) -> None:
    server = reviewed(serve)
    question = str(waiting(server).content)
    assert "1. Gout" in question
    assert "Answer `approve`" in question
    assert expected in answer(server, question, said)


def test_words_that_decide_nothing_leave_it_waiting(serve: Serve) -> None:
    server = reviewed(serve)
    question = str(waiting(server).content)
    again = answer(server, question, "looks fine to me, I suppose")
    assert "still waits" in again
    assert "1. Gout" in answer(server, again, "approve")


def test_a_decision_counts_once(serve: Serve) -> None:
    server = reviewed(serve)
    question = str(waiting(server).content)
    answer(server, question, "approve")
    with pytest.raises(openai.NotFoundError):
        answer(server, question, "reject: changed my mind")


def test_it_is_answered_after_a_restart(serve: Serve) -> None:
    question = str(waiting(reviewed(serve)).content)
    assert "1. Gout" in answer(reviewed(serve), question, "approve")


def test_it_is_answered_after_a_restart_from_encrypted_files(serve: Serve, tmp_path: Path) -> None:
    from wardround.graphs.sealing import new_key_file

    new_key_file(tmp_path / "key")
    server = reviewed(serve, encryption_key=tmp_path / "key")
    question = str(waiting(server).content)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir() if path.is_file())
    assert b"Gout" not in stored
    assert CASE[:20].encode() not in stored
    assert "1. Gout" in answer(reviewed(serve, encryption_key=tmp_path / "key"), question, "approve")


def test_it_is_answered_after_a_restart_over_postgres(serve: Serve, postgres: str) -> None:
    address = fresh_database(postgres)
    question = str(waiting(reviewed(serve, conversations=address)).content)
    server = reviewed(serve, conversations=address)
    assert "1. Gout" in answer(server, question, "approve")
    assert server.http.get("/api/conversations").json()["data"][0]["agent"] == "diagnosis"


def test_somebody_else_cannot_answer_it(serve: Serve, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    _, one = keys.add("one")
    _, other = keys.add("other")
    server = reviewed(serve, keys=keys.path)
    question = str(waiting(server, one).content)
    with pytest.raises(openai.NotFoundError):
        answer(server, question, "approve", other)
    assert "1. Gout" in answer(server, question, "approve", one)


def test_open_webui_asks_with_its_own_form(serve: Serve) -> None:
    server = reviewed(serve)
    message = waiting(server, tools=ASK_USER)
    (call,) = message.tool_calls
    (question,) = json.loads(call.function.arguments)["questions"]
    assert call.function.name == "ask_user"
    assert len(question["question"]) <= 500
    assert [option["label"] for option in question["options"]] == ["Approve", "Reject"]
    calls = [{"id": call.id, "type": "function", "function": {"name": "ask_user", "arguments": "{}"}}]
    result = {"status": "answered", "answers": {question["id"]: "Approve"}}
    history: Any = [
        CASE_TURN,
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)},
    ]
    client = server.openai()
    chunks = list(client.chat.completions.create(model="diagnosis", messages=history, tools=ASK_USER, stream=True))
    assert "1. Gout" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_a_closed_question_leaves_it_waiting(serve: Serve) -> None:
    server = reviewed(serve)
    (call,) = waiting(server, tools=ASK_USER).tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"status": "cancelled"})}
    reply = server.openai().chat.completions.create(model="diagnosis", messages=[CASE_TURN, result])  # pyright: ignore[reportArgumentType]
    assert "still waits" in str(reply.choices[0].message.content)


def test_a_streamed_question_ends_with_the_call_alone(serve: Serve) -> None:
    server = reviewed(serve)
    stream = server.openai().chat.completions.create(
        model="diagnosis", messages=[CASE_TURN], tools=ASK_USER, stream=True
    )
    chunks = [chunk for chunk in stream if chunk.choices]
    calls = [chunk.choices[0].delta.tool_calls for chunk in chunks if chunk.choices[0].delta.tool_calls]
    assert len(calls) == 1
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_a_graph_of_ones_own_asks_in_its_own_words(serve: Serve) -> None:
    def greet(state: MessagesState) -> dict[str, Any]:  # noqa: ARG001 - LangGraph's nodes have it
        return {"messages": [AIMessage(f"Hello {interrupt('What is your name?')}!")]}

    graph = StateGraph(MessagesState).add_node("greet", greet).add_edge(START, "greet").add_edge("greet", END).compile()
    client = serve(own={"greeter": graph}).openai()
    hi: Any = {"role": "user", "content": "hi"}
    asked = client.chat.completions.create(model="greeter", messages=[hi]).choices[0].message.content
    assert str(asked).startswith("What is your name?")
    history: Any = [hi, {"role": "assistant", "content": asked}, {"role": "user", "content": "Ada"}]
    reply = client.chat.completions.create(model="greeter", messages=history)
    assert reply.choices[0].message.content == "Hello Ada!"


class Name(BaseModel):
    """A record of somebody's own state."""

    text: str


class Named(TypedDict):
    """Somebody's own state."""

    messages: Annotated[list[AnyMessage], add_messages]
    names: list[Name]


def test_a_state_with_types_of_ones_own_is_kept_while_it_waits(serve: Serve) -> None:
    def first(state: Named) -> dict[str, Any]:  # noqa: ARG001 - LangGraph's nodes have it
        return {"names": [Name(text="nobody")]}

    def ask(state: Named) -> dict[str, Any]:  # noqa: ARG001
        return {"names": [Name(text=interrupt("What is your name?"))]}

    def greet(state: Named) -> dict[str, Any]:
        return {"messages": [AIMessage(f"Hello {state['names'][0].text}!")]}

    builder = StateGraph(Named).add_node("first", first).add_node("ask", ask)
    builder.add_node("greet", greet).add_edge(START, "first").add_edge("first", "ask").add_edge("ask", "greet")
    client = serve(own={"greeter": builder.add_edge("greet", END).compile()}).openai()
    hi: Any = {"role": "user", "content": "hi"}
    asked = client.chat.completions.create(model="greeter", messages=[hi]).choices[0].message.content
    history: Any = [hi, {"role": "assistant", "content": asked}, {"role": "user", "content": "Ada"}]
    reply = client.chat.completions.create(model="greeter", messages=history)
    assert reply.choices[0].message.content == "Hello Ada!"
