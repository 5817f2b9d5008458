from __future__ import annotations

import asyncio
import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import HumanMessage
from wardround.agents.prompting import prompt
from wardround.corpora import Corpus
from wardround.errors import ModelUnavailable, UserError
from wardround.graphs import Recorder, consult, consultation

GOOD = "Take 1 ibuprofen 200 mg tablet every 4 to 6 hours while the symptoms last [1]."
ARGS = {"medicine": "ibuprofen", "attribute": "dosage", "keywords": ""}
CALL = {"role": "distiller", "reply": {"tool_calls": [{"name": "search_medicine", "args": ARGS}], "reasoning": "Hm."}}
READ = {"role": "reader", "reply": {"content": GOOD}}


def traced(model: Any, medicines: Corpus, folder: Path, question: str = "How many ibuprofen?") -> list[dict[str, Any]]:
    graph = consultation.build(model=model, medicines=medicines)
    with suppress(ModelUnavailable):  # a trace stays behind all the same
        asyncio.run(consult(graph, [HumanMessage(question)], trace=folder))
    (file,) = folder.iterdir()
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_line_for_every_node_model_and_tool(scripted: Callable[..., Any], essential: Corpus, tmp_path: Path) -> None:
    lines = traced(scripted(CALL, READ), essential, tmp_path)
    assert [(e["event"], e.get("name") or e.get("role") or e.get("gen_ai.tool.name")) for e in lines] == [
        ("trace", None),
        ("node", "open"),
        ("model", "distiller"),
        ("node", "distill"),
        ("tool", "search_medicine"),
        ("node", "retrieve"),
        ("model", "reader"),
        ("node", "read"),
        ("node", "finish"),
        ("end", None),
    ]
    assert all(line["at"].startswith("20") for line in lines)
    assert all(line["duration_s"] >= 0 for line in lines[1:-1])


def test_the_header_the_calls_and_the_end(scripted: Callable[..., Any], essential: Corpus, tmp_path: Path) -> None:
    header, *lines, end = traced(scripted(CALL, READ), essential, tmp_path)
    assert (header["version"], header["patient_data"]) == (1, True)
    distiller, reader = (line for line in lines if line["event"] == "model")
    assert distiller["prompt"] == f"distill@{prompt('distill').sha256}"
    assert distiller["gen_ai.output.messages"][0]["tool_calls"] == [{"name": "search_medicine", "arguments": ARGS}]
    assert distiller["gen_ai.output.messages"][0]["reasoning"] == "Hm."
    assert reader["gen_ai.output.messages"][0]["content"] == GOOD
    assert "How many ibuprofen?" in reader["gen_ai.input.messages"][-1]["content"]
    (tool,) = (line for line in lines if line["event"] == "tool")
    assert tool["evidence"][0]["passage_id"] == "essential:ibuprofen#dosage"
    used = sum(line["gen_ai.usage.input_tokens"] for line in (distiller, reader))
    assert end["usage"] == {"input_tokens": used, "output_tokens": end["usage"]["output_tokens"], "model_calls": 2}
    assert end["timings"]["total_s"] > 0


def test_the_trace_tells_who_distilled_and_why(scripted: Callable[..., Any], essential: Corpus, tmp_path: Path) -> None:
    bad = {"role": "distiller", "reply": {"content": "Take two."}}
    lines = traced(scripted(bad, READ), essential, tmp_path)
    (node,) = (line for line in lines if line.get("name") == "distill")
    (call,) = node["output"]["calls"]
    assert (call["distilled_by"], call["reason"]) == ("fallback", "no call of search_medicine was made")


def test_the_cause_of_a_failure_is_in_it(scripted: Callable[..., Any], essential: Corpus, tmp_path: Path) -> None:
    lines = traced(scripted(CALL, {"error": "unavailable"}), essential, tmp_path)
    failed = [line for line in lines if "error" in line]
    assert [(line["event"], line["error.type"]) for line in failed] == [
        ("model", "ModelUnavailable"),
        ("node", "ModelUnavailable"),
    ]
    assert "does not answer" in failed[0]["error"]
    assert lines[-1]["event"] == "end"


def test_only_its_owner_may_read_it(scripted: Callable[..., Any], essential: Corpus, tmp_path: Path) -> None:
    traced(scripted(CALL, READ), essential, tmp_path / "new" / "folder")
    (file,) = (tmp_path / "new" / "folder").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_folder_nothing_is_written(
    scripted: Callable[..., Any], essential: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asyncio.run(consult(consultation.build(model=scripted(CALL, READ), medicines=essential), [HumanMessage("How?")]))
    assert list(tmp_path.iterdir()) == []


def test_half_a_character_costs_no_line(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        run = uuid4()
        recorder.on_tool_start({"name": "t"}, "", run_id=run, inputs={"text": "\ud800 布洛芬"})
        recorder.on_tool_end(None, run_id=run)
    (file,) = tmp_path.iterdir()
    assert len(file.read_bytes().decode("utf-8").splitlines()) == 3


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot write traces"):
        Recorder(tmp_path / "file" / "under")


def test_killed_midway_it_is_readable(essential_index: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    slow = {"role": "reader", "delay_s": 60, "reply": {"content": "x"}}
    script.write_text(json.dumps({"rules": [CALL, slow]}))
    dialogue = tmp_path / "d.json"
    dialogue.write_text(json.dumps([{"role": "user", "content": "How many ibuprofen?"}]))
    folder = tmp_path / "traces"
    options = {"dialogue": dialogue, "model": f"scripted:{script}", "corpus": essential_index, "trace": folder}
    command = [sys.executable, "-c", "from wardround.cli import main; main()", "consult"]
    command += [f"--{name}={value}" for name, value in options.items()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while time.monotonic() < until and '"tool"' not in "".join(f.read_text() for f in folder.glob("*")):
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    (file,) = folder.iterdir()
    events = [json.loads(line)["event"] for line in file.read_text().splitlines()]
    assert events[:5] == ["trace", "node", "model", "node", "tool"]
