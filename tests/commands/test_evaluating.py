"""`wardround eval`, `score`, `elo` and `runs` as a person types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, fail, say
from ran import Run

FILMS = {
    "content_type": "worsen",
    "question": "What changed?",
    "options": {"A": "Nothing", "B": "It grew", "C": "It shrank a little", "D": "It went"},
    "answer": "B",
    "cur_image_path": "files/p12/p12658542/s54062690/now.jpg",
    "prior_image_path": "files/p12/p12658542/s57650384/before.jpg",
}
CASE = {
    "Case Information": "A knee.",
    "Final Diagnosis": "Gout",
    "Options": {"A": "Gout", "B": "Flu"},
    "Right Option": "A",
}
MEDQA = {"question": "Which?", "options": {"A": "one", "B": "two"}, "answer_idx": "B"}


def write(path: Path, row: dict[str, Any], n: int = 4) -> Path:
    path.write_text("".join(json.dumps({"id": i, **row}) + "\n" for i in range(1, n + 1)))
    return path


def spec(server: ChatServer) -> str:
    return f"openai:m@{server.address}"


def test_medicineqa_without_a_model_or_data(run: Run, tmp_path: Path) -> None:
    arguments = ("eval", "medicineqa", "--graph", "by_rules", "--only", "trait=shipped", "--out", "run", "--json")
    found = run(*arguments).json
    assert {"n", "failed", "hr_document", "hr_attribute", "instruction_following", "usage", "wall_s"} <= found.keys()
    assert found["hr_document"].keys() == {"1", "5", "10"}
    assert {"value", "ci", "n"} <= found["hr_attribute"]["1"].keys()
    assert found["n"] == found["groups"]["trait"]["shipped"]["abstention"]["n"] + found["hr_document"]["1"]["n"]
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    assert run(*arguments).json["figures" if "figures" in found else "hr_document"] == found["hr_document"]


def test_a_model_answers_and_the_figures_are_shown(run: Run, chat_server: ChatServer, tmp_path: Path) -> None:
    chat_server.always(say("Answer: A"))
    data = write(tmp_path / "cases.jsonl", CASE)
    ran = run("eval", "diagnosisarena-mcq", "--data", data, "--model", spec(chat_server))
    assert ran.code == 0
    assert "diagnosisarena-mcq, model: 4 examples, 0 failed" in ran.out
    assert "accuracy  1.000" in ran.out
    assert "GPT-4o" in ran.out
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name == "diagnosisarena-mcq-openai-m"


def test_a_judge_is_calibrated_first_and_a_bad_one_withholds_the_figures(
    run: Run, chat_server: ChatServer, tmp_path: Path
) -> None:
    chat_server.always(say("1. Gout\n2. Flu"))
    with ChatServer() as bad:
        bad.always(say('{"scores": [{"number": 1, "name": "Gout", "score": 2, "reason": "so"}]}'))
        data = write(tmp_path / "cases.jsonl", CASE)
        arguments = ("eval", "diagnosisarena", "--data", data, "--model", spec(chat_server), "--judge", spec(bad))
        found = run(*arguments, "--json").json
    assert found["top1"]["value"] is None
    assert "is not qualified" in found["withheld"]
    assert found["failed"] == 4
    assert "ModelReplyError" in next(iter(found["failures"]))


def test_blind_baselines_are_two_runs(run: Run, tmp_path: Path) -> None:
    data = write(tmp_path / "mmxu.jsonl", FILMS)
    found = run("eval", "mmxu", "--data", data, "--baseline", "blind", "--out", "blind", "--json").json
    assert {name: run["accuracy"]["value"] for name, run in found.items()} == {"always-D": 0.0, "longest-option": 0.0}
    assert {path.name for path in (tmp_path / "blind").iterdir()} == {"always-D", "longest-option"}


def test_the_probe_is_run(run: Run, chat_server: ChatServer, tmp_path: Path) -> None:
    chat_server.always(say("Answer: B"))
    long = {**MEDQA, "question": "The knee was warm for nine days and nobody looked at it closely enough. " * 6}
    path = tmp_path / "medqa.jsonl"
    path.write_text(
        "".join(json.dumps({"id": i, **long, "question": f"{i} {long['question']}"}) + "\n" for i in range(3))
    )
    ran = run("eval", "multiple-choice", "--data", path, "--probe", "leakage", "--model", spec(chat_server), "--json")
    assert ran.json["options-only"]["accuracy"]["value"] == 1.0
    assert ran.json["second-half"]["memorised"]["value"] == 0.0


def test_failed_examples_are_retried_from_the_folder_alone(run: Run, chat_server: ChatServer, tmp_path: Path) -> None:
    chat_server.always(say("Answer: B"))
    chat_server.then(fail(500), fail(500))
    data = write(tmp_path / "medqa.jsonl", MEDQA)
    arguments = ("eval", "multiple-choice", "--data", data, "--model", spec(chat_server), "--out", "run", "--json")
    assert run(*arguments).json["failed"] == 2
    assert run(*arguments).json["failed"] == 2
    assert run("runs", "retry", "run", "--json").json["failed"] == 0
    assert len(chat_server.requests) == 6


def test_the_cache_answers_what_was_asked_before(run: Run, chat_server: ChatServer, tmp_path: Path) -> None:
    chat_server.always(say("Answer: B"))
    data = write(tmp_path / "medqa.jsonl", MEDQA, 1)
    for out in ("a", "b"):
        run("eval", "multiple-choice", "--data", data, "--model", spec(chat_server), "--out", out, "--cache", "--json")
    assert len(chat_server.requests) == 1


def test_samples_have_seeds_of_their_own(run: Run, chat_server: ChatServer, tmp_path: Path) -> None:
    chat_server.always(say("Answer: B"))
    data = write(tmp_path / "medqa.jsonl", MEDQA, 1)
    base = ("eval", "multiple-choice", "--data", data, "--model", spec(chat_server), "--samples", 3)
    assert "add `--temperature" in run(*base).err
    found = run(*base, "--temperature", 0.7, "--json").json
    assert found["several"]["pass@3"]["accuracy"]["value"] == 1.0
    assert len({request.body["seed"] for request in chat_server.requests}) == 3


def test_a_graph_of_ones_own(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_graph.py").write_text(
        "from langchain_core.messages import AIMessage\n"
        "from langgraph.graph import START, MessagesState, StateGraph\n\n"
        "async def answer(state):\n    return {'messages': [AIMessage('Answer: B')]}\n\n"
        "def graph():\n    g = StateGraph(MessagesState)\n    g.add_node('answer', answer)\n"
        "    g.add_edge(START, 'answer')\n    return g.compile()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    data = write(tmp_path / "medqa.jsonl", MEDQA)
    found = run("eval", "multiple-choice", "--data", data, "--graph", "my_graph:graph", "--json").json
    assert found["accuracy"]["value"] == 1.0


def test_runs_are_listed_shown_compared_and_merged(run: Run, chat_server: ChatServer, tmp_path: Path) -> None:
    data = write(tmp_path / "medqa.jsonl", MEDQA, 30)
    base = ("eval", "multiple-choice", "--data", data, "--model", spec(chat_server), "--json")
    chat_server.always(say("Answer: A"))
    run(*base, "--out", "runs/a")
    chat_server.always(say("Answer: B"))
    run(*base, "--out", "runs/b", "--limit", 20)
    listed = run("runs", "list").out
    assert "runs/a" in listed
    assert "runs/b" in listed
    assert run("runs", "show", "runs/b", "--json").json["n"] == 20
    assert "B is higher by 100.0 points" in run("runs", "compare", "runs/a", "runs/b").out
    assert run("runs", "compare", "runs/a", "runs/b", "--json").json["n"] == 20
    assert run("runs", "report", "runs/b", "--compare", "runs/a", "--out", "both.html").code == 0
    assert (tmp_path / "both.html").stat().st_size > 10_000
    assert "30 examples" in run("runs", "merge", "runs/a", "runs/b", "--out", "runs/c").out


def test_battles_become_ratings(run: Run, chat_server: ChatServer, tmp_path: Path) -> None:
    data = write(tmp_path / "medqa.jsonl", MEDQA, 3)
    for name, text in (("a", "Answer: A"), ("b", "Answer: B")):
        chat_server.always(say(text))
        run("eval", "multiple-choice", "--data", data, "--model", spec(chat_server), "--out", f"runs/{name}")
    chat_server.always(say('{"first": 5, "second": 5, "reason": "equal"}'))
    ran = run("runs", "battle", "runs/a", "runs/b", "--judge", spec(chat_server), "--out", "battles.jsonl")
    assert "3 battles fought" in ran.err
    ratings = run("elo", "battles.jsonl", "--json").json["ratings"]
    assert {"model", "elo", "low", "high", "bradley_terry"} <= ratings[0].keys()
    assert {rating["elo"] for rating in ratings} == {1000.0}
    assert "Bradley-Terry" in run("elo", "battles.jsonl").out


def test_official_files_are_scored(run: Run, tmp_path: Path) -> None:
    data = write(tmp_path / "cases.jsonl", CASE, 3)
    (tmp_path / "mcq.jsonl").write_text(json.dumps({"id": 1, "LLM Response": "\\boxed{A}"}) + "\n")
    found = run("score", "diagnosisarena-mcq", "mcq.jsonl", "--data", data, "--json").json
    assert (found["n"], found["missing"], found["accuracy"]["value"]) == (3, ["2", "3"], pytest.approx(1 / 3))
    judged = {"id": 1, "LLM Response": "1. Gout", "response": "1. Gout: \\boxed{2}"}
    (tmp_path / "judged.jsonl").write_text(json.dumps(judged) + "\n")
    found = run("score", "diagnosisarena", "judged.jsonl", "--data", data, "--json").json
    assert found["top1"]["value"] == found["top5"]["value"] == pytest.approx(1 / 3)
    assert "missing 2: 2, 3" in run("score", "diagnosisarena", "judged.jsonl", "--data", data).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("eval", "nothing"), "there is no benchmark `nothing`"),
        (("eval", "mmxu"), "needs its data"),
        (("eval", "mmxu", "--data", "none.jsonl"), "`none.jsonl` cannot be read"),
        (("eval", "mmxu", "--data", "mmxu.jsonl", "--records", "sideways"), "--records sideways"),
        (("eval", "mmxu", "--data", "mmxu.jsonl", "--records", "regional"), "has no `prior_report`"),
        (("eval", "mmxu", "--data", "mmxu.jsonl", "--baseline", "deaf"), "no baseline `deaf`"),
        (("eval", "mmxu", "--data", "mmxu.jsonl", "--baseline", "blind", "--model", "local"), "uses no model"),
        (("eval", "mmxu", "--data", "mmxu.jsonl", "--probe", "x", "--model", "scripted:s.json"), "no probe `x`"),
        (("eval", "medicineqa", "--split", "train"), "no split `train`"),
        (("eval", "medicineqa", "--mode", "loud", "--model", "scripted:s.json"), "no mode `loud`"),
        (("eval", "medicineqa", "--graph", "by_rules", "--only", "trait=tall"), "no example is in `trait=tall`"),
        (("eval", "medicineqa", "--graph", "by_rules", "--model", "local"), "leave out `--model`"),
        (("eval", "medicineqa", "--graph", "dream", "--model", "scripted:s.json"), "there is no graph `dream`"),
        (("eval", "medicineqa", "--graph", "no.where:graph"), "cannot be imported"),
        (("eval", "diagnosisarena", "--data", "cases.jsonl"), "name a judge with `--judge`"),
        (("eval", "medicineqa", "--budget-money", "1"), "needs prices"),
        (("score", "mmxu", "x.jsonl", "--data", "y.jsonl"), "has no official files"),
        (("elo", "none.jsonl"), "cannot be read"),
        (("runs", "show", "."), "is no run"),
        (("runs", "battle", "a", "b", "--out", "x.jsonl"), "--judge"),
    ],
)
def test_the_users_mistakes_are_one_line(run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    write(tmp_path / "mmxu.jsonl", FILMS)
    write(tmp_path / "cases.jsonl", CASE)
    (tmp_path / "s.json").write_text('{"rules": [{"reply": {"content": "x"}}]}')
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_control_c_stops_cleanly_and_the_same_command_goes_on(tmp_path: Path, chat_server: ChatServer) -> None:
    from chat_server import endless

    data = write(tmp_path / "medqa.jsonl", MEDQA, 6)
    chat_server.then(say("Answer: B"), say("Answer: B"))
    chat_server.always(endless(0.05))
    command = [sys.executable, "-c", "from wardround.cli import main; main()", "eval", "multiple-choice"]
    command += ["--data", str(data), "--model", spec(chat_server), "--out", str(tmp_path / "run"), "--at-once", "1"]
    environment = {**os.environ, "WARDROUND_CACHE_DIR": str(tmp_path / "cache")}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    deadline = time.monotonic() + 60
    while len(chat_server.requests) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    chat_server.always(say("Answer: B"))
    done = subprocess.run([*command, "--json"], capture_output=True, env=environment, check=True)
    assert json.loads(done.stdout)["n"] == 6
    assert len(chat_server.requests) == 3 + 4
