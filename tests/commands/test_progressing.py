"""`wardround progress`, `wardround patients cohort` and the ward round with a patient, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, say
from ran import Run
from wardround.settings import get_settings

KEYS = {"answer", "letter", "records", "citations", "flags", "usage"}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort with films, and its records imported."""
    from wardround.corpora.cohort import make_cohort, write_cohort
    from wardround.corpora.patients.importing import import_patients

    folder = tmp_path_factory.mktemp("made") / "cohort"
    write_cohort(make_cohort(5, 7), folder)
    import_patients("jsonl", folder / "records.jsonl", folder.parent / "patients.sqlite")
    return folder


def asked(cohort: Path, number: int = 0) -> dict[str, Any]:
    return json.loads((cohort / "train.jsonl").read_text().splitlines()[number])


def arguments(cohort: Path, question: dict[str, Any]) -> list[object]:
    parts = question["cur_image_path"].split("/")
    given: list[object] = [
        "progress",
        "--question",
        question["question"],
        "--patients",
        cohort.parent / "patients.sqlite",
    ]
    given += ["--patient", parts[2][1:], "--study", parts[3][1:]]
    for text in question["options"].values():
        given += ["--option", text]
    return given


def script(path: Path, reply: dict[str, Any], **profile: Any) -> str:
    path.write_text(json.dumps({"rules": [{"otherwise": {"json": reply}}], "profile": profile}))
    return f"scripted:{path}"


def test_a_question_is_answered_as_json(run: Run, cohort: Path, tmp_path: Path) -> None:
    question = asked(cohort)
    model = script(tmp_path / "m.json", {"reason": "It was there [1].", "letter": question["answer"]})
    ran = run(*arguments(cohort, question), "--model", model, "--trace", tmp_path / "t", "--json")
    assert ran.code == 0, ran.err
    result = json.loads(ran.out)
    assert result.keys() >= KEYS
    assert result["letter"] == question["answer"]
    assert result["citations"][0]["record_id"] == result["records"][0]["id"]
    assert "films_not_seen" in {flag["kind"] for flag in result["flags"]}
    trace = next((tmp_path / "t").iterdir()).read_text()
    assert '"record_id"' in trace
    assert question["cur_report"].split("FINDINGS: ")[1][:40] not in trace


def test_films_and_crops_go_to_the_server(
    run: Run, cohort: Path, chat_server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = asked(cohort)
    profile = tmp_path / "p.json"
    profile.write_text(json.dumps({"vision": True, "strength": "strong", "json_schema": True}))
    monkeypatch.setenv("WARDROUND_PROFILE", str(profile))
    chat_server.always(say(json.dumps({"reason": "", "letter": "A"})))
    films = ["--image", cohort / question["cur_image_path"], "--prior", cohort / question["prior_image_path"][0]]
    model = f"openai:test-model@{chat_server.address}"
    ran = run(*arguments(cohort, question), *films, "--crop", "--model", model, "--json")
    assert ran.code == 0, ran.err
    parts = chat_server.requests[-1].body["messages"][-1]["content"]
    assert [part["text"] for part in parts if part["type"] == "text"][:-1] == [
        "Earlier film:",
        "Current film:",
        f"Earlier film, {question['related_region_name']}:",
        f"Current film, {question['related_region_name']}:",
    ]
    assert sum(part["type"] == "image_url" for part in parts) == 4
    get_settings.cache_clear()


def test_the_answer_is_shown_with_its_records(run: Run, cohort: Path, tmp_path: Path) -> None:
    question = asked(cohort)
    model = script(tmp_path / "m.json", {"letter": "B"}, strength="weak")
    ran = run(*arguments(cohort, question), "--model", model)
    assert ran.code == 0, ran.err
    assert "history  " in ran.out
    assert f"B. {question['options']['B']}" in ran.out
    assert "answered by model" in ran.out


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--study", "../../etc/passwd"], "has no study `../../etc/passwd`"),
        (["--patient", "99999999"], "there is no patient `99999999`"),
        (["--patients", "none.sqlite"], "no patient records at `none.sqlite`"),
        (["--image", "none.png"], "cannot be read"),
        (["--option", "only one more", *["--option", "x"] * 9], "options were given"),
    ],
)
def test_mistakes_are_one_line(run: Run, cohort: Path, tmp_path: Path, changed: list[str], said: str) -> None:
    model = script(tmp_path / "m.json", {"letter": "B"})
    ran = run(*arguments(cohort, asked(cohort)), *changed, "--model", model)
    assert (ran.code, ran.err.count("\n"), said in ran.err) == (2, 1, True), ran.err


def test_a_patient_needs_a_study_and_a_film_a_model_that_sees(run: Run, cohort: Path, tmp_path: Path) -> None:
    model = script(tmp_path / "m.json", {"reason": "", "letter": "B"})
    ran = run("progress", "--question", "What changed?", "--patient", "99000000", "--model", model)
    assert (ran.code, "give `--patient` and the current `--study`" in ran.err) == (2, True)
    film = cohort / asked(cohort)["cur_image_path"]
    ran = run("progress", "--question", "What changed?", "--image", film, "--model", model)
    assert (ran.code, "sees none" in ran.err) == (2, True)
    ran = run(*arguments(cohort, asked(cohort)), "--image", film, "--records-only", "--model", model, "--json")
    assert ran.code == 0, ran.err
    assert "images_not_shown" in ran.out


def test_a_cohort_is_written_and_imported(run: Run, tmp_path: Path) -> None:
    ran = run("patients", "cohort", "--patients", "5", "--seed", "3", "--no-images", "--out", tmp_path / "c")
    assert ran.code == 0, ran.err
    assert "5 synthetic patients" in ran.err
    ran = run(
        "patients", "import", "--source", "jsonl", "--input", tmp_path / "c" / "records.jsonl", "--out", tmp_path / "s"
    )
    assert ran.code == 0, ran.err
    ran = run("patients", "cohort", "--out", tmp_path / "c")
    assert (ran.code, "is not empty" in ran.err) == (2, True)


def test_the_benchmark_runs_with_regional_records(run: Run, cohort: Path, tmp_path: Path) -> None:
    model = script(tmp_path / "m.json", {"reason": "", "letter": "A"})
    given = ["eval", "mmxu", "--data", cohort / "train.jsonl", "--model", model, "--json", "--limit", "4"]
    store = ["--patients", cohort.parent / "patients.sqlite"]
    for number, more in enumerate(
        (
            ["--records", "regional"],
            ["--records", "both", "--comparisons", "leave_out", *store],
            ["--current", "words", "--records", "global", "--graph", "progression"],
        )
    ):
        ran = run(*given, *more, "--out", tmp_path / f"run-{number}")
        assert ran.code == 0, ran.err
        assert json.loads(ran.out)["n"] == 4, ran.out


def test_the_round_answers_about_films_only_with_a_patient(run: Run, cohort: Path, tmp_path: Path) -> None:
    rules = [
        {"role": "router", "reply": {"json": {"specialist": "progression"}}},
        {"otherwise": {"content": "It was there before [1]."}},
    ]
    (tmp_path / "m.json").write_text(json.dumps({"rules": rules}))
    question = asked(cohort)
    said = f"{question['question']}\n".encode()
    ran = run("round", "--model", f"scripted:{tmp_path / 'm.json'}", piped=said)
    assert ran.code == 0, ran.err
    assert "this conversation names no patient" in ran.out
    given = arguments(cohort, question)[3:9]
    ran = run("round", *given, "--model", f"scripted:{tmp_path / 'm.json'}", piped=said)
    assert ran.code == 0, ran.err
    assert "→ progression" in ran.out
    assert "It was there before [1]." in ran.out
