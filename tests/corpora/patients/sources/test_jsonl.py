"""Patients as JSONL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wardround.corpora.patients import Patient, PatientStore, read_report
from wardround.corpora.patients.importing import Imported, import_patients
from wardround.errors import UserError

ADA = {
    "id": "ada",
    "sex": "female",
    "birth_year": 1950,
    "conditions": [{"id": "c1", "text": "COPD", "time": "2011-02-03T00:00:00"}],
    "studies": [
        {
            "id": "s1",
            "time": "2180-05-06",
            "report": "FINDINGS: Clear.",
            "images": [{"id": "i1", "path": "s1/a.png", "view": "PA"}],
        },
        {"id": "s2", "time": "2180-05-07T10:00:00", "report": {"findings": "Clear.", "impression": "Normal."}},
        {"id": "s3", "time": "2180-05-08", "report": {"text": "Clear.", "issued": "2180-05-09"}},
        {"id": "s4", "time": "2180-05-10"},
    ],
}


def imported(tmp_path: Path, *rows: object) -> tuple[Imported, PatientStore]:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    done = import_patients("jsonl", tmp_path / "in.jsonl", tmp_path / "p.sqlite")
    return done, PatientStore(tmp_path / "p.sqlite")


def patient(store: PatientStore, name: str) -> Patient:
    found = store.patient(name)
    assert found is not None
    return found


def test_reports_come_in_three_forms(tmp_path: Path) -> None:
    _, store = imported(tmp_path, ADA)
    ada = patient(store, "ada")
    assert [s.report and s.report.text for s in ada.studies] == [
        "FINDINGS: Clear.",
        "FINDINGS: Clear.\n\nIMPRESSION: Normal.",
        "Clear.",
        None,
    ]
    assert ada.studies[2].report is not None
    assert str(ada.studies[2].report.issued) == "2180-05-09 23:59:59.999999"
    assert [c.text for c in ada.conditions] == ["COPD"]


def test_a_patient_that_records_wrote_comes_back_as_it_was(tmp_path: Path) -> None:
    _, store = imported(tmp_path, ADA)
    ada = patient(store, "ada")
    ready = json.loads(ada.model_dump_json())
    again = import_patients("jsonl", _written(tmp_path / "again.jsonl", ready), tmp_path / "again.sqlite")
    assert again.new == 4
    assert patient(PatientStore(tmp_path / "again.sqlite"), "ada") == ada
    assert ada.studies[0].report == read_report("FINDINGS: Clear.")


def _written(path: Path, row: object) -> Path:
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"studies": 3}, "`studies` is no list"),
        ({"studies": [3]}, "a study is no object"),
        ({"studies": [{"id": "s1", "time": "soon"}]}, "not a valid record"),
        ({"studies": [{"id": "s1", "time": "2180", "report": 3}]}, "a report is neither"),
        ({"studies": [{"id": "s1", "time": "2180", "report": {"summary": "x"}}]}, "a section of a report"),
        ({"studies": [{"id": "s1", "time": "2180", "report": {"text": "x", "issued": "?"}}]}, "`issued` is no time"),
        ({"studies": [{"id": "s1", "patient_id": "bob", "time": "2180"}]}, "not a valid record"),
        ({"id": "../x"}, "not a valid record: id"),
        ({"nickname": "A"}, "not a valid record: nickname"),
    ],
)
def test_a_line_that_cannot_be_is_left_out_and_said(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    done, store = imported(tmp_path, ADA | {"id": "first", "studies": [], "conditions": []}, ADA | change, BOB)
    assert [(p.line, p.reason[: len(reason)]) for p in done.problems.kept] == [(2, reason)]
    assert store.has_patient("bob")


BOB = {"id": "bob", "studies": [{"id": "b1", "time": "2180-05-06", "report": "Clear."}]}


def test_a_study_of_two_patients_stays_with_the_first(tmp_path: Path) -> None:
    forged = {"id": "eve", "studies": [{"id": "b1", "time": "2180-05-06", "report": "Forged."}]}
    done, store = imported(tmp_path, BOB, forged)
    assert [p.line for p in done.problems.kept] == [2]
    report = patient(store, "bob").studies[0].report
    assert report is not None
    assert report.text == "Clear."


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no study could be read"):
        imported(tmp_path, [1])
