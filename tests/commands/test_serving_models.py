"""`wardround models serve`, `load`, `unload` from the command line, as far as no vLLM is needed."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from ran import Run
from small_adapter import write_adapter
from wardround.errors import UserError
from wardround.models import find
from wardround.models.adapter import shipped_adapter
from wardround.models.servers.adapters import read_adapter
from wardround.models.servers.ports import claim
from wardround.settings import Settings


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a model, for what is decided before one is loaded."""
    folder = tmp_path / "Qwen3-8B"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen3", "hidden_size": 8, "num_hidden_layers": 2}))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    return folder


def adapter(tmp_path: Path, name: str, seed: int = 0, template: str | None = None) -> Path:
    folder = write_adapter(tmp_path / name, seed=seed, layers=2, hidden=8)
    if template:
        (folder / "chat_template.jinja").write_text(template)
    return folder


def test_print_shows_the_command_and_runs_nothing(run: Run, model: Path) -> None:
    shown = run("models", "serve", "--model", model, "--tensor-parallel", 4, "--print")
    assert shown.code == 0, shown.err
    assert f"--model {model}" in shown.out
    for words in (
        "--tool-call-parser hermes",
        "--reasoning-parser qwen3",
        "--tensor-parallel-size 4",
        "VLLM_API_KEY=...",
    ):
        assert words in shown.out
    assert subprocess.run(["/bin/sh", "-n", "-c", shown.out], check=False).returncode == 0


def test_print_needs_no_vllm_but_takes_one_that_is_named(run: Run, model: Path, tmp_path: Path) -> None:
    assert "python -m vllm" in run("models", "serve", "--model", model, "--print").out
    absent = run("models", "serve", "--model", model, "--print", "--python", tmp_path / "absent")
    assert (absent.code, "there is no Python" in absent.err) == (2, True)


def test_without_vllm_the_way_to_it_is_named(run: Run, model: Path) -> None:
    shown = run("models", "serve", "--model", model)
    assert (shown.code, shown.err.count("\n")) == (2, 1)
    assert "make vllm-env" in shown.err


def test_an_environment_without_vllm_is_said(run: Run, model: Path) -> None:
    if importlib.util.find_spec("vllm") is not None:
        pytest.skip("this environment has vLLM")
    shown = run("models", "serve", "--model", model, "--python", sys.executable)
    assert (shown.code, "has no vLLM" in shown.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "./nowhere"), "there is no folder"),
        (("--model", "acme/one"), "--tool-parser"),
        (("--model", "minilm"), "no tool-call parser"),
        (("--adapter", "nowhere"), "there is no adapter"),
        (("--chat-template", "nowhere"), "there is no chat template"),
        (("--", "--api-key", "x"), "would undo a safe setting"),
        (("--engine", "llamacpp"), "has no command to `--print`"),
        (("--tensor-parallel", "0"), "tensor-parallel"),
    ],
)
def test_what_can_not_be_is_one_line(run: Run, model: Path, arguments: tuple[str, ...], said: str) -> None:
    first = () if "--model" in arguments else ("--model", str(model))
    shown = run("models", "serve", *first, "--print", *arguments)
    assert (shown.code, shown.err.count("\n")) == (2, 1)
    assert said in shown.err


def test_an_adapter_of_another_model_is_refused_before_anything_is_started(
    run: Run, model: Path, tmp_path: Path
) -> None:
    wrong = write_adapter(tmp_path / "wrong", seed=0, layers=9, hidden=8)
    shown = run("models", "serve", "--model", model, "--adapter", wrong, "--print")
    assert (shown.code, "another model" in shown.err) == (2, True)


def test_the_template_of_the_adapters_is_the_server_s(run: Run, model: Path, tmp_path: Path) -> None:
    own = adapter(tmp_path, "own", 1, "{{ messages }}")
    other = adapter(tmp_path, "other", 2, "{{ messages[0] }}")
    third = adapter(tmp_path, "third", 3, "{{ messages[1] }}")

    def printed(*given: Path) -> str:
        shown = run("models", "serve", "--model", model, "--print", *(w for a in given for w in ("--adapter", a)))
        return shown.out + shown.err

    assert "--chat-template" not in printed(own)
    assert f"--chat-template {other}/chat_template.jinja" in printed(other)
    assert "different chat templates" in printed(other, third)


def test_the_same_adapter_twice_is_refused(run: Run, model: Path, tmp_path: Path) -> None:
    one = adapter(tmp_path, "one")
    shown = run("models", "serve", "--model", model, "--print", "--adapter", one, "--adapter", one)
    assert (shown.code, "the same adapter twice" in shown.err) == (2, True)


def test_loading_without_a_server_is_one_line(run: Run, tmp_path: Path) -> None:
    for command in (("load", adapter(tmp_path, "one")), ("unload", "one-0123456789ab")):
        shown = run("models", *command, "--port", 9)
        assert (shown.code, shown.err.count("\n")) == (2, 1)
        assert "wardround models serve" in shown.err


def test_an_adapter_is_read_once_for_all_of_its_names(tmp_path: Path) -> None:
    read = read_adapter(f"mine={adapter(tmp_path, 'one')}")
    assert re.fullmatch(r"mine-[0-9a-f]{12}", read.served_name)


# -- llama.cpp: all of it for real ------------------------------------------------------------------------------


class Server:
    """`wardround models serve --engine llamacpp` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.said = folder / "said"
        self.cache = Settings(_env_file=None).cache_dir  # type: ignore[call-arg]
        environment = {**os.environ, "WARDROUND_STATE_DIR": str(folder / "state")}
        environment.pop("WARDROUND_API_KEY", None)
        code = "from wardround.cli import main; main()"
        command = [sys.executable, "-c", code, "models", "serve", "--engine", "llamacpp", *arguments]
        with self.said.open("w") as sink:
            self.process = subprocess.Popen(command, stdout=sink, stderr=sink, env=environment)
        try:
            ready = self._ready()
        except BaseException:
            self.process.kill()
            raise
        self.name, self.address = ready[1], ready[2]
        self.key = (folder / "state" / "model-server.key").read_text().strip()

    def _ready(self) -> re.Match[str]:
        end = time.monotonic() + 270
        while not (ready := re.search(r"ready: (\S+) at (http://\S+)/v1", self.said.read_text())):
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < end, self.said.read_text()
            time.sleep(0.05)
        return ready

    def ask(self, key: str) -> httpx.Response:
        body = {"model": self.name, "messages": [{"role": "user", "content": "Say hi"}], "max_tokens": 4}
        headers = {"authorization": f"Bearer {key}"}
        return httpx.post(
            f"{self.address}/v1/chat/completions", json=body, headers=headers, timeout=60, trust_env=False
        )


@pytest.fixture(scope="module")
def llamacpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'wardround[local]'")
    if importlib.util.find_spec("uvicorn") is None:
        pytest.skip("uvicorn is not installed: pip install 'wardround[serve]'")
    try:
        find("smollm2", settings=Settings(_env_file=None))  # type: ignore[call-arg]
    except UserError as error:
        pytest.skip(str(error))
    server = Server(tmp_path_factory.mktemp("llamacpp"), "--port", "0")
    try:
        yield server
        server.process.send_signal(signal.SIGINT)  # Ctrl-C
        assert server.process.wait(60) == 0, server.said.read_text()
    finally:
        server.process.kill()
        server.process.wait()


def test_llamacpp_takes_an_exported_folder(llamacpp: Server, tmp_path: Path) -> None:
    shipped = shipped_adapter("distiller", "smollm2")
    assert shipped is not None
    server = Server(tmp_path, "--port", "0", "--adapter", str(shipped.folder))
    try:
        replies = [one.ask(one.key).json()["choices"][0]["message"]["content"] for one in (llamacpp, server)]
        assert replies[0] != replies[1]
    finally:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == 0, server.said.read_text()


def test_llamacpp_refuses_an_adapter_of_another_model(run: Run, tmp_path: Path) -> None:
    shipped = shipped_adapter("distiller", "smollm2")
    assert shipped is not None
    (tmp_path / "other.gguf").write_bytes(b"")
    other = tmp_path / "other.gguf"
    shown = run("models", "serve", "--engine", "llamacpp", "--model", other, "--adapter", shipped.folder)
    assert (shown.code, "belongs to `smollm2`" in shown.err) == (2, True)


def test_llamacpp_answers_behind_the_gate(llamacpp: Server) -> None:
    assert llamacpp.ask("wrong").status_code == 401
    reply = llamacpp.ask(llamacpp.key)
    assert reply.json()["choices"][0]["message"]["content"]
    for path in ("/slots", "/props", "/lora-adapters", "/completion", "/metrics", "/v1/embeddings"):
        found = httpx.get(llamacpp.address + path, headers={"authorization": f"Bearer {llamacpp.key}"}, trust_env=False)
        assert found.status_code == 404


def test_the_key_is_not_said_only_where_it_lies(llamacpp: Server) -> None:
    said = llamacpp.said.read_text()
    assert llamacpp.key not in said
    assert "model-server.key" in said


def test_a_busy_port_is_one_line(llamacpp: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDROUND_CACHE_DIR", str(llamacpp.cache))
    port = llamacpp.address.rpartition(":")[2]
    shown = run("models", "serve", "--engine", "llamacpp", "--port", port)
    assert (shown.code, shown.err.count("\n")) == (2, 1)
    assert f"port `{port}`" in shown.err


def test_sigterm_ends_it_in_an_orderly_way(llamacpp: Server, tmp_path: Path) -> None:
    assert llamacpp.address  # skips where there is no model
    server = Server(tmp_path, "--port", "0")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    assert server.said.read_text().endswith("stopped\n")
    claim("127.0.0.1", int(server.address.rpartition(":")[2])).close()
