"""A real vLLM on this machine's CPU, behind the gate, started as a user would. For all tests of this folder: one."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import wardround
from served import WARDROUND, Served, group
from small_adapter import write_adapter
from wardround.models import find
from wardround.models.servers.unpacking import unpacked
from wardround.settings import Settings

READY_S = 600
DEMONSTRATIONS = Path(__file__).parents[2] / "examples" / "training" / "stage1.jsonl"
REASONER = """
kind = "sft"
base = "smollm2"
learning_rate = 1e-3
warmup = 0.1
batch_size = 4
epochs = 10
max_steps = 24
precision = "auto"
"""


@pytest.fixture(scope="session")
def vllm_env() -> Path:
    """The Python that has vLLM."""
    python = os.environ.get("WARDROUND_VLLM_PYTHON")
    if not python:
        pytest.skip("needs an environment with vLLM: run `make test-vllm`")
    return Path(python)


@pytest.fixture(scope="session")
def base(vllm_env: Path) -> Path:
    """SmolLM2 as safetensors."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    find("smollm2", settings=settings)  # fails, and does not skip: `make test-vllm` pulls it
    return unpacked("smollm2", settings=settings, python=vllm_env)


@pytest.fixture(scope="session")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two adapters with random weights, strong enough to change every answer."""
    config = json.loads((base / "config.json").read_text())
    folder = tmp_path_factory.mktemp("adapters")
    shape = {"layers": config["num_hidden_layers"], "hidden": config["hidden_size"]}
    return write_adapter(folder / "one" / "tuned", seed=1, **shape), write_adapter(
        folder / "two" / "tuned", seed=2, **shape
    )


@pytest.fixture(scope="session")
def shipped() -> Path | None:
    """The tuned distiller, where one comes with this version of wardround."""
    found = sorted((Path(wardround.__file__).parent / "models" / "adapters").glob("distiller-*/wardround.json"))
    return found[0].parent if found else None


@pytest.fixture(scope="session")
def reasoner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter tuned here on the demonstrations of reasoning that wardround ships, by its own commands."""
    folder = tmp_path_factory.mktemp("reasoner")
    config = folder / "reasoner.toml"
    config.write_text(REASONER, encoding="utf-8")
    rows, out = str(DEMONSTRATIONS), str(folder / "run")
    for command in (
        ["train", "sft", "--config", str(config), "--train", rows, "--out", out],
        ["train", "export", f"{out}/adapter", "--name", "reasoner-smollm2", "--role", "reasoner", "--out", str(folder)],
    ):
        done = subprocess.run([*WARDROUND, *command], capture_output=True, text=True, check=False, timeout=900)
        assert done.returncode == 0, done.stderr[-3000:]
    return next(folder.glob("reasoner-smollm2-*"))


@pytest.fixture(scope="session")
def served(
    base: Path,
    adapters: tuple[Path, Path],
    shipped: Path | None,
    reasoner: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """The server with its adapters, ready. At the end it is told to stop, and must leave nothing behind."""
    assert base.is_dir()
    folder = tmp_path_factory.mktemp("served")
    key = folder / "key"
    key.write_text(secrets.token_urlsafe(24))
    said = folder / "said"
    command = [*WARDROUND, "models", "serve", "--port", "0", "--key-file", str(key), "--context", "4096"]
    command += ["--adapter", str(adapters[0]), *(["--adapter", str(shipped)] if shipped else [])]
    command += ["--adapter", str(reasoner)]
    command += ["--adapters-may-change", "--kv-cache-gib", "1", "--wait", str(READY_S)]
    state = folder / "state"
    with said.open("w") as sink:
        environment = {**os.environ, "WARDROUND_STATE_DIR": str(state)}
        process = subprocess.Popen(command, stderr=sink, stdout=sink, env=environment)
    try:
        address, names = _wait(process, said, state)
        port = int(address.rpartition(":")[2].removesuffix("/v1"))
        distiller = shipped.name if shipped else None
        yield Served(address, key.read_text(), port, state, names[1], distiller, reasoner.name, process.pid)
        started = group(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, said.read_text()
        assert said.read_text().endswith("stopped\n")
        assert not _left(started)
        left = {file.name for file in (state / "servers" / str(port)).iterdir()}
        assert left - {"profile.json"} == {"vllm.log"}
    finally:
        process.kill()


def _left(pids: set[int]) -> set[int]:
    """Those that still run; what was told to end gets some seconds for it. One that has ended and was not waited for
    (a zombie) does not run."""
    end = time.monotonic() + 10
    while running := {pid for pid in pids if _runs(pid)}:
        if time.monotonic() > end:
            return running
        time.sleep(0.2)
    return set()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait(process: subprocess.Popen[bytes], said: Path, state: Path) -> tuple[str, list[str]]:
    end = time.monotonic() + READY_S + 60
    while time.monotonic() < end:
        if match := re.search(r"ready after \d+ s: (.*) at (http://\S+)", said.read_text()):
            return match[2], match[1].split(", ")
        if process.poll() is not None:
            break
        time.sleep(0.5)
    logs = "\n".join(log.read_text()[-6000:] for log in state.glob("servers/*/vllm.log"))
    pytest.fail(f"the server does not come up:\n{said.read_text()}\n{logs}")


@pytest.fixture(scope="session")
def reference(vllm_env: Path, base: Path) -> Callable[[Mapping[str, Any]], Any]:
    """Asks transformers, in the environment of vLLM: what tests/with_vllm/reference.py answers to a request."""

    def ask(request: Mapping[str, Any]) -> Any:
        script = Path(__file__).with_name("reference.py")
        done = subprocess.run(
            [str(vllm_env), str(script), str(base)],
            input=json.dumps(request), capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return ask
