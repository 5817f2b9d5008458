"""The JavaScript clients that frontends are made of; versions in package.json."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules").exists(),
    reason="no packages: npm install --ignore-scripts in tests/frontends",
)


def client(name: str, address: str) -> dict[str, Any]:
    """What one client saw of one turn."""
    command = ["node", "clients.mjs", name, address]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_openai(gateway: str) -> None:
    seen = client("openai", gateway)
    assert seen["models"] == ["by_rules", "utility"]
    assert "bleeding risk" in seen["text"]
    assert "Search medicine" in seen["reasoning"]
    assert {one["type"] for one in seen["annotations"]} == {"url_citation"}
    assert seen["usage"] is not None
    assert seen["error"] == {"status": 404, "code": "model_not_found"}


def test_ai_sdk_as_in_chatbox_and_jan(gateway: str) -> None:
    seen = client("ai-sdk", gateway)
    assert "bleeding risk" in seen["text"]
    assert "Sources" in seen["text"]
    assert "Search medicine" in seen["reasoning"]
    assert seen["errors"] == []


def test_langchain(gateway: str) -> None:
    seen = client("langchain", gateway)
    assert "bleeding risk" in seen["text"]
    assert seen["whole"] == seen["text"]


def test_librechats_engine(gateway: str) -> None:
    seen = client("librechat", gateway)
    assert "bleeding risk" in seen["text"]
    assert "bleeding risk" not in seen["reasoning"]
    assert "Search medicine" in seen["reasoning"]


def test_ag_ui(gateway: str) -> None:
    seen = client("ag-ui", gateway)
    assert (seen["kinds"][0], seen["kinds"][-1]) == ("RUN_STARTED", "RUN_FINISHED")
    assert "bleeding risk" in seen["text"]
    assert set(seen["state"]) <= {"text", "answer", "flags"}
