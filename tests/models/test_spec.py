from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from chat_server import MODEL, ChatServer
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from wardround.errors import UserError
from wardround.models import ModelProfile, chat_model, profile_of
from wardround.settings import Settings


def settings(**fields: object) -> Settings:
    return Settings(_env_file=None, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "gpt-4o",
        "openai:",
        "openai:gpt-4o",
        "openai:@http://h/v1",
        "openai:x@h:8000/v1",
        "openai:x@http://",
        "openai:x@http://h:99999/v1",
        "openai:x@http://h/v1?key=1",
        "scripted:",
        "localhost",
        "vllm:x@http://h/v1",
    ],
)
def test_bad_specs_show_the_value_and_the_forms(spec: str) -> None:
    with pytest.raises(UserError) as caught:
        chat_model(spec, settings=settings())
    said = str(caught.value)
    assert f"`{spec}`" in said
    assert "http://host:port/v1" in said
    assert "\n" not in said


def test_a_key_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserError, match="WARDROUND_API_KEY") as caught:
        chat_model("openai:x@http://user:hunter2@h/v1", settings=settings())
    assert "hunter2" not in str(caught.value)


@examples(deadline=None, max_examples=150)  # the first HTTPS client loads the system's certificates
@given(st.sampled_from(["", "openai:", "openai:x@http://", "openai:x@https://h:1"]), st.text(max_size=20))
def test_any_spec_is_a_model_or_a_user_error(start: str, rest: str) -> None:
    try:
        chat_model(start + rest, settings=settings())
    except UserError as error:
        assert "\n" not in str(error)


def test_openai_spec_with_slashes_and_colons_in_the_name(chat_server: ChatServer) -> None:
    model = chat_model(f"openai:org/name:v1@{chat_server.address}/", settings=settings(), temperature=0.5, seed=1)
    assert model.invoke("hi").text == "All is well."
    sent = chat_server.requests[0]
    assert (sent.path, sent.body["model"], sent.body["temperature"], sent.body["seed"]) == (
        "/v1/chat/completions",
        "org/name:v1",
        0.5,
        1,
    )


def test_spec_of_the_settings_is_the_default(chat_server: ChatServer, tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text('{"tools": true}')
    model = chat_model(settings=settings(model=f"openai:{MODEL}@{chat_server.address}", profile=file))
    assert (profile_of(model).name, profile_of(model).tools) == (MODEL, True)


def test_a_given_profile_wins(tmp_path: Path) -> None:
    script = tmp_path / "s.json"
    script.write_text('{"rules": [{"otherwise": {"content": "hi"}}]}')
    own = ModelProfile(name="mine")
    model = chat_model(f"scripted:{script}", profile=own, settings=settings())
    assert model.invoke("x").text == "hi"
    assert profile_of(model) == own


def test_importing_is_light() -> None:
    code = "import sys, wardround.models; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not [name for name in ("openai", "langchain_core", "xllamacpp") if f"'{name}'" in loaded]
