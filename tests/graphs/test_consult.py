from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from chat_server import ChatServer, Handler, body, cut, delta, drop, endless, fail, say
from langchain_core.messages import AIMessage, HumanMessage
from wardround.corpora import Corpus
from wardround.errors import ModelError, ModelReplyError, ModelUnavailable, UserError
from wardround.graphs import Event, consult, consultation, stream_events

Served = Callable[..., Any]
QUESTION = [HumanMessage("How many ibuprofen can I take a day?")]
GOOD = "Take 1 ibuprofen 200 mg tablet every 4 to 6 hours while the symptoms last [1]."
ARGS = {"medicine": "ibuprofen", "attribute": "dosage", "keywords": ""}
CALL = say(calls=[("search_medicine", ARGS)])


def talking_on(handler: Handler, _: dict[str, Any]) -> None:
    """An answer without end, of sentences that pass the check."""
    handler.begin_stream()
    for _number in range(2000):
        handler.event(delta(content="Ask your doctor. "))
        time.sleep(0.005)


def test_over_a_real_server_twice_in_one_process(chat_server: ChatServer, served: Served, essential: Corpus) -> None:
    graph = consultation.build(model=served(), medicines=essential)
    for _ in range(2):  # the second time in another event loop
        chat_server.then(CALL, say(*(GOOD[i : i + 7] for i in range(0, len(GOOD), 7))))
        result = asyncio.run(consult(graph, QUESTION))
        assert (result.answer, result.answered_by.value) == (GOOD, "model")
        assert result.usage == {"input_tokens": 22, "output_tokens": 14, "model_calls": 2}


def test_invoke_over_a_real_server(chat_server: ChatServer, served: Served, essential: Corpus) -> None:
    graph: Any = consultation.build(model=served(), medicines=essential)
    chat_server.then(CALL, say(GOOD))
    assert graph.invoke({"messages": QUESTION})["answer"].text == GOOD


def test_a_model_for_reading_of_its_own(
    chat_server: ChatServer, served: Served, scripted: Callable[..., Any], essential: Corpus
) -> None:
    chat_server.then(CALL)
    reading = scripted({"role": "reader", "reply": {"content": GOOD}})
    graph = consultation.build(model=served(), reader_model=reading, medicines=essential)
    assert asyncio.run(consult(graph, QUESTION)).answer == GOOD
    assert len(chat_server.requests) == 1


def test_reasoning_is_shown_apart_and_never_part_of_the_answer(
    chat_server: ChatServer, served: Served, essential: Corpus
) -> None:
    chat_server.then(CALL, say(GOOD, reasoning="Maybe 800 mg?"))
    seen: list[Event] = []
    result = asyncio.run(
        consult(consultation.build(model=served(), medicines=essential), QUESTION, on_event=seen.append)
    )
    assert result.answer == GOOD
    assert [e.data["text"] for e in seen if e.kind == "reasoning"] == ["Maybe 800 mg?"]


@pytest.mark.parametrize(
    ("reply", "kind", "tried"),
    [
        (fail(500), ModelUnavailable, 2),
        (drop, ModelUnavailable, 2),
        (fail(429), ModelUnavailable, 2),
        (body("<html>hello</html>", "text/html"), ModelReplyError, 1),
        (body("{"), ModelReplyError, 1),
        (body('{"choices": []}'), ModelReplyError, 1),
    ],
    ids=["500", "dropped", "429", "html", "cut json", "no choices"],
)
def test_a_faulty_server_is_one_clear_line(
    chat_server: ChatServer, served: Served, essential: Corpus, reply: Any, kind: type[ModelError], tried: int
) -> None:
    chat_server.always(reply)
    with pytest.raises(kind) as caught:
        asyncio.run(consult(consultation.build(model=served(), medicines=essential), QUESTION))
    assert chat_server.address in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(chat_server.requests) == tried


def test_a_server_that_dies_in_the_middle_of_an_answer(
    chat_server: ChatServer, served: Served, essential: Corpus
) -> None:
    chat_server.then(CALL)
    chat_server.always(cut(f"{GOOD} And never"))
    with pytest.raises(ModelUnavailable, match="broke off"):
        asyncio.run(consult(consultation.build(model=served(), medicines=essential), QUESTION))


def test_closing_the_stream_early_stops_the_model(chat_server: ChatServer, served: Served, essential: Corpus) -> None:
    chat_server.then(CALL)
    chat_server.always(talking_on)

    async def leave() -> None:
        stream = stream_events(consultation.build(model=served(), medicines=essential), {"messages": QUESTION})
        async for event in stream:
            if event.kind == "text":
                break
        await stream.aclose()
        await asyncio.to_thread(chat_server.hung_up.wait, 5)

    asyncio.run(leave())
    assert chat_server.hung_up.is_set()


def test_cancelling_a_consultation_stops_the_model(chat_server: ChatServer, served: Served, essential: Corpus) -> None:
    chat_server.then(CALL)
    chat_server.always(endless())

    async def leave() -> None:
        running = asyncio.create_task(consult(consultation.build(model=served(), medicines=essential), QUESTION))
        while len(chat_server.requests) < 2:  # noqa: ASYNC110 - the server lives in another thread
            await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.to_thread(chat_server.hung_up.wait, 5)

    asyncio.run(leave())
    assert chat_server.hung_up.is_set()


def test_a_listener_that_fails_stops_the_model_too(chat_server: ChatServer, served: Served, essential: Corpus) -> None:
    chat_server.then(CALL)
    chat_server.always(talking_on)

    def listen(event: Event) -> None:
        if event.kind == "text":
            raise LookupError("on purpose")

    async def run() -> None:
        with pytest.raises(LookupError):
            await consult(consultation.build(model=served(), medicines=essential), QUESTION, on_event=listen)
        await asyncio.to_thread(chat_server.hung_up.wait, 5)

    asyncio.run(run())
    assert chat_server.hung_up.is_set()


def test_events_of_other_nodes_are_left_out() -> None:
    from langgraph.config import get_stream_writer
    from langgraph.graph import END, START, MessagesState, StateGraph

    def talk(state: MessagesState) -> dict[str, Any]:
        for data in ("text", {"progress": 1}, {"type": "text", "text": "ours"}, {"type": "other"}):
            get_stream_writer()(data)
        return {"messages": state["messages"][:0]}

    graph = StateGraph(MessagesState).add_node("talk", talk).add_edge(START, "talk").add_edge("talk", END).compile()

    async def run() -> list[str]:
        return [e.kind async for e in stream_events(graph, {"messages": QUESTION})]

    assert asyncio.run(run()) == ["text", "status", "usage", "final"]


@pytest.mark.parametrize("messages", [[], [*QUESTION, AIMessage("x")], [HumanMessage(" ")], [HumanMessage("\ud800")]])
def test_what_cannot_be_answered_is_the_users_mistake(
    scripted: Callable[..., Any], essential: Corpus, messages: list[Any]
) -> None:
    graph = consultation.build(model=scripted({"error": "unavailable"}), medicines=essential)
    with pytest.raises(UserError):
        asyncio.run(consult(graph, messages))
