"""The commands `wardround patients ...`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ran import Run

MIMIC = Path(__file__).parents[1] / "corpora/patients/data/mimic-cxr"


@pytest.fixture
def records(tmp_path: Path, run: Run) -> Path:
    assert run("patients", "import", "--source", "mimic", "--input", MIMIC, "--out", "p.sqlite").code == 0
    return tmp_path / "p.sqlite"


def test_an_import_says_what_it_did_and_what_it_left_out(run: Run, tmp_path: Path) -> None:
    arguments = ("patients", "import", "--source", "mimic", "--input", MIMIC, "--out", tmp_path / "p.sqlite")
    first = run(*arguments)
    assert "5 studies new, 0 changed, 0 as before" in first.err
    assert "a scene graph of another patient" in first.err
    assert run(*arguments, "--json").json["same"] == 5


def test_info_counts(run: Run, records: Path) -> None:
    found = run("patients", "info", "--records", records, "--json").json
    assert (found["patients"], found["studies"], found["reports"]) == (2, 5, 4)
    assert found["sources"][0]["source"] == "mimic-cxr"
    assert "2 patients, 5 studies" in run("patients", "info", "--records", records).out


def test_show_lists_ids_or_one_patient(run: Run, records: Path) -> None:
    assert run("patients", "show", "--records", records).out.split() == ["p10000001", "p10000002"]
    shown = run("patients", "show", "p10000001", "--records", records).out
    assert "2180-05-06 21:30:14  s50000001  PA, LATERAL" in shown
    assert "left costophrenic angle; COMPARES" in shown
    assert run("patients", "show", "p10000002", "--records", records, "--json").json["id"] == "p10000002"


def test_history_shows_what_was_before(run: Run, records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDROUND_PATIENTS", str(records))
    about = ("--patient", "p10000001", "--study", "s50000003")
    shown = run("patients", "history", *about, "--region", "left base").out
    assert "2180-06-23  earlier the same day  s50000002  regional" in shown
    assert "  ~ findings: Compared with the prior study" in shown
    found = run("patients", "history", *about, "--scope", "global", "--limit", "1", "--json").json
    assert [r["study_id"] for r in found["records"]] == ["s50000002"]
    assert found["more"]
    none = run("patients", "history", "--patient", "p10000001", "--study", "s50000001")
    assert "no earlier record: no study of this patient" in none.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("info",), "WARDROUND_PATIENTS"),
        (("info", "--records", "none.sqlite"), "no patient records at `none.sqlite`"),
        (("import", "--source", "fhir", "--input", "none", "--out", "x"), "no such file or folder: `none`"),
        (("import", "--source", "fhir", "--input", ".", "--out", "x", "--reports", "."), "belong to `--source mimic`"),
        (("import", "--source", "paper", "--input", ".", "--out", "x"), "paper"),
    ],
)
def test_a_mistake_is_one_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ran = run("patients", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nobody"), "there is no patient `nobody`"),
        (("history", "--patient", "nobody", "--study", "s1"), "there is no patient `nobody`"),
        (("history", "--patient", "p10000001", "--study", "s50000004"), "has no study `s50000004`"),
        (("history", "--patient", "p10000001", "--study", "s50000001", "--region", "knee"), "no region of the chest"),
        (
            ("history", "--patient", "p10000001", "--study", "s50000001", "--scope", "regional"),
            "the scope `regional` needs a region",
        ),
    ],
)
def test_what_is_not_there_is_said(run: Run, records: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = run("patients", *arguments, "--records", records)
    assert (ran.code, said in ran.err) == (2, True)


def test_control_characters_of_a_report_do_not_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    row = {"id": "p1", "studies": [{"id": "s1", "time": "2180", "report": "Clear \x1b[31m[bold]lungs."}]}
    (tmp_path / "in.jsonl").write_text(json.dumps(row))
    run("patients", "import", "--source", "jsonl", "--input", "in.jsonl", "--out", "p.sqlite")
    shown = run("patients", "show", "p1", "--records", "p.sqlite").out
    assert "[31m[bold]lungs." in shown
    assert "\x1b" not in shown
