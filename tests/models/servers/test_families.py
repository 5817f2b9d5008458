from __future__ import annotations

import json
from pathlib import Path

import pytest
from wardround.errors import UserError
from wardround.models.servers.families import Parsers, names_of, parsers_for


@pytest.mark.parametrize(
    ("model", "tools", "reasoning"),
    [
        ("smollm2", "hermes", None),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "hermes", None),
        ("Qwen/Qwen3-32B", "hermes", "qwen3"),
        ("Qwen/Qwen3-4B-Instruct-2507", "hermes", None),
        ("Qwen/Qwen3-VL-8B-Thinking", "hermes", "qwen3"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3_coder", None),
        ("openai/gpt-oss-120b", "openai", "openai_gptoss"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama3_json", None),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", None, "deepseek_r1"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek_v31", "deepseek_v3"),
        ("mistralai/Magistral-Small-2509", "mistral", "mistral"),
        ("FreedomIntelligence/HuatuoGPT-o1-8B", None, None),
        ("OpenGVLab/InternVL3-8B", None, None),
    ],
)
def test_a_family_has_its_parsers(model: str, tools: str | None, reasoning: str | None) -> None:
    assert parsers_for([model]) == Parsers(tools, reasoning)


def test_the_name_of_an_organisation_decides_nothing() -> None:
    with pytest.raises(UserError, match="--tool-parser"):
        parsers_for(["qwen-fans/unheard-of"])


def test_an_unknown_family_needs_the_option() -> None:
    with pytest.raises(UserError, match=r"`acme/one`.*`--tool-parser none`"):
        parsers_for(["acme/one"])
    assert parsers_for(["acme/one"], tools="hermes") == Parsers("hermes", None)
    assert parsers_for(["acme/one"], tools="none", reasoning="qwen3") == Parsers(None, "qwen3")


def test_an_option_wins_over_the_table() -> None:
    assert parsers_for(["Qwen/Qwen3-8B"], tools="xlam", reasoning="none") == Parsers("xlam", None)


def test_a_folder_is_known_by_what_its_config_says(tmp_path: Path) -> None:
    folder = tmp_path / "run-17"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen2", "_name_or_path": "/data/base"}))
    assert names_of(str(folder)) == ["run-17", "/data/base", "qwen2"]
    assert parsers_for(names_of(str(folder))) == Parsers("hermes", None)


def test_a_config_that_is_no_json_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json` cannot be read"):
        names_of(str(tmp_path))
