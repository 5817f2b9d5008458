from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, fail
from wardround.commands.doctor import Check, examine, show
from wardround.settings import Settings


def settings(cache: Path, **more: Any) -> Settings:
    return Settings(cache_dir=cache, **more)


def examined(tmp_path: Path, corpus: Path | None, **more: Any) -> dict[str, Check]:
    return {c.name: c for c in examine(corpus=corpus, settings=settings(tmp_path / "cache", **more))}


def scripted(tmp_path: Path) -> str:
    file = tmp_path / "script.json"
    file.write_text(json.dumps({"rules": [{"otherwise": {"content": "Yes."}}]}))
    return f"scripted:{file}"


def test_all_is_well(tmp_path: Path, essential_index: Path) -> None:
    checks = examined(tmp_path, essential_index, model=scripted(tmp_path))
    assert {name for name, check in checks.items() if check.needed and not check.ok} == set()
    assert "medicines" in checks["corpus"].found
    assert "declared strong, calls tools" in checks["model"].found


def test_the_embedded_model_is_missing(tmp_path: Path, essential_index: Path) -> None:
    checks = examined(tmp_path, essential_index, model="local")
    assert not checks["model"].ok
    assert "wardround models pull smollm2" in checks["model"].found + checks["model"].remedy


def test_a_server_that_fails(tmp_path: Path, essential_index: Path, chat_server: ChatServer) -> None:
    chat_server.always(fail(500))
    checks = examined(tmp_path, essential_index, model=f"openai:test-model@{chat_server.address}")
    assert not checks["model"].ok
    assert len(chat_server.requests) == 1  # asked once, not with all the retries


def test_a_server_that_answers(tmp_path: Path, essential_index: Path, chat_server: ChatServer) -> None:
    checks = examined(tmp_path, essential_index, model=f"openai:qwen3-8b@{chat_server.address}")
    assert checks["model"].ok
    assert chat_server.requests[0].body["max_tokens"] == 8


def test_a_missing_corpus(tmp_path: Path) -> None:
    checks = examined(tmp_path, tmp_path / "none", model=scripted(tmp_path))
    assert not checks["corpus"].ok
    assert "none" in checks["corpus"].found


def test_a_cache_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("x")
    checks = examined(tmp_path, None, model=scripted(tmp_path))
    assert "WARDROUND_CACHE_DIR" in checks["cache"].remedy
    assert not checks["corpus"].ok


def test_telemetry_that_somebody_turned_on(
    tmp_path: Path, essential_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANONYMIZED_TELEMETRY", "True")
    check = examined(tmp_path, essential_index, model=scripted(tmp_path))["telemetry"]
    assert (check.ok, check.needed, check.remedy) == (False, False, "unset ANONYMIZED_TELEMETRY")


def test_what_mends_it_stands_whole_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    long = "pip install --force-reinstall " + "package " * 30
    show([Check(name="x", ok=False, found="missing \x1b[31m", remedy=long), Check(name="y", ok=True, found="1")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("MISSING  x") and "\x1b" not in lines[0]
    assert long.strip() in lines[1]
    assert lines[2].startswith("ok       y")


def test_an_environment_for_vllm_is_looked_into_where_one_is_named(
    tmp_path: Path, essential_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a checkout that ran `make test-vllm` has one
    model = scripted(tmp_path)
    assert "vllm" not in examined(tmp_path, essential_index, model=model)
    absent = examined(tmp_path, essential_index, model=model, vllm_python=tmp_path / "absent")["vllm"]
    assert (absent.ok, absent.needed, "there is no Python" in absent.found) == (False, False, True)
    packages = tmp_path / "packages" / "vllm-1.2.3+cpu.dist-info"
    packages.mkdir(parents=True)
    (packages / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 1.2.3+cpu\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nshift; PYTHONPATH={packages.parent} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert "1.2.3+cpu for the CPU" in examined(tmp_path, essential_index, model=model, vllm_python=python)["vllm"].found
