from __future__ import annotations

import asyncio
import json

import pytest
from chat_server import MODEL, ChatServer, say
from hypothesis import given, settings
from hypothesis import strategies as st
from wardround.models import ModelProfile, find_object, structured_reply
from wardround.models.openai_chat import openai_chat
from wardround.settings import Settings

SCHEMA = {"type": "object", "properties": {"medicine": {"type": "string"}}, "required": ["medicine"]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50)
@given(
    st.dictionaries(st.text(max_size=9), JSON, max_size=4),
    st.sampled_from(["{}", "```json\n{}\n```", "Here it is:\n{}\nDone.", " {} "]),
)
def test_an_object_is_found_as_it_was_written(value: dict[str, object], around: str) -> None:
    written = json.dumps(value, ensure_ascii=False, indent=1)
    if "```" not in written:
        assert find_object(around.replace("{}", written, 1)) == value


@given(st.text(alphabet='{}[]":,a1\\`\n ', max_size=200))
def test_any_text_is_survived(text: str) -> None:
    found = find_object(text)
    assert found is None or isinstance(found, dict)


@pytest.mark.parametrize("text", ["", "no", "[1]", '"x"', '{"a": 1', '{"a": NaN}', '{"a":' * 5000, "[" * 100_000])
def test_nothing_is_invented(text: str) -> None:
    assert find_object(text) is None


def test_of_several_the_one_with_the_required_keys() -> None:
    assert find_object('As {"x": 1} I say {"medicine": "a"}.', required=["medicine"]) == {"medicine": "a"}
    assert find_object('{"x": 1} {"y": 2}', required=["medicine"]) == {"x": 1}


@pytest.mark.parametrize("able", [True, False])
def test_schema_is_sent_only_where_the_profile_has_it(chat_server: ChatServer, able: bool) -> None:
    profile = ModelProfile(name=MODEL, json_schema=able)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    model = openai_chat(MODEL, chat_server.address, settings=settings, profile=profile)
    chat_server.then(say('```\n{"medicine": "布洛芬"}\n```'))
    found, message = asyncio.run(structured_reply(model, "which?", SCHEMA, name="search_call"))
    assert found == {"medicine": "布洛芬"}
    assert "布洛芬" in message.text
    sent = chat_server.requests[0].body.get("response_format")
    wanted = {"name": "search_call", "schema": SCHEMA, "strict": True}
    assert sent == ({"type": "json_schema", "json_schema": wanted} if able else None)


def test_a_reply_without_an_object_is_none_and_kept(chat_server: ChatServer) -> None:
    model = openai_chat(MODEL, chat_server.address, settings=Settings(_env_file=None))  # type: ignore[call-arg]
    found, message = asyncio.run(structured_reply(model, "which?", SCHEMA, name="search_call"))
    assert found is None
    assert message.text == "All is well."
