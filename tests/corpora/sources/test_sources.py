"""Choosing a source, cleaning, problems, and the shipped corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.corpora.medicines import Attribute
from wardround.corpora.sources import Problems, read_source
from wardround.corpora.sources.attributes import OPENFDA, resolve
from wardround.corpora.sources.cleaning import clean
from wardround.corpora.sources.essential import read_essential
from wardround.corpora.sources.forms import form_of_label
from wardround.errors import UserError

PASSAGE = {"medicine": "Examplol", "attribute": "Storage", "text": "Keep it cool."}


def test_an_unknown_source_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`drugbank`.*`openfda`, `monographs-zh`, `passages`, `table`"):
        read_source("drugbank", tmp_path, Problems())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_source("passages", tmp_path / "gone.jsonl", Problems())


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 100, b"a,b\n1,2\n", b'{"results": []}'])
def test_a_file_of_another_kind_is_the_users_to_mend(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(UserError, match=r"no medicine could be read from `.*a\.jsonl` as source `passages`"):
        list(read_source("passages", tmp_path / "a.jsonl", Problems()))


def test_a_folder_is_read_file_by_file_and_ids_are_unique(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(json.dumps(PASSAGE))
    (tmp_path / "notes.txt").write_text("not data")
    problems = Problems()
    assert len(list(read_source("passages", tmp_path, problems))) == 1
    assert problems.by_reason == {"second medicine of the same id": 1}


def test_problems_keep_the_first_thousand_and_count_all(tmp_path: Path) -> None:
    problems = Problems()
    for line in range(1500):
        problems.add(tmp_path / "a", line, f"not JSON: at {line}")
    problems.write_jsonl(tmp_path / "problems.jsonl")
    assert problems.by_reason == {"not JSON": 1500}
    assert len((tmp_path / "problems.jsonl").read_text().splitlines()) == 1000


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("禁忌症", Attribute.CONTRAINDICATIONS),
        ("【存储方式】", Attribute.STORAGE),
        ("孕妇禁忌", Attribute.PREGNANCY_LACTATION),
        ("Use in children", Attribute.CHILDREN),
        ("indications_and_usage", Attribute.INDICATIONS),
        ("INDICATIONS AND USAGE", Attribute.INDICATIONS),
        ("side effects", Attribute.ADVERSE_REACTIONS),
        ("price", None),
        ("", None),
    ],
)
def test_names_of_attributes_are_resolved(name: str, attribute: Attribute | None) -> None:
    assert resolve(name) is attribute


def test_own_names_win_over_those_of_sources() -> None:
    assert all(resolve(each.value) is each is resolve(each.label) is resolve(each.label_zh) for each in Attribute)
    assert all(resolve(section) is attribute for section, attribute in OPENFDA.items())


@pytest.mark.parametrize(
    ("routes", "texts", "form"),
    [
        (["INTRAVENOUS", "SUBCUTANEOUS"], ["Insulin"], "injection"),
        (["ORAL"], ["Metformin", "Metformin extended-release tablets, 500 mg"], "extended-release tablet"),
        (["ORAL"], ["Examplol", "a white powder", "Each tablet holds 5 mg"], "tablet"),
        (["OPHTHALMIC"], ["Timolol ophthalmic solution"], "eye drops"),
        (["RESPIRATORY (INHALATION)"], ["Albuterol inhalation aerosol"], "inhaler"),
        (["ORAL"], ["Examplol"], None),
    ],
)
def test_forms_of_labels(routes: list[str], texts: list[str], form: str | None) -> None:
    assert form_of_label(routes, texts) == form


def test_cleaning_keeps_paragraphs_and_drops_what_cannot_be_seen() -> None:
    assert clean(" one\u200b \t two\r\n\r\n\r\n three\x00\x1b[31m\U000e0041\ud800 ") == "one two\n\nthree[31m"


@given(st.text(st.characters(), max_size=80))
def test_cleaning_twice_changes_nothing_and_gives_writable_text(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once.encode("utf-8").decode("utf-8") == once
    assert "  " not in once


def test_the_shipped_medicines_are_read() -> None:
    medicines = list(read_essential())
    assert medicines
    assert all(medicine.source.name == "essential" for medicine in medicines)
    assert len({medicine.id for medicine in medicines}) == len(medicines)
