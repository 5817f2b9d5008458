"""The chat model against a real server on loopback that misbehaves."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import Any

import pytest
from chat_server import MODEL, ChatServer, body, completion, cut, delta, drop, endless, events, fail, say, slowly
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.tools import tool
from pydantic import BaseModel
from wardround.errors import ModelReplyError, ModelUnavailable, UserError
from wardround.models.openai_chat import OpenAIChat, openai_chat
from wardround.models.profile import ModelProfile
from wardround.models.retry import Backoff
from wardround.settings import Settings

FAST = Backoff(first_s=0.001, longest_s=0.05)


def model_at(address: str, *, retries: int = 2, timeout_s: float = 5.0, **params: Any) -> OpenAIChat:
    settings = Settings(_env_file=None, retries=retries, timeout_s=timeout_s, api_key="k")  # type: ignore[call-arg]
    return openai_chat(MODEL, address, settings=settings, backoff=params.pop("backoff", FAST), **params)


async def streamed(model: OpenAIChat, text: str = "hi") -> AIMessageChunk:
    whole: AIMessageChunk | None = None
    async for chunk in model.astream(text):
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


def both_ways(model: OpenAIChat) -> list[AIMessage]:
    """The reply by each of the four paths."""
    sync_stream: Any = None
    for chunk in model.stream("hi"):
        sync_stream = chunk if sync_stream is None else sync_stream + chunk
    return [model.invoke("hi"), asyncio.run(model.ainvoke("hi")), sync_stream, asyncio.run(streamed(model))]


def test_ordinary_reply_by_every_path(chat_server: ChatServer) -> None:
    chat_server.always(say("Take ", "one."))
    for reply in both_ways(model_at(chat_server.address)):
        assert reply.text == "Take one."
        assert reply.usage_metadata is not None
        assert (reply.usage_metadata["input_tokens"], reply.usage_metadata["output_tokens"]) == (11, 7)
        assert reply.response_metadata["finish_reason"] == "stop"
        assert reply.response_metadata["retries"] == 0


def test_request_carries_key_defaults_and_nothing_of_the_environment(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-the-environment")
    for name in ("OPENAI_PROXY", "HTTP_PROXY", "ALL_PROXY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    model_at(chat_server.address).invoke("hi")
    request = chat_server.requests[0]
    assert request.headers["authorization"] == "Bearer k"
    assert "from-the-environment" not in str(request.headers)
    assert {"temperature": 0.0, "max_tokens": 1024}.items() <= request.body.items()
    assert isinstance(request.body["seed"], int)


def test_tool_call_by_every_path_and_strict_by_default(chat_server: ChatServer) -> None:
    @tool
    def search(query: str) -> str:
        """Search."""
        return query

    chat_server.always(say(calls=[("search", {"query": "布洛芬"})]))
    for reply in both_ways(model_at(chat_server.address)):
        assert [(call["name"], call["args"]) for call in reply.tool_calls] == [("search", {"query": "布洛芬"})]
    model_at(chat_server.address).bind_tools([search]).invoke("hi")
    assert chat_server.requests[-1].body["tools"][0]["function"]["strict"] is True


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_reasoning_fields_are_kept_apart(chat_server: ChatServer, key: str) -> None:
    chat_server.always(say("Yes.", reasoning=["I ", "ponder"], key=key))
    for reply in both_ways(model_at(chat_server.address)):
        assert reply.text == "Yes."
        assert reply.additional_kwargs["reasoning_content"] == "I ponder"
        assert [block["type"] for block in reply.content_blocks] == ["reasoning", "text"]


@pytest.mark.parametrize(
    "pieces",
    [
        ["<think>I ponder</think>Yes."],
        ["<th", "ink>I pon", "der</", "think>", "Yes", "."],
        list("<think>I ponder</think>Yes."),
    ],
)
def test_think_tags_split_anyhow(chat_server: ChatServer, pieces: list[str]) -> None:
    chat_server.always(say(*pieces))
    for reply in both_ways(model_at(chat_server.address)):
        assert reply.text == "Yes."
        assert reply.additional_kwargs["reasoning_content"] == "I ponder"


def test_unclosed_thinking_never_becomes_the_answer(chat_server: ChatServer) -> None:
    chat_server.always(say("<think>I ponder and am cut </thi", finish="length"))
    for reply in both_ways(model_at(chat_server.address)):
        assert reply.text == ""
        assert reply.additional_kwargs["reasoning_content"] == "I ponder and am cut </thi"


def test_streaming_callbacks_see_no_thinking(chat_server: ChatServer) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    class Tokens(BaseCallbackHandler):
        def __init__(self) -> None:
            self.tokens: list[str] = []

        def on_llm_new_token(self, token: Any, **_: Any) -> None:
            self.tokens.append(token)

    handler = Tokens()
    chat_server.then(say("<think>", "x", "</think>", "Yes", "."))
    list(model_at(chat_server.address).stream("hi", config={"callbacks": [handler]}))
    assert "".join(handler.tokens) == "Yes."


def test_null_content_is_an_empty_answer(chat_server: ChatServer) -> None:
    chat_server.then(
        body('{"choices": [{"message": {"role": "assistant", "content": null}, "finish_reason": "stop"}]}')
    )
    assert model_at(chat_server.address).invoke("hi").content == ""


@pytest.mark.parametrize(
    "faults",
    [
        [fail(500), fail(500)],
        [fail(503), fail(429, retry_after="0.01")],
        [fail(408), fail(409)],
        [drop, drop],
    ],
)
def test_faults_are_retried_and_recorded(
    chat_server: ChatServer, faults: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    model = model_at(chat_server.address)
    with caplog.at_level(logging.WARNING, logger="wardround.models"):
        for path in range(2):
            chat_server.then(*faults)
            reply = model.invoke("hi") if path == 0 else asyncio.run(streamed(model))
            assert reply.text == "All is well."
            assert reply.response_metadata["retries"] == 2
            assert len(reply.response_metadata["retry_causes"]) == 2
    assert len(caplog.records) == 4
    assert len(chat_server.requests) == 6  # the SDK's own retries would make it more


def test_retry_after_is_honoured(chat_server: ChatServer) -> None:
    chat_server.then(fail(429, retry_after="0.3"))
    model = model_at(chat_server.address, backoff=Backoff(first_s=0.0, longest_s=1.0))
    started = asyncio.new_event_loop().time()
    model.invoke("hi")
    assert asyncio.new_event_loop().time() - started >= 0.3


def test_too_long_retry_after_gives_up_at_once(chat_server: ChatServer) -> None:
    chat_server.then(fail(429, retry_after="3600"))
    with pytest.raises(ModelUnavailable, match="asks to wait 3600 s"):
        model_at(chat_server.address).invoke("hi")


def test_when_tries_run_out_the_error_names_address_cause_and_count(chat_server: ChatServer) -> None:
    chat_server.always(fail(500, "out of memory"))
    with pytest.raises(ModelUnavailable) as caught:
        model_at(chat_server.address).invoke("hi")
    said = str(caught.value)
    assert chat_server.address in said
    assert "out of memory" in said
    assert "3 tries" in said
    assert "\n" not in said


def test_refused_connection() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ModelUnavailable, match=r"after 2 tries .*refused"):
        asyncio.run(model_at(address, retries=1).ainvoke("hi"))


def test_slow_bytes_are_fine_while_they_come(chat_server: ChatServer) -> None:
    chat_server.then(slowly("patience", 0.2))
    reply = model_at(chat_server.address, timeout_s=0.5).invoke("hi")
    assert (reply.text, reply.response_metadata["retries"]) == ("patience", 0)


def test_silence_times_out(chat_server: ChatServer) -> None:
    chat_server.then(slowly("late", 0.6), slowly("late", 0.6))
    with pytest.raises(ModelUnavailable, match="timed out"):
        model_at(chat_server.address, timeout_s=0.2, retries=1).invoke("hi")


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_is_the_users(chat_server: ChatServer, status: int) -> None:
    chat_server.then(fail(status))
    with pytest.raises(UserError, match="WARDROUND_API_KEY"):
        model_at(chat_server.address).invoke("hi")
    assert len(chat_server.requests) == 1


def test_unknown_model_names_what_there_is(chat_server: ChatServer) -> None:
    chat_server.then(fail(404), fail(404))
    model = model_at(chat_server.address)
    model.model_name = "typo"
    for call in (lambda: model.invoke("hi"), lambda: asyncio.run(model.ainvoke("hi"))):
        with pytest.raises(UserError, match=rf"`typo`.*it offers `{MODEL}`"):
            call()


def test_refused_request_is_not_retried(chat_server: ChatServer) -> None:
    chat_server.then(fail(400, "prompt too long"))
    with pytest.raises(ModelReplyError, match="prompt too long"):
        model_at(chat_server.address).invoke("hi")
    assert len(chat_server.requests) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        body("<html>login</html>", "text/html"),
        body('{"choices": [{"mess'),
        body("[1, 2]"),
        body(b'{"choices": "\xff\xfe'),
        body(json.dumps(completion({"content": "x"}) | {"usage": "much"})),
        body(json.dumps(completion({"tool_calls": ["x"]}))),
        body(json.dumps(completion({"tool_calls": [{"function": None}]}))),
        body("null"),
        body('{"choices": null}'),
        body('{"choices": []}'),
        body('{"choices": ["x"]}'),
        body('{"object": "list"}'),
        body('{"error": {"message": "boom"}}'),
        body('{"choices": [{"message": null}]}'),
        body('{"choices": [{"message": {"role": "assistant", "content": 7}}]}'),
    ],
)
def test_garbage_is_a_reply_error(chat_server: ChatServer, garbage: Any) -> None:
    chat_server.then(garbage, garbage)
    model = model_at(chat_server.address)
    with pytest.raises(ModelReplyError, match=r"not a chat completion"):
        model.invoke("hi")
    with pytest.raises(ModelReplyError):
        asyncio.run(model.ainvoke("hi"))
    assert len(chat_server.requests) == 2


@pytest.mark.parametrize(
    "garbage",
    [
        body("<html>login</html>", "text/html"),
        events("{not json"),
        events({"choices": ["x"]}),
        events({"choices": None}),
        events(delta(tool_calls=["x"])),
        events(delta(content=7)),
        body(b"data: \xff\xfe\n\n", "text/event-stream"),
    ],
)
def test_garbage_stream_is_a_reply_error(chat_server: ChatServer, garbage: Any) -> None:
    chat_server.then(garbage, garbage)
    model = model_at(chat_server.address)
    with pytest.raises(ModelReplyError):
        list(model.stream("hi"))
    with pytest.raises(ModelReplyError):
        asyncio.run(streamed(model))


def test_stream_cut_before_the_first_word_starts_again(chat_server: ChatServer) -> None:
    chat_server.then(cut(), events(delta(role="assistant", content=""), {"error": {"message": "died", "code": 500}}))
    reply = asyncio.run(streamed(model_at(chat_server.address)))
    assert (reply.text, reply.response_metadata["retries"]) == ("All is well.", 2)


def test_stream_cut_after_the_first_word_is_not_started_again(chat_server: ChatServer) -> None:
    chat_server.then(cut("Take ", "ten"), cut("Take ", "ten"))
    model = model_at(chat_server.address)
    heard: list[str] = []
    with pytest.raises(ModelUnavailable, match="broke off a reply after 8 characters"):
        heard.extend(chunk.text for chunk in model.stream("hi"))
    with pytest.raises(ModelUnavailable, match="broke off"):
        asyncio.run(streamed(model))
    assert len(chat_server.requests) == 2


def test_reader_who_leaves_stops_the_server(chat_server: ChatServer) -> None:
    chat_server.then(endless())

    async def leave() -> None:
        stream = model_at(chat_server.address).astream("hi")
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(leave())
    assert chat_server.hung_up.wait(5)


def test_one_model_serves_several_event_loops(chat_server: ChatServer) -> None:
    model = model_at(chat_server.address, retries=0)
    for _ in range(3):
        assert asyncio.run(model.ainvoke("hi")).text == "All is well."


def test_pydantic_structured_output_and_cut_off_json(chat_server: ChatServer) -> None:
    class Dose(BaseModel):
        milligrams: int

    chat_server.then(say('{"milligrams": 200}'))
    assert model_at(chat_server.address).with_structured_output(Dose).invoke("hi") == Dose(milligrams=200)
    sent = chat_server.requests[0].body["response_format"]
    assert sent["json_schema"]["schema"]["properties"]["milligrams"]["type"] == "integer"
    chat_server.then(say('{"millig', finish="length"))
    reply = model_at(chat_server.address).invoke("hi", response_format={"type": "json_object"})
    assert reply.text == '{"millig'  # the SDK would have thrown it away


def test_closing_tag_alone_counts_only_for_reasoning_models(chat_server: ChatServer) -> None:
    chat_server.always(say("I ponder</think>Yes."))
    plain = model_at(chat_server.address).invoke("hi")
    thinker = model_at(chat_server.address, profile=ModelProfile(name=MODEL, reasoning=True)).invoke("hi")
    assert plain.text == "I ponder</think>Yes."
    assert (thinker.text, thinker.additional_kwargs["reasoning_content"]) == ("Yes.", "I ponder")


def test_missing_role_does_not_matter(chat_server: ChatServer) -> None:
    chat_server.then(body(json.dumps(completion({"content": "x"}))))
    assert model_at(chat_server.address).invoke("hi").text == "x"
