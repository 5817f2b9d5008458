from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_openai import ChatOpenAI
from wardround.errors import UserError
from wardround.models import ModelProfile, declared_profile, profile_of
from wardround.models.profile import profile_from_file
from wardround.models.script import Script
from wardround.models.scripted import ScriptedChat


@pytest.mark.parametrize(
    ("name", "strength", "reasoning", "vision"),
    [
        ("SmolLM2-135M-Instruct", "weak", False, False),
        ("Qwen/Qwen2.5-0.5B-Instruct", "weak", False, False),
        ("Qwen/Qwen2.5-72B-Instruct", "strong", False, False),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "strong", False, False),
        ("Qwen/Qwen3-32B", "strong", True, False),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "strong", False, True),
        ("meta-llama/Llama-3.3-70B-Instruct", "strong", False, False),
        ("deepseek-ai/DeepSeek-R1", "strong", True, False),
        ("openai/gpt-oss-20b", "strong", True, False),
        ("google/medgemma-27b-it", "strong", False, True),
        ("distiller-3f9a", "weak", False, False),
    ],
)
def test_what_names_stand_for(name: str, strength: str, reasoning: bool, vision: bool) -> None:
    profile = declared_profile(name)
    assert (profile.strength, profile.reasoning, profile.vision) == (strength, reasoning, vision)
    assert profile.tools == (strength == "strong")
    assert profile.json_schema


def test_ours_is_found_through_bindings() -> None:
    own = ModelProfile(name="x", tools=True, strength="strong")
    chat = ScriptedChat(script=Script.model_validate({"rules": [{"otherwise": {"content": "x"}}]}), declared=own)
    assert profile_of(chat) == own
    assert profile_of(chat.bind_tools([]).with_config({"tags": ["x"]})) == own


def test_a_foreign_model_nobody_knows_can_do_nothing() -> None:
    profile = profile_of(FakeListChatModel(responses=["x"]))
    assert profile == ModelProfile(name="FakeListChatModel")
    assert not (profile.tools or profile.json_schema)


def test_a_foreign_model_with_a_profile_of_langchain_is_believed() -> None:
    model = ChatOpenAI(model="gpt-4o", api_key="x", base_url="http://127.0.0.1:9/v1")  # type: ignore[arg-type]
    profile = profile_of(model)
    assert profile.tools
    assert profile.json_schema
    assert profile.context_tokens > 32768


def test_a_profile_file_replaces_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text('{"tools": true, "context_tokens": 8192}')
    profile = profile_from_file(file, declared_profile("distiller"))
    assert (profile.name, profile.tools, profile.context_tokens) == ("distiller", True, 8192)


@pytest.mark.parametrize("text", ["", "[]", '{"tool": true}', '{"context_tokens": 0}', '{"strength": "huge"}'])
def test_a_wrong_profile_file_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "profile.json"
    file.write_text(text)
    with pytest.raises(UserError, match=r"profile\.json") as caught:
        profile_from_file(file, declared_profile("x"))
    assert "\n" not in str(caught.value)


def test_a_missing_profile_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="WARDROUND_PROFILE"):
        profile_from_file(tmp_path / "absent.json", declared_profile("x"))
