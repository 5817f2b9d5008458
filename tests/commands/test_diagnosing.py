"""`wardround diagnose`, `review`, `round` and `graphs` from the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cases import CASE, named
from ran import Run


def script(path: Path, *rules: dict[str, Any]) -> str:
    path.write_text(json.dumps({"rules": list(rules)}))
    return f"scripted:{path}"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "jaw.json"
    path.write_text(json.dumps({"id": 1, "sections": {"Story": CASE}, "Final Diagnosis": "SECRET"}))
    return path


@pytest.fixture
def model(tmp_path: Path) -> str:
    return script(tmp_path / "m.json", {"otherwise": {"json": named("Giant cell arteritis", "Migraine")}})


def test_a_case_is_diagnosed_as_json(run: Run, case: Path, model: str) -> None:
    shown = run("diagnose", case, "--model", model, "--json").json
    assert {"differential", "reasoning", "next_tests", "red_flags", "flags", "usage"} <= shown.keys()
    first = shown["differential"][0]
    assert (first["rank"], first["diagnosis"], first["confidence"]) == (1, "Giant cell arteritis", 1.0)
    assert first["for"] == [{"quote": "Her jaw hurts when she chews", "in_case": True}]
    assert first["against"] == []
    assert shown["usage"]["model_calls"] == 1


def test_and_for_a_person(run: Run, case: Path, model: str) -> None:
    shown = run("diagnose", case, "--model", model, "--samples", 2)
    assert shown.code == 0, shown.err
    assert "sample 1" in shown.out
    assert "1. Giant cell arteritis" in shown.out
    assert "2 model calls" in shown.out


def test_the_answer_in_the_file_is_not_shown_to_the_model(run: Run, case: Path, tmp_path: Path) -> None:
    model = script(
        tmp_path / "s.json", {"when": "SECRET", "reply": {"content": "told"}}, {"otherwise": {"json": named("Gout")}}
    )
    assert run("diagnose", case, "--model", model, "--json").json["differential"][0]["diagnosis"] == "Gout"


def test_codes_are_looked_up(run: Run, case: Path, tmp_path: Path) -> None:
    model = script(tmp_path / "s.json", {"otherwise": {"json": named("Addison's disease", "No such disease at all")}})
    shown = run("diagnose", case, "--model", model, "--codes", "--json").json
    assert [d["icd10cm"] for d in shown["differential"]] == ["E27.1", None]


def test_it_waits_for_a_clinician_across_processes_and_then_nothing_is_left(
    run: Run, case: Path, model: str, tmp_path: Path
) -> None:
    waiting = run("diagnose", case, "--model", model, "--review", "--thread", "bed-4", "--json").json
    assert waiting["answer"] == ""
    assert waiting["waiting"]["action_requests"][0]["name"] == "answer"
    assert [one["thread"] for one in run("review", "list", "--json").json] == ["bed-4"]
    assert "1. Giant cell arteritis" in run("review", "show", "bed-4").out
    again = run("diagnose", case, "--model", model, "--review", "--thread", "bed-4")
    assert (again.code, "waits already" in again.err) == (2, True)
    (tmp_path / "m.json").write_text(json.dumps({"rules": [{"otherwise": {"error": "unavailable"}}]}))
    done = run("review", "approve", "bed-4", "--json").json
    assert "1. Giant cell arteritis" in done["answer"]
    assert done["usage"]["model_calls"] == 0
    assert "Nothing waits." in run("review", "list").out
    kept = tmp_path / "state" / "reviews.sqlite"
    with sqlite3.connect(kept) as database:
        assert database.execute("select count(*) from checkpoints").fetchone() == (0,)
    assert kept.stat().st_mode & 0o077 == 0


def test_a_clinician_may_reject_or_edit(run: Run, case: Path, model: str, tmp_path: Path) -> None:
    run("diagnose", case, "--model", model, "--review", "--thread", "a")
    assert "withheld it: biopsy first" in run("review", "reject", "a", "--reason", "biopsy first").out
    run("diagnose", case, "--model", model, "--review", "--thread", "b")
    said = tmp_path / "said.txt"
    said.write_text("Treat today.")
    assert run("review", "edit", "b", "--text", said).out == "Treat today.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("diagnose", "nowhere.json"), "cannot be read"),
        (("review", "approve", "nobody"), "no review `nobody` waits"),
        (("review", "approve", "../../etc/passwd"), "no review"),
        (("diagnose", "CASE", "--review", "--thread", "../up"), "is no name for a review"),
        (("graphs", "show", "surgery"), "there is no graph `surgery`"),
        (("graphs", "show", "no_such_module:x"), "cannot be imported"),
    ],
)
def test_a_mistake_is_one_line(run: Run, case: Path, model: str, arguments: tuple[str, ...], told: str) -> None:
    given = [str(case) if a == "CASE" else a for a in arguments]
    ran = run(*given, *(["--model", model] if given[0] == "diagnose" else []))
    assert (ran.code, ran.err.count("\n"), told in ran.err) == (2, 1, True), ran.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        ("[1]", "is no JSON object"),
        ('{"sections": []}', "is no object of names"),
        ('{"sections": {"a": " "}}', "holds no text"),
        ('{"sections": {"a": "b"}, "images": ["x.png"]}', "cannot be read"),
        ('{"sections": {"a": "b"}, "images": ["c.json"]}', "does not look like an image"),
        (json.dumps({"sections": {"a": "b"}, "images": ["x.png"] * 9}), "at most 8"),
    ],
)
def test_a_case_that_is_none_is_one_line(run: Run, tmp_path: Path, model: str, content: str, told: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(content)
    ran = run("diagnose", path, "--model", model)
    assert (ran.code, ran.err.count("\n"), told in ran.err) == (2, 1, True), ran.err


def test_a_round_sends_each_question_to_its_specialist(run: Run, tmp_path: Path) -> None:
    args = {"medicine": "ibuprofen", "attribute": "dosage", "keywords": ""}
    model = script(
        tmp_path / "r.json",
        {"role": "router", "when": "CRP 84", "reply": {"json": {"specialist": "diagnosis"}}},
        {"role": "router", "reply": {"json": {"specialist": "consultation"}}},
        {"role": "distiller", "reply": {"tool_calls": [{"name": "search_medicine", "args": args}]}},
        {"role": "reader", "reply": {"content": "Ask again [1]."}},
        {"otherwise": {"json": named("Giant cell arteritis")}},
    )
    said = f"How many ibuprofen can I take?\n{' '.join(CASE.split())}\n"
    ran = run("round", "--model", model, piped=said.encode())
    assert ran.code == 0, ran.err
    assert ran.out.index("→ consultation") < ran.out.index("→ diagnosis") < ran.out.index("1. Giant cell arteritis")


def test_graphs_are_listed_and_drawn(run: Run, tmp_path: Path) -> None:
    assert "ward_round" in run("graphs", "list").out
    assert "| sample |" in run("graphs", "show", "diagnosis").out
    assert "route -.-> diagnosis" in run("graphs", "show", "ward_round", "--mermaid").out
    picture = tmp_path / "g.png"
    assert run("graphs", "show", "consultation", "--png", picture).code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
