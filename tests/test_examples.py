"""Every program in `examples` runs as it stands, with a script in place of a model, and its graph can be drawn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PROGRAMS = sorted(path.stem for path in EXAMPLES.glob("*.py"))


def ran(name: str, cwd: Path, *arguments: str, script: str = "temple") -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("WARDROUND_")} | {
        "WARDROUND_MODEL": f"scripted:{EXAMPLES / 'scripts' / f'{script}.json'}",
        "PYTHONWARNINGS": "error::DeprecationWarning:__main__",
    }
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120)


def said(name: str, cwd: Path, *arguments: str, script: str = "temple") -> str:
    done = ran(name, cwd, *arguments, script=script)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_retriever(tmp_path: Path) -> None:
    assert len(said("another_retriever", tmp_path).splitlines()) >= 4


def test_diagnosis_then_medicine(tmp_path: Path) -> None:
    shown = said("diagnosis_then_medicine", tmp_path)
    assert shown.index("1. Giant cell arteritis") < shown.index("human: It is Giant cell arteritis.")
    assert shown.rstrip().count("ai: ") == 2


def test_two_models_vote(tmp_path: Path) -> None:
    shown = said("two_models_vote", tmp_path).splitlines()
    assert shown[0].startswith("0 ['Giant cell arteritis'")
    assert shown[4] == "1. Giant cell arteritis  1.00"


def test_own_tool(tmp_path: Path) -> None:
    assert "qSOFA 0 of 3" in said("own_tool", tmp_path)


def test_streaming(tmp_path: Path) -> None:
    shown = said("streaming", tmp_path)
    assert "hand_over" in shown
    counted = json.loads(shown.splitlines()[-1].replace("'", '"'))
    assert {"values", "updates", "custom", "tasks"} <= counted.keys()


def test_resume_after_a_crash(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    first = ran("resume_after_a_crash", tmp_path, str(folder))
    assert (first.returncode, "FileNotFoundError" in first.stderr) == (1, True)
    folder.mkdir()
    assert said("resume_after_a_crash", tmp_path, str(folder)) == "goes on with register\nGiant cell arteritis\n\n"


def test_progression_then_review(tmp_path: Path) -> None:
    shown = said("progression_then_review", tmp_path, script="films")
    assert shown.startswith("waits: B. ")
    assert "[1]" in shown
    assert shown.rstrip().endswith("\ngoes out: Agreed, and compare again in a week.")


def test_batch(tmp_path: Path) -> None:
    rows = [{"id": n, "dialogue": [{"role": "user", "content": f"Does prednisone thin bones? {n}"}]} for n in range(5)]
    rows.append({"id": 5, "dialogue": [{"role": "assistant", "content": "Nothing is asked."}]})
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = [json.loads(line) for line in said("batch", tmp_path, "d.jsonl").splitlines()]
    assert [(one["id"], one["failed"]) for one in done] == [(n, n == 5) for n in range(6)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_short_and_its_graph_is_drawn(name: str, tmp_path: Path) -> None:
    text = (EXAMPLES / f"{name}.py").read_text()
    assert sum(bool(line.strip()) for line in text.splitlines()) <= 45
    env = os.environ | {"WARDROUND_MODEL": f"scripted:{EXAMPLES / 'scripts' / 'temple.json'}"}
    wardround = str(Path(sys.executable).with_name("wardround"))
    command = [wardround, "graphs", "show", f"{name}:graph", "--png", str(tmp_path / "g.png")]
    done = subprocess.run(command, cwd=EXAMPLES, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "g.png").stat().st_size > 2000
