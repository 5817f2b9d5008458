from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from wardround.errors import ModelReplyError, ModelUnavailable, UserError
from wardround.models import profile_of
from wardround.models.scripted import ROLE_KEY, ScriptedChat, scripted_chat


def chat(tmp_path: Path, *rules: dict[str, Any], **top: Any) -> ScriptedChat:
    file = tmp_path / "script.json"
    file.write_text(json.dumps({"rules": rules, **top}, ensure_ascii=False))
    return scripted_chat(file)


def joined(chunks: Any) -> Any:
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


def test_first_matching_rule_that_is_not_used_up(tmp_path: Path) -> None:
    model = chat(
        tmp_path,
        {"last": "^hello", "times": 1, "reply": {"content": "first"}},
        {"when": "hello", "reply": {"content": "then"}},
        {"otherwise": {"content": "else"}},
    )
    assert [model.invoke(text).text for text in ("Hello", "hello", "bye")] == ["first", "then", "else"]


def test_when_sees_the_whole_prompt_and_last_only_the_end(tmp_path: Path) -> None:
    model = chat(
        tmp_path,
        {"last": "system words", "reply": {"content": "wrong"}},
        {"when": "^system: system words\nhuman: q$", "reply": {"content": "right"}},
    )
    assert model.invoke([SystemMessage("system words"), HumanMessage("q")]).text == "right"


def test_a_rule_by_role_on_every_path(tmp_path: Path) -> None:
    model = chat(tmp_path, {"role": "distiller", "reply": {"content": "d"}}, {"otherwise": {"content": "?"}})
    config: Any = {"metadata": {ROLE_KEY: "distiller"}}

    async def later() -> list[str]:
        return [(await model.ainvoke("x", config)).text, "".join([c.text async for c in model.astream("x", config)])]

    assert [model.invoke("x", config).text, joined(model.stream("x", config)).text] == ["d", "d"]
    assert asyncio.run(later()) == ["d", "d"]
    assert model.bind(stop=["x"]).with_config(config).invoke("x").text == "d"
    assert model.invoke("x").text == "?"


def test_a_rule_by_role_inside_a_graph_that_streams_tokens(tmp_path: Path) -> None:
    model = chat(tmp_path, {"role": "reader", "reply": {"content": "one two"}})

    async def read(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"], {"metadata": {ROLE_KEY: "reader"}})]}

    graph = StateGraph(MessagesState).add_node("read", read).add_edge(START, "read").add_edge("read", END).compile()

    async def tokens() -> list[str]:
        parts: Any = graph.astream({"messages": [HumanMessage("x")]}, stream_mode="messages", version="v2")
        return [part["data"][0].text async for part in parts if part["data"][0].text]

    assert asyncio.run(tokens()) == ["one ", "two"]


def test_json_tool_calls_reasoning_and_usage_whole_and_streamed(tmp_path: Path) -> None:
    reply = {
        "json": {"medicine": "布洛芬"},
        "reasoning": "think a bit",
        "tool_calls": [{"name": "search", "args": {"query": "布洛芬"}}],
    }
    model = chat(tmp_path, {"otherwise": reply})
    messages: list[Any] = [model.invoke("a b c"), joined(model.stream("a b c"))]
    for message in messages:
        assert json.loads(message.text) == {"medicine": "布洛芬"}
        assert message.additional_kwargs["reasoning_content"] == "think a bit"
        assert [(call["name"], call["args"]) for call in message.tool_calls] == [("search", {"query": "布洛芬"})]
        assert message.usage_metadata["input_tokens"] == 4
        assert message.usage_metadata["output_tokens"] == 6
        assert message.response_metadata["finish_reason"] == "tool_calls"


def test_faults_and_delays(tmp_path: Path) -> None:
    model = chat(
        tmp_path,
        {"last": "down", "error": "unavailable"},
        {"last": "garbage", "error": "reply"},
        {"last": "slow", "delay_s": 0.1, "reply": {"content": "x"}},
    )
    with pytest.raises(ModelUnavailable):
        model.invoke("down")
    with pytest.raises(ModelReplyError):
        list(model.stream("garbage"))
    started = time.monotonic()
    asyncio.run(model.ainvoke("slow"))
    assert time.monotonic() - started >= 0.1


def test_no_rule_quotes_the_last_message(tmp_path: Path) -> None:
    model = chat(tmp_path, {"when": "never", "reply": {"content": "x"}})
    with pytest.raises(UserError, match="last message `what now`"):
        model.invoke("what\nnow")


def test_a_script_may_state_its_profile(tmp_path: Path) -> None:
    model = chat(tmp_path, {"otherwise": {"content": "x"}}, profile={"json_schema": False, "strength": "weak"})
    assert (profile_of(model).json_schema, profile_of(model).strength, profile_of(model).tools) == (False, "weak", True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "script.json"),
        ('{"rules": []}', "rules"),
        ('{"rules": [{"when": "("}]}', r"not a regular expression"),
        ('{"rules": [{"when": "x"}]}', "needs either"),
        ('{"rules": [{"when": "x", "reply": {}}]}', "needs one of"),
        ('{"rules": [{"when": "x", "reply": {"content": "a", "json": 1}}]}', "exclude each other"),
        ('{"rules": [{"otherwise": {"content": "x"}, "when": "y"}]}', "stands alone"),
        ('{"rules": [{"wen": "x", "reply": {"content": "a"}}]}', "wen"),
    ],
)
def test_wrong_scripts_are_one_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "script.json"
    file.write_text(text)
    with pytest.raises(UserError, match=says) as caught:
        scripted_chat(file)
    assert "\n" not in str(caught.value)
