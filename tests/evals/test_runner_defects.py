"""The defects of the official scripts that concern how a benchmark is run (those of scoring: `test_official.py`)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from small_benchmark import Answering, examples, small
from wardround.commands.eval_targets import ModelChoice
from wardround.commands.evaluating import Asked, default_folder
from wardround.errors import ModelReplyError, ModelUnavailable, UserError
from wardround.evals.benchmarks import diagnosisarena_mcq
from wardround.evals.run_folder import RunFolder
from wardround.evals.runs import run
from wardround.evals.summary import summarize

CASE = {
    "id": 7,
    "Case Information": "A man of 54 has gout.",
    "Physical Examination": "Tophi.",
    "Diagnostic Tests": "Urate 600.",
    "Final Diagnosis": "Gout",
    "Options": {"A": "Gout", "B": "Flu", "C": "It's scurvy", "D": "Rickets"},
    "Right Option": "A",
}


def test_defect_7_a_failed_call_stays_in_the_denominator(tmp_path: Path) -> None:
    def reply(i: int) -> str:
        if i >= 30:
            raise ModelReplyError("garbage")
        return str(i)

    accuracy = summarize(run(small(40), Answering(reply), out=tmp_path / "run")).figures["accuracy"]
    assert (accuracy.value, accuracy.n, accuracy.failed) == (0.75, 40, 10)


def test_defect_7_an_example_that_stands_twice_in_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="e2"):
        run(small(5, examples=[*examples(5), *examples(1, start=2)]), Answering(), out=tmp_path / "run")


def test_defect_8_one_error_stops_nothing(tmp_path: Path) -> None:
    def reply(i: int) -> str:
        if i == 0:
            raise ModelUnavailable("down for a moment")
        return str(i)

    summary = summarize(run(small(30), Answering(reply), out=tmp_path / "run", at_once=1))
    assert (summary.n, summary.failed, summary.unfinished) == (30, 1, 0)


def test_defect_9_what_64_at_once_write_stays_apart(tmp_path: Path) -> None:
    async def late(i: int) -> str:
        await asyncio.sleep(i % 7 / 1000)
        return str(i) * 2000

    path = run(small(300), Answering(late), out=tmp_path / "run", at_once=64)
    ids = Counter(json.loads(line)["id"] for line in (path / "results.jsonl").read_bytes().splitlines())
    assert ids == Counter(f"e{i}" for i in range(300))


def test_defect_10_two_benchmarks_never_share_a_file(tmp_path: Path) -> None:
    asked = Asked(benchmark="diagnosisarena", model="openai:m@http://127.0.0.1:1/v1")
    others = [
        asked.model_copy(update=change)
        for change in (
            {"benchmark": "diagnosisarena-mcq"},
            {"model": "openai:n@http://127.0.0.1:1/v1"},
            {"graph": "by_rules"},
            {"baseline": "question-only"},
            {"probe": "leakage"},
        )
    ]
    assert len({default_folder(one) for one in (asked, *others)}) == 6
    run(small(3), Answering(), out=tmp_path / "run")
    with pytest.raises(UserError, match="holds another run"):
        run(small(3, name="other"), Answering(), out=tmp_path / "run")


def test_defect_11_options_are_lines_of_text(tmp_path: Path) -> None:
    data = tmp_path / "cases.jsonl"
    data.write_text(json.dumps(CASE) + "\n")
    text = str(diagnosisarena_mcq.load(data).examples[0].messages[0]["content"])
    assert "\nA. Gout\nB. Flu\nC. It's scurvy\nD. Rickets\n" in text
    assert "{" not in text


def test_defect_13_what_decides_the_answers_is_in_the_manifest(tmp_path: Path) -> None:
    choice = ModelChoice("openai:m@http://127.0.0.1:1/v1", None, 1, None)
    target = Answering(identity=dict(choice.identity()))
    manifest = RunFolder.open(run(small(3), target, out=tmp_path / "run")).manifest
    facts: Any = manifest.target.model_dump(mode="json")["options"]
    assert facts["temperature"] == 0.0
    assert isinstance(facts["seed"], int)
    assert "m@http" in str(facts["model"])
    assert {"wardround", "langgraph", "langchain-core"} <= manifest.environment.keys()
