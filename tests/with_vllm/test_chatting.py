"""What the rest of the project asks of a model, asked of a real vLLM through the project's own client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from served import BASE, Served
from wardround.models import chat_model, structured_reply

pytestmark = pytest.mark.timeout(900)
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "search_medicine",
        "description": "Search the medicine database.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "medicine": {"type": "string", "enum": ["warfarin", "ibuprofen", "St. John's wort"]},
                "attribute": {"type": "string", "enum": ["dosage", "interactions", "storage"]},
            },
            "required": ["medicine", "attribute"],
            "additionalProperties": False,
        },
    },
}


def model(served: Served, name: str = BASE, **params: Any) -> Any:
    return chat_model(f"openai:{name}@{served.address}", settings=served.settings, **params)


def test_chat_says_the_same_twice(served: Served) -> None:
    first, second = (model(served, max_tokens=16).invoke("What is aspirin for?") for _ in range(2))
    assert first.text
    assert first.text == second.text
    assert first.usage_metadata["output_tokens"] == 16


def test_a_stream_is_the_same_reply_in_pieces(served: Served) -> None:
    asked = model(served, max_tokens=16)
    pieces = [chunk.text for chunk in asked.stream("What is aspirin for?") if chunk.text]
    assert len(pieces) > 8
    assert "".join(pieces) == asked.invoke("What is aspirin for?").text


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_strict_tool_call_follows_its_schema_whatever_the_model_would_say(served: Served, seed: int) -> None:
    asked = model(served, max_tokens=120, temperature=1.0, seed=seed).bind_tools([TOOL], tool_choice="search_medicine")
    reply = asked.invoke("Can I take ibuprofen with warfarin?")
    (call,) = reply.tool_calls
    properties = TOOL["function"]["parameters"]["properties"]
    assert call["name"] == "search_medicine"
    assert {name: value in properties[name]["enum"] for name, value in call["args"].items()} == {
        "medicine": True,
        "attribute": True,
    }


def test_json_follows_its_schema(served: Served) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "medicine": {"type": "string", "enum": ["布洛芬 缓释胶囊", 'the "red" one']},
            "doses": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        },
        "required": ["medicine", "doses"],
        "additionalProperties": False,
    }
    for question in ("布洛芬怎么吃？", "the weather"):
        found, _ = asyncio.run(structured_reply(model(served), question, schema, name="pick", temperature=1.0))
        assert found is not None
        assert found["medicine"] in schema["properties"]["medicine"]["enum"]
        assert [type(dose) for dose in found["doses"]] == [int, int]


def test_many_at_once_are_all_answered(served: Served) -> None:
    async def ask() -> list[str]:
        asked = model(served, max_tokens=4)
        replies = await asyncio.gather(*(asked.ainvoke(f"Count from {n}.") for n in range(16)))
        return [reply.text for reply in replies]

    assert all(asyncio.run(ask()))
