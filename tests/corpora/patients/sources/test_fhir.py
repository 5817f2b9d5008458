"""FHIR R4 bundles: a bundle written for radiology, and Synthea's for the parser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from wardround.corpora.patients import Patient, PatientStore
from wardround.corpora.patients.importing import Imported, import_patients
from wardround.errors import UserError

BUNDLE = Path(__file__).parents[1] / "data/fhir/radiology.json"
SYNTHEA = Path(__file__).parents[5] / "shared/data/synthea_fhir"


def imported(path: Path, out: Path) -> tuple[Imported, PatientStore]:
    done = import_patients("fhir", path, out)
    return done, PatientStore(out)


@pytest.fixture
def ada(tmp_path: Path) -> Patient:
    found = imported(BUNDLE, tmp_path / "p.sqlite")[1].patient("ada")
    assert found is not None
    return found


def changed(tmp_path: Path, resource: str, **fields: Any) -> tuple[Imported, PatientStore]:
    """The import of the bundle with some fields of one resource changed."""
    bundle = json.loads(BUNDLE.read_text(encoding="utf-8"))
    for entry in bundle["entry"]:
        if entry["resource"]["id"] == resource:
            entry["resource"].update(fields)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(bundle), encoding="utf-8")
    return imported(path, tmp_path / "p.sqlite")


def test_a_patient_has_chest_films_and_conditions(ada: Patient) -> None:
    assert (ada.sex, ada.birth_year) == ("female", 1948)
    assert [(c.text, c.time.year) for c in ada.conditions] == [("Chronic obstructive lung disease", 2011)]
    assert [s.id for s in ada.studies] == ["study-1", "study-2", "report-3", "report-5"]


def test_attached_text_is_the_report_and_signing_is_kept(ada: Patient) -> None:
    report = ada.studies[0].report
    assert report is not None
    assert report.text.startswith("FINDINGS: The left hemidiaphragm is elevated. Lungs are clear – no effusion.")
    assert report.issued is not None
    assert report.issued.isoformat() == "2019-03-01T11:30:00+01:00"


def test_contained_and_referenced_observations_and_the_conclusion_are_the_report(ada: Patient) -> None:
    report = ada.studies[1].report
    assert report is not None
    assert report.text == (
        "FINDINGS: Left lower lobe opacity, new since the prior study. No pleural effusion.\n\n"
        "IMPRESSION: Left lower lobe pneumonia is likely."
    )


def test_a_narrative_is_the_last_resort_and_its_time_is_a_month(ada: Patient) -> None:
    study = ada.studies[2]
    assert study.report is not None
    assert "FINDINGS: The opacity has resolved." in study.report.text
    assert "alert" not in study.report.text
    assert study.until is not None
    assert study.until.isoformat().startswith("2020-01-31")


def test_what_is_preliminary_or_changed_at_an_unknown_time_is_left_out(tmp_path: Path) -> None:
    done, store = imported(BUNDLE, tmp_path / "p.sqlite")
    found = store.patient("ada")
    assert found is not None
    texts = " ".join(s.report.text for s in found.studies if s.report)
    assert "preliminary" not in texts
    assert "nobody knows" not in texts
    assert any("does not say when" in p.reason for p in done.problems.kept)


def test_a_report_of_one_patient_on_a_study_of_another_is_left_out_and_said(tmp_path: Path) -> None:
    done, store = imported(BUNDLE, tmp_path / "p.sqlite")
    assert any(p.reason.startswith("a report of another patient") for p in done.problems.kept)
    bob = store.patient("bob")
    assert bob is not None
    assert bob.studies == ()


def test_a_result_of_another_patient_in_a_report_is_left_out_and_said(tmp_path: Path) -> None:
    done, store = changed(tmp_path, "obs-2", subject={"reference": "urn:uuid:bob"})
    assert any(p.reason.startswith("a result of another patient") for p in done.problems.kept)
    found = store.patient("ada")
    assert found is not None
    assert [s.id for s in found.studies] == ["study-1", "report-3", "report-5"]


@pytest.mark.parametrize("bad", ["../ada", "a/b", "a b"])
def test_an_id_with_the_characters_of_a_path_is_left_out_and_said(tmp_path: Path, bad: str) -> None:
    done, store = changed(tmp_path, "study-1", id=bad)
    assert any(p.reason.startswith("not a valid record: id") for p in done.problems.kept)
    assert store.study(bad, of="ada") is None


def test_films_beside_the_bundle_are_found_by_their_uid(tmp_path: Path) -> None:
    (tmp_path / "in/films").mkdir(parents=True)
    shutil.copy(BUNDLE, tmp_path / "in")
    (tmp_path / "in/films/1.2.3.1.1.dcm").write_bytes(b"x")
    _, store = imported(tmp_path / "in", tmp_path / "p.sqlite")
    found = store.patient("ada")
    assert found is not None
    assert [(i.id, i.path, i.view) for i in found.studies[0].images] == [("1.2.3.1.1", "films/1.2.3.1.1.dcm", "PA")]


def test_other_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"resourceType": "Patient"}')
    with pytest.raises(UserError, match="not a FHIR bundle"):
        imported(tmp_path, tmp_path / "p.sqlite")


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason=f"no Synthea bundles in {SYNTHEA}")
def test_synthea_bundles_give_patients_and_conditions_and_no_film_of_the_chest(tmp_path: Path) -> None:
    done, store = imported(SYNTHEA, tmp_path / "p.sqlite")
    counts = store.counts()
    assert (counts["patients"], counts["studies"], len(done.problems)) == (12, 0, 0)
    assert counts["conditions"] > 100
