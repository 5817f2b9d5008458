"""Records refuse what cannot be."""

from __future__ import annotations

import pytest
from invented_patients import study
from pydantic import ValidationError
from wardround.corpora.patients import Box, Image, Patient, Report, SectionName, Sentence, Study


@pytest.mark.parametrize(
    "bad", ["../p2", "p1/s2", "a\\b", "..", ".hidden", "", "p 1", "p\x00", "p\n1", "x" * 129, "p%2f"]
)
def test_an_id_with_the_characters_of_a_path_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError):
        study(bad, "p1", "2180-05-06")
    with pytest.raises(ValidationError):
        study("s1", bad, "2180-05-06")
    with pytest.raises(ValidationError):
        Image(id=bad, path="a.png")


@pytest.mark.parametrize("bad", ["../a.png", "/etc/passwd", "a/../../b.png", "C:\\a.png", "a\\b.png", "", "a\x00.png"])
def test_the_path_of_an_image_stays_in_its_folder(bad: str) -> None:
    with pytest.raises(ValidationError):
        Image(id="i1", path=bad)


def test_a_date_is_a_whole_day_and_a_time_is_exact() -> None:
    dated, timed = study("s1", "p1", "2180-05-06"), study("s2", "p1", "2180-05-06T10:00:00")
    assert dated.until is not None
    assert (dated.time.hour, dated.until.hour) == (0, 23)
    assert timed.until is None


def test_a_study_comes_back_from_its_json() -> None:
    for time in ("2180-05-06", "2180-05-06T10:00:00", "2180-05-06T10:00:00+02:00"):
        one = study("s1", "p1", time)
        assert Study.model_validate_json(one.model_dump_json()) == one


def test_a_study_of_another_patient_is_not_listed_under_this_one() -> None:
    with pytest.raises(ValidationError, match="names another patient"):
        Patient(id="p1", studies=(study("s1", "p2", "2180-05-06"),))


def test_a_sentence_is_what_the_report_says_there() -> None:
    sentence = Sentence(section=SectionName.FINDINGS, start=0, end=5, text="Clear")
    with pytest.raises(ValidationError, match="not what the report says"):
        Report(text="Other words", sentences=(sentence,))


def test_a_box_has_an_inside() -> None:
    with pytest.raises(ValidationError):
        Box(left=5, top=0, right=5, bottom=4)
