"""`langgraph dev` over langgraph.json, used with `langgraph-sdk`; in an environment of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
CODE = """
import asyncio, json, sys
from langgraph_sdk import get_client
async def main():
    client = get_client(url=sys.argv[1])
    names = sorted({one["graph_id"] for one in await client.assistants.search()})
    thread = await client.threads.create()
    asked = {"messages": [{"role": "user", "content": "Hello"}]}
    kinds, last = [], None
    modes = ["values", "updates"]
    async for part in client.runs.stream(thread["thread_id"], "consultation", input=asked, stream_mode=modes):
        kinds.append(part.event)
        last = part.data if part.event == "values" else last
    history = await client.threads.get_history(thread["thread_id"])
    answer = last["messages"][-1]["content"]
    print(json.dumps({"names": names, "kinds": kinds, "answer": answer, "history": len(history)}))
asyncio.run(main())
"""


def test_a_thread_is_answered_and_kept(environment: Any, tmp_path: Path) -> None:
    python: Path = environment("lgdev")
    script = tmp_path / "script.json"
    script.write_text('{"rules": [{"otherwise": {"content": "Hello."}}]}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGSMITH_TRACING": "false", "DO_NOT_TRACK": "1"}
    about = {**os.environ, **quiet, "WARDROUND_MODEL": f"scripted:{script}"}
    command = [str(python.with_name("langgraph")), "dev", "--no-browser", "--no-reload", "--port", str(port)]
    manifest = tmp_path / "langgraph.json"
    manifest.write_text(json.dumps(json.loads((ROOT / "langgraph.json").read_text()) | {"dependencies": [str(ROOT)]}))
    server = subprocess.Popen([*command, "--config", str(manifest)], env=about, cwd=tmp_path)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server)
        done = subprocess.run(
            [str(python), "-c", CODE, address], capture_output=True, text=True, timeout=200, check=False
        )
    finally:
        server.terminate()
        server.wait(30)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert seen["names"] == ["consultation", "diagnosis", "progression", "ward_round"]
    assert "values" in seen["kinds"]
    assert seen["answer"].startswith("Hello")
    assert seen["history"] > 1


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 200
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended"
        try:
            if httpx.get(f"{address}/ok", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(1)
    raise AssertionError("the server did not start")
