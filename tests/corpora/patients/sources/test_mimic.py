"""MIMIC-CXR and Chest ImaGenome, from a tree laid out as PhysioNet's with invented content."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from wardround.corpora.patients import Box, Patient, PatientStore, Region
from wardround.corpora.patients.importing import Imported, import_patients
from wardround.errors import UserError

TREE = Path(__file__).parents[1] / "data/mimic-cxr"
METADATA = "mimic-cxr-2.0.0-metadata.csv"
FILM = "aaaaaaaa-00000001-00000001-00000001-00000001"


def imported(root: Path, out: Path) -> tuple[Imported, PatientStore]:
    done = import_patients("mimic", root, out)
    return done, PatientStore(out)


def patient(store: PatientStore, name: str) -> Patient:
    found = store.patient(name)
    assert found is not None
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TREE, tmp_path / "mimic"))


def test_studies_have_their_times_films_and_reports(tmp_path: Path) -> None:
    _, store = imported(TREE, tmp_path / "p.sqlite")
    assert list(store.patient_ids()) == ["p10000001", "p10000002"]
    studies = patient(store, "p10000001").studies
    assert [(s.id, s.time.isoformat(), s.until) for s in studies] == [
        ("s50000001", "2180-05-06T21:30:14.531000", None),
        ("s50000002", "2180-06-23T08:44:12.375000", None),
        ("s50000003", "2180-06-23T08:44:13", None),
    ]
    assert [i.view for i in studies[0].images] == ["PA", "LATERAL"]
    assert store.image_file("s50000001", FILM, of="p10000001").suffix == ".jpg"
    assert studies[1].report is not None
    assert "effusion has increased" in " ".join(studies[1].report.text.split())


def test_a_time_that_lost_its_leading_zeros_is_read(tmp_path: Path) -> None:
    _, store = imported(TREE, tmp_path / "p.sqlite")
    assert patient(store, "p10000002").studies[0].time.isoformat() == "2150-01-01T00:15:02"


def test_a_study_without_a_report_is_kept(tmp_path: Path) -> None:
    _, store = imported(TREE, tmp_path / "p.sqlite")
    last = patient(store, "p10000002").studies[1]
    assert (last.id, last.report, len(last.images)) == ("s50000005", None, 1)


def test_chest_imagenome_gives_boxes_and_the_regions_of_its_phrases(tmp_path: Path) -> None:
    _, store = imported(TREE, tmp_path / "p.sqlite")
    study = patient(store, "p10000001").studies[0]
    assert study.images[0].boxes == {
        Region.LEFT_LUNG: Box(left=1400, top=400, right=2300, bottom=2300),
        Region.LEFT_COSTOPHRENIC_ANGLE: Box(left=2100, top=2200, right=2544, bottom=2500),
        Region.LEFT_LOWER_LUNG_ZONE: Box(left=1450, top=1700, right=2350, bottom=2350),
        Region.TRACHEA: Box(left=1200, top=0, right=1350, bottom=700),
    }
    assert study.report is not None
    first = next(s for s in study.report.sentences if s.regions)
    assert set(first.regions) == {Region.LEFT_LUNG, Region.LEFT_COSTOPHRENIC_ANGLE, Region.LEFT_LOWER_LUNG_ZONE}


def test_a_scene_graph_of_another_patient_is_left_out_and_said(tmp_path: Path) -> None:
    done, store = imported(TREE, tmp_path / "p.sqlite")
    assert [p.reason for p in done.problems.kept] == ["a scene graph of another patient or film: left out"]
    assert patient(store, "p10000001").studies[1].images[0].boxes == {}


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    first, _ = imported(TREE, tmp_path / "p.sqlite")
    again, _ = imported(TREE, tmp_path / "p.sqlite")
    assert (first.new, first.same) == (5, 0)
    assert (again.new, again.changed, again.same) == (0, 0, 5)


def test_a_compressed_metadata_file_is_read(tree: Path, tmp_path: Path) -> None:
    plain = tree / METADATA
    (tree / f"{METADATA}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert imported(tree, tmp_path / "p.sqlite")[0].new == 5


def test_a_report_in_another_patients_folder_is_left_out_and_said(tree: Path, tmp_path: Path) -> None:
    own, forged = tree / "files/p10/p10000001/s50000001.txt", tree / "files/p10/p10000002/s50000001.txt"
    own.rename(forged)
    done, store = imported(tree, tmp_path / "p.sqlite")
    assert any("folder of another patient" in p.reason for p in done.problems.kept)
    assert patient(store, "p10000001").studies[0].report is None
    assert "s50000001" not in [s.id for s in patient(store, "p10000002").studies]


def test_a_report_without_a_date_is_left_out_and_said(tree: Path, tmp_path: Path) -> None:
    (tree / "files/p10/p10000002/s59999999.txt").write_text("FINDINGS: Clear.")
    done, _ = imported(tree, tmp_path / "p.sqlite")
    assert any("no film in the metadata" in p.reason for p in done.problems.kept)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{FILM},../../etc,50000009,X,PA,10,10,21800506,101010,X,X,X", "`subject_id` is no number"),
        (f"{FILM},10000002,50000001,X,PA,10,10,21800506,101010,X,X,X", "a study of two patients"),
        (f"{FILM},10000001,50000009,X,PA,10,10,2180-05,101010,X,X,X", "`StudyDate` is no date"),
        (f"{FILM},10000001,50000009,X,PA,10,10,21800506,256199,X,X,X", "`StudyTime` is no time"),
    ],
)
def test_a_row_that_cannot_be_is_left_out_and_said(tree: Path, tmp_path: Path, row: str, reason: str) -> None:
    with (tree / METADATA).open("a") as file:
        file.write(row + "\n")
    done, _ = imported(tree, tmp_path / "p.sqlite")
    assert [(p.line, p.reason.startswith(reason)) for p in done.problems.kept if p.line] == [(8, True)]
    assert done.new == 5


def test_a_date_without_a_time_is_the_whole_day(tree: Path, tmp_path: Path) -> None:
    with (tree / METADATA).open("a") as file:
        file.write("bbbbbbbb-1,10000001,50000009,X,PA,10,10,21800601,,X,X,X\n")
    _, store = imported(tree, tmp_path / "p.sqlite")
    dated = next(s for s in patient(store, "p10000001").studies if s.id == "s50000009")
    assert dated.until is not None


def test_what_is_missing_is_said_before_a_file_is_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="metadata"):
        imported(tmp_path / "empty", tmp_path / "p.sqlite")
    shutil.copy(TREE / METADATA, tmp_path / "empty")
    with pytest.raises(UserError, match="no reports"):
        imported(tmp_path / "empty", tmp_path / "p.sqlite")
    assert not (tmp_path / "p.sqlite").exists()


def test_a_broken_scene_graph_costs_only_itself(tree: Path, tmp_path: Path) -> None:
    graph = tree / f"silver_dataset/scene_graph/{FILM}_SceneGraph.json"
    for content in ("{", json.dumps({"image_id": FILM, "objects": 7, "attributes": [{"bbox_name": 1}]})):
        graph.write_text(content)
        _, store = imported(tree, tmp_path / "p.sqlite")
        assert patient(store, "p10000001").studies[0].images[0].boxes == {}
