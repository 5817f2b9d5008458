from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_adapter import write_adapter
from wardround.errors import UserError
from wardround.models.servers.adapters import read_adapter
from wardround.models.servers.families import Parsers
from wardround.models.servers.vllm_command import VllmOptions, printed, vllm_command, vllm_environment

PYTHON, SOCKET = Path("/env/bin/python"), Path("/run/me/vllm.sock")


def options(**more: Any) -> VllmOptions:
    return VllmOptions.model_validate({"model": "/models/m", "name": "m", "parsers": Parsers("hermes", None), **more})


def command(**more: Any) -> list[str]:
    return vllm_command(options(**more), python=PYTHON, socket=SOCKET)


def value(words: list[str], name: str) -> str:
    assert words.count(name) == 1
    return words[words.index(name) + 1]


def test_the_safe_settings_are_there() -> None:
    words = command()
    assert value(words, "--uds") == str(SOCKET)
    assert value(words, "--load-format") == "safetensors"
    assert value(words, "--allowed-media-domains") == "none.invalid"
    assert {"--no-trust-remote-code", "--disable-fastapi-docs", "--disable-uvicorn-access-log"} <= set(words)
    assert not {"--host", "--port", "--api-key", "--enable-lora", "--trust-remote-code"} & set(words)


def test_the_key_is_in_the_environment_and_nowhere_else() -> None:
    environment = vllm_environment(options(), key="the-secret", folder=SOCKET.parent)
    assert environment["VLLM_API_KEY"] == "the-secret"
    assert "the-secret" not in printed(command(), environment)


def test_the_environment_says_no_to_what_is_unsafe() -> None:
    environment = vllm_environment(options(), key="k", folder=SOCKET.parent)
    off = ("VLLM_SERVER_DEV_MODE", "VLLM_ALLOW_RUNTIME_LORA_UPDATING", "VLLM_ALLOW_INSECURE_SERIALIZATION")
    assert {environment[name] for name in off} == {"0"}
    assert {environment[name] for name in ("VLLM_NO_USAGE_STATS", "DO_NOT_TRACK", "HF_HUB_OFFLINE")} == {"1"}
    assert environment["VLLM_HOST_IP"] == "127.0.0.1"


def test_what_reaches_further_is_a_choice() -> None:
    environment = vllm_environment(
        options(download=True, ray=True, adapters_may_change=True), key="k", folder=SOCKET.parent
    )
    assert environment["HF_HUB_OFFLINE"] == "0"
    assert environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "1"
    assert "VLLM_HOST_IP" not in environment


def test_parsers_follow_the_family() -> None:
    words = command(parsers=Parsers("hermes", "qwen3"))
    assert value(words, "--tool-call-parser") == "hermes"
    assert value(words, "--reasoning-parser") == "qwen3"
    assert "--enable-auto-tool-choice" not in command(parsers=Parsers(None, None))


def test_many_gpus() -> None:
    words = command(tensor_parallel=4, pipeline_parallel=2, data_parallel=2, ray=True, gpu_memory=0.8)
    assert value(words, "--tensor-parallel-size") == "4"
    assert value(words, "--pipeline-parallel-size") == "2"
    assert value(words, "--data-parallel-size") == "2"
    assert value(words, "--distributed-executor-backend") == value(words, "--data-parallel-backend") == "ray"
    assert value(words, "--gpu-memory-utilization") == "0.8"


def test_without_a_gpu_it_computes_in_32_bit_unless_told_otherwise() -> None:
    assert value(command(cpu=True), "--dtype") == "float32"
    assert value(command(cpu=True, dtype="bfloat16"), "--dtype") == "bfloat16"
    assert value(command(), "--dtype") == "auto"


def test_adapters_are_served_under_their_hashed_names(tmp_path: Path) -> None:
    adapters = tuple(
        read_adapter(str(write_adapter(tmp_path / name, seed=seed, layers=1, hidden=8, rank=rank)))
        for seed, (name, rank) in enumerate((("one", 4), ("two", 12)))
    )
    words = command(adapters=adapters)
    assert value(words, "--max-lora-rank") == "16"
    assert value(words, "--max-loras") == "2"
    assert all(any(f'"name": "{adapter.served_name}"' in word for word in words) for adapter in adapters)


def test_a_rank_that_vllm_does_not_serve_is_refused(tmp_path: Path) -> None:
    adapter = read_adapter(str(write_adapter(tmp_path / "wide", seed=0, layers=1, hidden=2, rank=513)))
    with pytest.raises(UserError, match="rank `513`"):
        command(adapters=(adapter,))


@pytest.mark.parametrize(
    "word",
    ["--api-key", "--api_key=x", "--trust-remote-code", "--trust-rem", "--allowed-local-media-path=/", "--middleware"],
)
def test_further_options_cannot_undo_a_safe_setting(word: str) -> None:
    with pytest.raises(UserError, match="would undo a safe setting"):
        command(further=(word, "x"))


@pytest.mark.parametrize("word", ["--port", "-tp", "--max-model-len=7", "--uds"])
def test_what_has_an_option_here_is_not_taken_twice(word: str) -> None:
    with pytest.raises(UserError, match="is set by an option"):
        command(further=(word, "1"))


def test_other_options_of_vllm_are_passed_on() -> None:
    assert command(further=("--max-num-seqs", "64"))[-2:] == ["--max-num-seqs", "64"]
