"""Chat completions, with OpenAI's own client and LangChain's."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from chat_server import cut, delta, events, fail, say
from gateway_server import Serve
from openai.types.chat import ChatCompletion, ChatCompletionChunk

QUESTION: Any = [{"role": "user", "content": "Can I take warfarin together with ibuprofen?"}]
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ffff3f0005fe02fea7"
        "35818d0000000049454e44ae426082"
    )
).decode()


def test_every_graph_is_a_model(serve: Serve) -> None:
    client = serve("consultation", "by_rules").openai()
    assert [model.id for model in client.models.list()] == ["consultation", "by_rules", "utility"]
    assert client.models.retrieve("by_rules").owned_by == "wardround"


def test_a_whole_answer_cites_its_sources_in_text_and_annotations(serve: Serve) -> None:
    reply = serve("by_rules").openai().chat.completions.create(model="by_rules", messages=QUESTION)
    message = reply.choices[0].message
    assert "bleeding risk" in str(message.content)
    assert "\nSources\n- [1] Warfarin, Interactions" in str(message.content)
    cited = [one.url_citation for one in message.annotations or []]
    marks = {str(message.content)[c.start_index : c.end_index] for c in cited}
    assert marks == {"[1]", "[2]"}
    assert all(c.url.startswith("https://dailymed.nlm.nih.gov/") for c in cited)
    assert reply.choices[0].finish_reason == "stop"


def test_a_stream_says_the_same_as_the_whole(serve: Serve) -> None:
    client = serve("by_rules").openai()
    whole = client.chat.completions.create(model="by_rules", messages=QUESTION).choices[0].message.content
    chunks = list(client.chat.completions.create(model="by_rules", messages=QUESTION, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole
    assert [c.choices[0].finish_reason for c in chunks][-1] == "stop"


def test_searches_come_as_reasoning_and_never_as_tool_calls(serve: Serve) -> None:
    server = serve("by_rules")
    tools: Any = [{"type": "function", "function": {"name": "search_medicine", "parameters": {}}}]
    body = {"model": "by_rules", "messages": QUESTION, "stream": True, "tools": tools}
    lines = [line for line in server.http.post("/v1/chat/completions", json=body).text.split("\n\n") if line]
    deltas = [c["choices"][0]["delta"] for c in map(_data, lines[:-1]) if c["choices"]]
    thoughts = [d for d in deltas if "reasoning" in d]
    assert thoughts
    assert all(d["reasoning"] == d["reasoning_content"] and "content" not in d for d in thoughts)
    assert thoughts[0]["reasoning"].startswith("Search medicine: warfarin")
    assert not any("tool_calls" in d for d in deltas)
    assert lines[-1] == "data: [DONE]"


def test_every_line_of_a_stream_is_of_openais_types(serve: Serve) -> None:
    server = serve("by_rules")
    body = {"model": "by_rules", "messages": QUESTION, "stream": True, "stream_options": {"include_usage": True}}
    reply = server.http.post("/v1/chat/completions", json=body, headers={"x-openwebui-chat-id": "c1"})
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["x-accel-buffering"] == "no"
    lines = [line for line in reply.text.split("\n\n") if line]
    chunks = [_data(line) for line in lines[:-1]]
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk, strict=True)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert "annotations" in chunks[-2]["choices"][0]["delta"]


def test_a_whole_reply_is_of_openais_type(serve: Serve) -> None:
    reply = serve("by_rules").http.post("/v1/chat/completions", json={"model": "by_rules", "messages": QUESTION})
    ChatCompletion.model_validate(reply.json(), strict=True)


def test_usage_is_summed_over_the_whole_run(serve: Serve) -> None:
    server = serve("consultation")
    reply = server.openai().chat.completions.create(model="consultation", messages=QUESTION)
    assert reply.usage is not None
    assert reply.usage.total_tokens == 18 * len(server.model_server.requests) > 18


def test_the_models_thinking_is_passed_on(serve: Serve) -> None:
    server = serve()
    server.model_server.then(say("Yes.", reasoning=["First ", "this."]))
    stream = server.openai().chat.completions.create(model="utility", messages=QUESTION, stream=True)
    deltas = [chunk.choices[0].delta.model_dump() for chunk in stream]
    assert "".join(d.get("reasoning_content") or "" for d in deltas) == "First this."
    assert "".join(d.get("content") or "" for d in deltas) == "Yes."


def test_open_webui_gets_sources_with_their_passages_and_progress(serve: Serve) -> None:
    server = serve("by_rules")
    body = {"model": "by_rules", "messages": QUESTION, "stream": True}
    reply = server.http.post("/v1/chat/completions", json=body, headers={"X-OpenWebUI-Chat-Id": "c1"})
    chunks = [_data(line) for line in reply.text.split("\n\n")[:-2]]
    found = [chunk["event"] for chunk in chunks if "event" in chunk]
    sources = [event["data"] for event in found if event["type"] == "source"]
    assert [source["source"]["name"].partition(",")[0] for source in sources][:2] == ["[1] Warfarin", "[2] Ibuprofen"]
    assert all(source["document"][0] and source["metadata"][0]["source"] for source in sources)
    states = [event["data"] for event in found if event["type"] == "status"]
    assert states[0]["done"] is False
    assert states[-1] == {"description": "Done", "done": True}
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert "Sources" not in text


def test_a_withdrawn_beginning_is_marked_and_does_not_come_back_with_the_history(serve: Serve) -> None:
    server = serve("consultation", profile={"strength": "strong"})
    call = {"medicine": "warfarin", "attribute": "interactions", "keywords": "ibuprofen"}
    good = "NSAIDs such as ibuprofen, naproxen, diclofenac, and celecoxib raise the bleeding risk with warfarin. [1]"
    server.model_server.then(
        say(calls=[("search_medicine", call)]),
        say("Aspirin, clopidogrel and heparin raise the bleeding risk with warfarin. [1] ", "Take 900 mg daily. [1]"),
        say(good),
    )
    stream = server.openai().chat.completions.create(model="consultation", messages=QUESTION, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    before, _, after = text.partition("**Withdrawn:**")
    assert "Aspirin, clopidogrel and heparin" in before
    assert good in after
    server.model_server.then(say(calls=[("search_medicine", call)]), say(good))
    history: Any = [*QUESTION, {"role": "assistant", "content": text}, {"role": "user", "content": "And naproxen?"}]
    server.openai().chat.completions.create(model="consultation", messages=history)
    sent = json.dumps(server.model_server.requests[-1].body)
    assert good in sent
    assert "Aspirin, clopidogrel and heparin" not in sent.replace("Aspirin, clopidogrel, heparin", "")
    assert "Withdrawn" not in sent
    assert "Sources" not in sent


def test_side_tasks_of_a_frontend_run_no_agent(serve: Serve) -> None:
    server = serve("consultation")
    task: Any = [{"role": "user", "content": "### Task:\nGenerate a title."}]
    reply = server.openai().chat.completions.create(model="consultation", messages=task)
    assert reply.choices[0].message.content == "All is well."
    assert len(server.model_server.requests) == 1


def test_what_frontends_send_along_is_taken(serve: Serve) -> None:
    server = serve("by_rules")
    body = {
        "model": "by_rules",
        "temperature": 0.3,
        "max_tokens": 10,
        "max_completion_tokens": 10,
        "n": 1,
        "logit_bias": {},
        "reasoning_effort": "low",
        "response_format": {"type": "text"},
        "something": {"new": [1]},
        "metadata": {"a": 1},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "hello", "name": "x"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "x"}}]},
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "5"}]},
            {"role": "assistant", "content": "hi", "reasoning_content": "hm"},
            {"role": "user", "content": [{"type": "text", "text": "How do I store insulin glargine?"}]},
        ],
    }
    reply = server.http.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text
    assert "freeze" in reply.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"messages": QUESTION}, 400, "model"),
        ({"model": "by_rules"}, 400, "messages"),
        ({"model": "by_rules", "messages": []}, 400, "empty"),
        ({"model": "nobody", "messages": QUESTION}, 404, "`by_rules`"),
        ({"model": "by_rules", "messages": [{"role": "assistant", "content": "x"}]}, 400, "not the person's"),
        ({"model": "by_rules", "messages": [{"role": "user", "content": " "}]}, 400, "empty"),
        ({"model": "by_rules", "messages": [{"role": "user", "content": 5}]}, 400, "content"),
        ([], 400, "dict"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_request_that_cannot_be_answered(serve: Serve, body: Any, status: int, says: str, stream: bool) -> None:
    sent = {**body, "stream": stream} if isinstance(body, dict) else body
    reply = serve("by_rules").http.post("/v1/chat/completions", json=sent)
    error = reply.json()["error"]
    assert (reply.status_code, set(error)) == (status, {"message", "type", "param", "code"})
    assert says in error["message"]


def test_openais_client_raises_its_own_errors(serve: Serve) -> None:
    client = serve().openai()
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nobody", messages=QUESTION)
    assert caught.value.code == "model_not_found"


def test_images_reach_a_model_that_sees(serve: Serve) -> None:
    server = serve(profile={"vision": True})
    url = f"data:image/png;base64,{PIXEL}"
    content: Any = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    server.openai().chat.completions.create(model="utility", messages=[{"role": "user", "content": content}])
    assert server.model_server.requests[0].body["messages"][0]["content"][0]["image_url"]["url"] == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://example.org/x.png", "inside the request"),
        ("data:image/png;base64,!!!", "no base64"),
        ("data:image/png;base64,aGVsbG8=", "is none"),
        ("data:text/html;base64,aGVsbG8=", "inside the request"),
        (None, "inside the request"),
    ],
)
def test_other_images_are_refused(serve: Serve, url: Any, says: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "utility", "messages": [{"role": "user", "content": content}]}
    reply = serve(profile={"vision": True}).http.post("/v1/chat/completions", json=body)
    assert reply.status_code == 400
    assert says in reply.json()["error"]["message"]


def test_an_agent_without_eyes_says_so_once_and_then_goes_on(serve: Serve) -> None:
    server = serve("by_rules")
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    turn = {"role": "user", "content": [image, {"type": "text", "text": "and this?"}]}
    refused = server.http.post("/v1/chat/completions", json={"model": "by_rules", "messages": [turn]})
    assert refused.status_code == 400
    assert "reads no images" in refused.json()["error"]["message"]
    history = [turn, {"role": "assistant", "content": "?"}, *QUESTION]
    assert server.http.post("/v1/chat/completions", json={"model": "by_rules", "messages": history}).status_code == 200


def test_a_fault_before_the_first_word_has_a_status_and_tells_nothing(serve: Serve) -> None:
    server = serve()
    server.model_server.always(fail(500, "secret of the inside"))
    for stream in (False, True):
        body = {"model": "utility", "messages": QUESTION, "stream": stream}
        reply = server.http.post("/v1/chat/completions", json=body)
        assert reply.status_code == 503
        assert reply.json()["error"]["code"] == "model_unavailable"
        assert "secret" not in reply.text
        assert server.model_server.address not in reply.text


def test_a_fault_after_the_first_word_ends_the_stream_with_an_error(serve: Serve) -> None:
    server = serve()
    server.model_server.then(cut("Half an ", "answer"))
    said = ""
    with pytest.raises(openai.APIError, match="model server") as caught:
        for chunk in server.openai().chat.completions.create(model="utility", messages=QUESTION, stream=True):
            said += chunk.choices[0].delta.content or ""
    assert said == "Half an answer"
    assert caught.value.code == "model_unavailable"
    assert server.turns() == {"failed": 1}


def test_garbage_of_the_model_server_is_a_fault(serve: Serve) -> None:
    server = serve()
    server.model_server.then(events(delta(content="Well "), "{garbage"))
    body = {"model": "utility", "messages": QUESTION, "stream": True}
    lines = server.http.post("/v1/chat/completions", json=body).text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    assert set(_data(lines[-2])) == {"error"}


def test_langchains_client_streams_and_reads_whole_answers(serve: Serve) -> None:
    from langchain_openai import ChatOpenAI

    address = serve("by_rules").address
    client = ChatOpenAI(model="by_rules", base_url=f"{address}/v1", api_key="none", stream_usage=True)  # pyright: ignore[reportArgumentType]
    whole = client.invoke("How do I store insulin glargine?")
    streamed = "".join(str(chunk.text) for chunk in client.stream("How do I store insulin glargine?"))
    assert whole.text == streamed
    assert "freeze" in streamed


def test_a_graph_of_ones_own(serve: Serve) -> None:
    from langchain_core.messages import AIMessage
    from langgraph.graph import END, START, MessagesState, StateGraph

    def shout(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(state["messages"][-1].text.upper())]}

    graph = StateGraph(MessagesState).add_node("shout", shout).add_edge(START, "shout").add_edge("shout", END).compile()
    client = serve(own={"shouter": graph}).openai()
    for stream in (False, True):
        reply: Any = client.chat.completions.create(
            model="shouter", messages=[{"role": "user", "content": "hello"}], stream=stream
        )
        said = "".join(c.choices[0].delta.content or "" for c in reply) if stream else reply.choices[0].message.content
        assert said == "HELLO"


def test_the_files_are_their_owners_alone(serve: Serve, tmp_path: Path) -> None:
    serve("by_rules", review=True).openai().chat.completions.create(model="by_rules", messages=QUESTION)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {"audit.jsonl", "conversations.sqlite"} <= {path.name for path in files}
    assert all(path.stat().st_mode & 0o077 == 0 for path in files if path.suffix != ".sqlite-shm")


def _data(line: str) -> Any:
    return json.loads(line.removeprefix("data: "))
