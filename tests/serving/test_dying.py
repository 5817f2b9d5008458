"""What is left when a server dies or its disc is full: `wardround serve` as a process of its own, under load."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from chat_server import ChatServer, Handler, delta
from gateway_server import Serve

BODY: Any = {"model": "utility", "messages": [{"role": "user", "content": "Count."}], "stream": True}
SECONDS = {"quick": 0.2, "slow": 1.5, "very slow": 60.0}


def counting(handler: Handler, body: dict[str, Any]) -> None:
    """A stream that takes as long as the question says."""
    seconds = SECONDS.get(body["messages"][-1]["content"], 0.0)
    handler.begin_stream()
    for number in range(4):
        handler.event(delta(content=f"{number} "))
        time.sleep(seconds / 4)
    handler.event(delta(finish="stop"))
    handler.event("[DONE]")


@contextmanager
def process(state: Path, model_server: ChatServer, *more: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """`wardround serve`, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from wardround.cli import main; main()", "serve", "--port", str(port)]
    command += ["--state", str(state), "--graph", "diagnosis", "--model", f"openai:m@{model_server.address}", *more]
    environment = {**os.environ, "WARDROUND_RETRIES": "0"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            _ready(address, server)
            yield server, address
        finally:
            server.kill()


def _ready(address: str, server: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError(server.stderr.read() if server.stderr else "")
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("it did not start")


async def load(address: str, questions: list[str], seen: list[str]) -> None:
    """Asks all at once; the ids of those whose end was seen go into `seen`."""

    async def one(client: httpx.AsyncClient, question: str) -> None:
        body = {**BODY, "messages": [{"role": "user", "content": question}]}
        try:
            reply = await client.post(f"{address}/v1/chat/completions", json=body)
        except httpx.TransportError:
            return
        lines = reply.text.strip().split("\n\n")
        if lines[-1] == "data: [DONE]" and "error" not in lines[-2][:20]:
            seen.append(_run(lines[0]))

    async with httpx.AsyncClient(timeout=60) as client:
        await asyncio.gather(*(one(client, question) for question in questions))


async def until(true: Callable[[], bool]) -> None:
    """Waits for something, half a minute at most."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another thread or process
            await asyncio.sleep(0.02)


def _run(line: str) -> str:
    return json.loads(line.removeprefix("data: "))["id"].removeprefix("chatcmpl-")


def statuses(state: Path) -> dict[str, str]:
    """How every turn in a folder ended."""
    from wardround.serving import Gateway, Options

    async def read() -> dict[str, str]:
        gateway = Gateway([], Options(state=state))
        await gateway.open()
        rows = await gateway.store._do(  # pyright: ignore[reportAttributeAccessIssue]
            lambda db: db.query(
                "SELECT b.run, e.status FROM turns b LEFT JOIN turns e ON e.run = b.run AND e.event = 'ended' "
                "WHERE b.event = 'begun'"
            )
        )
        await gateway.close()
        return dict(rows)

    return asyncio.run(read())


def test_kill_9_loses_no_finished_turn_and_reports_the_others(tmp_path: Path, chat_server: ChatServer) -> None:
    chat_server.always(counting)
    seen: list[str] = []

    async def run(server: subprocess.Popen[str], address: str) -> None:
        asking = asyncio.create_task(load(address, ["quick", "very slow"] * 12, seen))
        await until(lambda: len(seen) >= 8 and len(chat_server.requests) == 24)
        server.kill()
        await asking

    with process(tmp_path, chat_server) as (server, address):
        asyncio.run(run(server, address))
    found = statuses(tmp_path)
    assert len(found) == 24
    assert all(found[one] == "finished" for one in seen)
    assert set(found.values()) == {"finished", "lost"}
    assert list(found.values()).count("lost") >= 12


def test_sigterm_lets_running_turns_end(tmp_path: Path, chat_server: ChatServer) -> None:
    chat_server.always(counting)
    seen: list[str] = []

    async def run(server: subprocess.Popen[str], address: str) -> None:
        asking = asyncio.create_task(load(address, ["slow"] * 10, seen))
        await until(lambda: len(chat_server.requests) == 10)
        server.send_signal(signal.SIGTERM)
        await asking

    with process(tmp_path, chat_server) as (server, address):
        asyncio.run(run(server, address))
        assert server.wait(20) == 0
    assert len(seen) == 10
    assert list(statuses(tmp_path).values()) == ["finished"] * 10


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path, chat_server: ChatServer) -> None:
    with process(tmp_path, chat_server) as (server, _):
        server.send_signal(signal.SIGINT)
        code = server.wait(20)
        assert server.stderr is not None
        told = server.stderr.read()
    assert code in (0, 130)
    assert "Traceback" not in told


def test_several_workers_share_keys_limits_and_metrics(tmp_path: Path, chat_server: ChatServer) -> None:
    from wardround.serving.keys import KeyFile

    _, secret = KeyFile(tmp_path / "keys.json").add("somebody", turns_a_minute=10)
    with process(tmp_path, chat_server, "--workers", "2", "--keys", str(tmp_path / "keys.json")) as (_, address):
        with httpx.Client(headers={"authorization": f"Bearer {secret}", "connection": "close"}) as http:
            found = [http.post(f"{address}/v1/chat/completions", json=BODY).status_code for _ in range(14)]
        metrics = httpx.get(f"{address}/metrics").text
    assert (found.count(200), found.count(429)) == (10, 4)
    assert 'wardround_turns_total{agent="utility",status="finished"} 10.0' in metrics


@pytest.fixture
def small_disc(tmp_path: Path) -> Generator[Path]:
    """A disc of two megabytes."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disc needs root and `mount`")
    folder = tmp_path / "disc"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], check=False).returncode:
        pytest.skip("no disc can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disc_is_told_and_got_over(serve: Serve, small_disc: Path) -> None:
    server = serve(state=small_disc)
    assert server.http.post("/v1/chat/completions", json=BODY).status_code == 200
    filler = small_disc / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    body = {**BODY, "messages": [{"role": "user", "content": "x" * 100_000}]}
    reply = server.http.post("/v1/chat/completions", json=body)
    assert reply.status_code == 500
    assert reply.json()["error"]["type"] == "server_error"
    filler.unlink()
    assert server.http.post("/v1/chat/completions", json=BODY).status_code == 200
