"""`wardround serve` as a process: the ways in that it opens beside OpenAI's protocol."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
from ran import Run

LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPTS = {"accept": "application/json, text/event-stream"}


@contextmanager
def serving(folder: Path, corpus: Path, *options: str) -> Generator[str]:
    """A server of `by_rules` in a process of its own; its address."""
    command = [sys.executable, "-c", "from wardround.cli import main; main()", "serve", "--graph", "by_rules"]
    about = {"WARDROUND_CORPUS": str(corpus), "WARDROUND_MODEL": f"scripted:{folder / 'script.json'}"}
    (folder / "script.json").write_text('{"rules": [{"otherwise": {"content": "Yes."}}]}')
    process = subprocess.Popen(
        [*command, "--port", "0", "--state", str(folder / "state"), *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **about},
    )
    try:
        assert process.stderr is not None
        found = next((m for line in process.stderr if (m := re.search(r"at (http://\S+)/v1\.", line))), None)
        assert found is not None, "it ended without an address"
        with httpx.Client(base_url=found[1], timeout=20) as client:  # it listens before it answers
            client.get("/healthz").raise_for_status()
        yield found[1]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_serve_opens_the_mcp_server_too(tmp_path: Path, essential_index: Path) -> None:
    with serving(tmp_path, essential_index) as address:
        listed = httpx.post(f"{address}/mcp/", json=LIST_TOOLS, headers=ACCEPTS, timeout=20).json()
        models = httpx.get(f"{address}/v1/models", timeout=20).json()
    assert {tool["name"] for tool in listed["result"]["tools"]} == {"search_medicine", "medicine", "by_rules"}
    assert [model["id"] for model in models["data"]] == ["by_rules", "utility"]


def test_patient_records_are_not_served_without_keys(run: Run) -> None:
    refused = run("serve", "--patients", "patients.sqlite")
    assert refused.code == 2
    assert "read under a key only" in refused.err
