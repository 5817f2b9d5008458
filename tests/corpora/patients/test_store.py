"""The store: what goes in comes out, again changes nothing, and nobody's study becomes another's."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from invented_patients import EFFUSION, store_of, study
from wardround.corpora.patients import (
    Box,
    Condition,
    Image,
    Patient,
    PatientStore,
    Region,
    read_report,
    write_patients,
)
from wardround.corpora.patients.writing import Added, StoreWriter, Written
from wardround.corpora.sources.problems import RowError
from wardround.errors import CorpusError, UserError

FILM = Image(id="i1", path="s1/i1.png", view="PA", boxes={Region.LEFT_LUNG: Box(left=1, top=2, right=30, bottom=40)})
ADA = Patient(
    id="ada",
    sex="female",
    birth_year=1950,
    studies=(
        study("s1", "ada", "2180-05-06").model_copy(
            update={
                "images": (FILM,),
                "report": read_report(EFFUSION, issued=datetime.fromisoformat("2180-05-06T12:00:00")),
            }
        ),
        study("s2", "ada", "2180-06-07T10:00:00+02:00"),
    ),
    conditions=(
        Condition(
            id="c1", text="COPD", time=datetime.fromisoformat("2170-01-01"), until=datetime.fromisoformat("2170-12-31")
        ),
    ),
)


def test_a_patient_comes_back_as_they_were(tmp_path: Path) -> None:
    write_patients(tmp_path / "p.sqlite", [ADA], source="jsonl", folder=tmp_path)
    with PatientStore(tmp_path / "p.sqlite") as store:
        assert store.patient("ada") == ADA
        assert store.counts() == {"patients": 1, "studies": 2, "reports": 1, "images": 1, "conditions": 1}


def test_the_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    store_of(tmp_path / "p.sqlite", ("s1", "p1", "2180-05-06", EFFUSION))
    assert stat.S_IMODE((tmp_path / "p.sqlite").stat().st_mode) == 0o600


def test_adding_again_changes_nothing_and_a_change_is_taken(tmp_path: Path) -> None:
    one = study("s1", "p1", "2180-05-06")
    for text, expected in ((EFFUSION, Added.NEW), (EFFUSION, Added.SAME), ("Clear.", Added.CHANGED)):
        with StoreWriter(tmp_path / "p.sqlite", source="jsonl", folder=tmp_path) as writer:
            assert writer.add_study(one, Written(text)) is expected
    found = PatientStore(tmp_path / "p.sqlite").study("s1", of="p1")
    assert found is not None
    assert found.report is not None
    assert found.report.text == "Clear."


def test_a_study_of_one_patient_cannot_be_made_anothers(tmp_path: Path) -> None:
    store_of(tmp_path / "p.sqlite", ("s1", "p1", "2180-05-06", EFFUSION))
    with (
        StoreWriter(tmp_path / "p.sqlite", source="jsonl", folder=tmp_path) as writer,
        pytest.raises(RowError, match="already that of another patient"),
    ):
        writer.add_study(study("s1", "p2", "2180-05-06"), Written("Forged."))
    store = PatientStore(tmp_path / "p.sqlite")
    assert store.study("s1", of="p2") is None
    assert store.study("s1", of="p1") is not None


def test_a_patient_id_of_another_source_is_not_taken_for_the_same_person(tmp_path: Path) -> None:
    store_of(tmp_path / "p.sqlite", ("s1", "p1", "2180-05-06", EFFUSION))
    with (
        StoreWriter(tmp_path / "p.sqlite", source="fhir", folder=tmp_path) as writer,
        pytest.raises(RowError, match="import into another file"),
    ):
        writer.add_study(study("s9", "p1", "2180-05-06"), None)


_KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from invented_patients import EFFUSION, study
from wardround.corpora.patients.writing import StoreWriter, Written
writer = StoreWriter(Path(sys.argv[1]), source="jsonl", folder=Path(sys.argv[1]).parent)
for n in range(1200):
    writer.add_study(study(f"s{n}", "p1", "2180-05-06"), Written(EFFUSION))
os._exit(9)
"""


def test_an_import_that_was_killed_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    support = Path(__file__).parents[2] / "support"
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path), str(support)], check=False, cwd=tmp_path)
    assert killed.returncode == 9
    assert PatientStore(path).counts()["studies"] == 1000  # two batches of 500
    with StoreWriter(path, source="jsonl", folder=tmp_path) as writer:
        added = [writer.add_study(study(f"s{n}", "p1", "2180-05-06"), Written(EFFUSION)) for n in range(1200)]
    assert (added.count(Added.SAME), added.count(Added.NEW)) == (1000, 200)


def test_half_a_character_is_refused_and_not_fatal(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "p.sqlite", source="jsonl", folder=tmp_path) as writer:
        with pytest.raises(RowError, match="half a character"):
            writer.add_study(study("s1", "p1", "2180-05-06"), Written("\ud800"))
        writer.add_study(study("s2", "p1", "2180-05-06"), Written("Clear."))
    store = PatientStore(tmp_path / "p.sqlite")
    assert store.counts()["studies"] == 1
    assert not store.has_patient("\ud800")
    assert store.study("\ud800", of="p1") is None


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but rather long" * 10)
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE t (x)").connection.close()
    for name in ("text", "other.sqlite"):
        with pytest.raises(CorpusError, match="not a store of patients"):
            PatientStore(tmp_path / name)
        with pytest.raises(CorpusError, match="not a store of patients"):
            StoreWriter(tmp_path / name, source="jsonl", folder=tmp_path)
    with pytest.raises(UserError, match="no patient records at"):
        PatientStore(tmp_path / "none.sqlite")


def test_another_format_is_refused(tmp_path: Path) -> None:
    store_of(tmp_path / "p.sqlite", ("s1", "p1", "2180-05-06", EFFUSION)).close()
    with sqlite3.connect(tmp_path / "p.sqlite") as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    with pytest.raises(CorpusError, match="has format `99`"):
        PatientStore(tmp_path / "p.sqlite")


def test_many_threads_read_one_store(tmp_path: Path) -> None:
    store = store_of(tmp_path / "p.sqlite", *((f"s{n}", f"p{n}", "2180-05-06", EFFUSION) for n in range(20)))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: store.patient(f"p{n % 20}"), range(200)))
    assert [p and p.id for p in found] == [f"p{n % 20}" for n in range(200)]


def test_the_file_of_an_image_is_found_in_the_folder_of_the_import_only(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    (folder / "s1").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"x")
    write_patients(tmp_path / "p.sqlite", [ADA], source="jsonl", folder=folder)
    store = PatientStore(tmp_path / "p.sqlite")
    with pytest.raises(UserError, match="is not there"):
        store.image_file("s1", "i1", of="ada")
    with pytest.raises(UserError, match="has no image"):
        store.image_file("s1", "i1", of="bob")
    (folder / "s1/i1.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(UserError, match="lies outside"):
        store.image_file("s1", "i1", of="ada")
    (folder / "s1/i1.png").unlink()
    (folder / "s1/i1.png").write_bytes(b"x")
    assert store.image_file("s1", "i1", of="ada") == (folder / "s1/i1.png").resolve()
