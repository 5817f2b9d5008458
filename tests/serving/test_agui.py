"""AG-UI over HTTP, read back with the protocol's own types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from ag_ui.core import Event
from chat_server import fail, say
from gateway_server import Serve, Served
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt
from pydantic import TypeAdapter
from wardround.serving.keys import KeyFile

QUESTION = "Does warfarin interact with ibuprofen?"
EVENTS: TypeAdapter[Any] = TypeAdapter(Event)


def body(*said: str, thread: str = "t1", **more: Any) -> dict[str, Any]:
    messages = [{"id": f"m{n}", "role": "user", "content": text} for n, text in enumerate(said)]
    given = {"threadId": thread, "runId": "r1", "messages": messages, "state": {}, "tools": [], "context": []}
    return {**given, "forwardedProps": {}, **more}


def run(server: Served, agent: str, *said: str, key: str = "", **more: Any) -> list[Any]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    reply = server.http.post(f"/agui/{agent}", json=body(*said, **more), headers=headers)
    assert reply.status_code == 200, reply.text
    return [EVENTS.validate_json(line.removeprefix("data: ")) for line in reply.text.split("\n\n") if line]


def kinds(events: list[Any]) -> list[str]:
    return [event.type.value for event in events]


def text_of(events: list[Any]) -> str:
    return "".join(event.delta for event in events if event.type.value == "TEXT_MESSAGE_CONTENT")


def test_an_answer_with_its_steps_search_sources_and_state(serve: Serve) -> None:
    events = run(serve("by_rules"), "by_rules", QUESTION)
    found = kinds(events)
    assert (found[0], found[-1]) == ("RUN_STARTED", "RUN_FINISHED")
    assert "bleeding risk" in text_of(events)
    assert found.index("TOOL_CALL_START") < found.index("TOOL_CALL_RESULT") < found.index("TEXT_MESSAGE_START")
    assert next(e.value["title"] for e in events if e.type.value == "CUSTOM").startswith("Warfarin")
    assert {e.step_name for e in events if e.type.value == "STEP_STARTED"} >= {"open", "retrieve"}
    assert "RAW" not in found
    assert all(event.raw_event is None for event in events)


def test_of_the_state_only_what_is_shown_is_sent(serve: Serve) -> None:
    events = run(serve("by_rules"), "by_rules", QUESTION)
    snapshot = next(event.snapshot for event in events if event.type.value == "STATE_SNAPSHOT")
    assert snapshot.keys() <= {"text", "answer", "flags"}
    assert snapshot["answer"]["citations"]


def test_what_was_withdrawn_is_replaced(serve: Serve) -> None:
    server = serve("consultation")
    call = {"medicine": "warfarin", "attribute": "interactions", "keywords": "ibuprofen"}
    good = "NSAIDs such as ibuprofen, naproxen, diclofenac, and celecoxib raise the bleeding risk with warfarin. [1]"
    bad = "Aspirin, clopidogrel and heparin raise the bleeding risk with warfarin. [1] "
    server.model_server.then(say(calls=[("search_medicine", call)]), say(bad, "Take 900 mg daily. [1]"), say(good))
    events = run(server, "consultation", QUESTION)
    last = next(event for event in events if event.type.value == "MESSAGES_SNAPSHOT").messages[-1]
    assert good in last.content
    assert bad.strip() not in last.content
    assert "Withdrawn" not in last.content


def test_an_error_is_told_without_what_is_inside(serve: Serve) -> None:
    server = serve("consultation")
    server.model_server.always(fail(500, "secret stack trace at /srv/models"))
    events = run(server, "consultation", QUESTION)
    assert kinds(events)[-1] == "RUN_ERROR"
    assert events[-1].code == "model_unavailable"
    assert "secret" not in json.dumps([event.model_dump(mode="json") for event in events])


def test_a_run_that_asks_goes_on_with_either_form_of_answer(serve: Serve) -> None:
    def asks(state: MessagesState) -> dict[str, Any]:
        return {"messages": [("assistant", f"To {len(state['messages'])}: {interrupt('Which one?')}.")]}

    graph = StateGraph(MessagesState).add_node("ask", asks).add_edge(START, "ask").add_edge("ask", END).compile()
    server = serve(own={"asks": graph})
    for thread in ("new", "old"):
        stopped = run(server, "asks", "Hello", thread=thread)
        assert stopped[-1].outcome.type == "interrupt"
        assert json.loads(next(e.value for e in stopped if e.type.value == "CUSTOM")) == "Which one?"
        entry = {"interruptId": stopped[-1].outcome.interrupts[0].id, "status": "resolved", "payload": "this"}
        answer: dict[str, Any] = (
            {"resume": [entry]} if thread == "new" else {"forwardedProps": {"command": {"resume": "this"}}}
        )
        assert text_of(run(server, "asks", "Hello", thread=thread, **answer)) == "To 1: this."
    again = server.http.post("/agui/asks", json=body("Hello", thread="new", forwardedProps={"command": {"resume": 1}}))
    assert again.status_code == 404


def test_the_same_keys_as_everywhere(serve: Serve, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    _, secret = keys.add("app", agents=("by_rules",))
    server = serve("by_rules", "consultation", keys=keys.path)
    assert server.http.post("/agui/by_rules", json=body(QUESTION)).status_code == 401
    bearer = {"authorization": f"Bearer {secret}"}
    assert server.http.post("/agui/consultation", json=body(QUESTION), headers=bearer).status_code == 404
    assert kinds(run(server, "by_rules", QUESTION, key=secret))[-1] == "RUN_FINISHED"


def test_what_a_client_says_in_state_and_context_names_no_patient(serve: Serve, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    _, secret = keys.add("app", patients=("anna",))
    server = serve("progression", keys=keys.path)
    claims = {"patient": "bert", "grant": {"patient": "bert"}, "configurable": {"patient": "bert"}}
    more: dict[str, Any] = {
        "state": claims,
        "forwardedProps": claims,
        "context": [{"description": "patient", "value": "bert"}],
    }
    headers = {"authorization": f"Bearer {secret}", "x-wardround-patient": "bert"}
    sent = body("What changed?", **more)
    named = server.http.post("/agui/progression", json=sent, headers=headers)
    assert "RUN_ERROR" in named.text or named.status_code in (400, 403)
    audit = (tmp_path / "state" / "audit.jsonl").read_text() if (tmp_path / "state" / "audit.jsonl").exists() else ""
    server.http.post("/agui/progression", json=sent, headers={"authorization": f"Bearer {secret}"})
    after = (tmp_path / "state" / "audit.jsonl").read_text()[len(audit) :]
    assert "bert" not in after


def test_a_body_that_is_none_is_refused_in_words(serve: Serve) -> None:
    refused: httpx.Response = serve("by_rules").http.post("/agui/by_rules", json={"threadId": "t"})
    assert refused.status_code == 400
    assert "runId" in refused.json()["error"]["message"]
