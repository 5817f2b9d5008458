"""Sentences with offsets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.corpora.patients.sentences import sentence_spans

REPORTS = Path(__file__).parents[4] / "shared/data/openi_reports/reports_dev.jsonl"


def said(text: str) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("No effusion. Heart normal.", ["No effusion.", "Heart normal."]),
        ("1. Small effusion. 2. Big heart.", ["Small effusion.", "Big heart."]),
        ("IMPRESSION\n 1) Small effusion\n 2) Big heart", ["IMPRESSION", "Small effusion", "Big heart"]),
        ("A nodule of 1.5 cm. Clear.", ["A nodule of 1.5 cm.", "Clear."]),
        ("Told to Dr. Who by phone. Clear.", ["Told to Dr. Who by phone.", "Clear."]),
        ("Told at 3 p.m. by phone.", ["Told at 3 p.m. by phone."]),
        ("Told at 3 p.m. The heart is big.", ["Told at 3 p.m.", "The heart is big."]),
        ("Clear.. No effusion. .", ["Clear..", "No effusion."]),
        ("Clear.The heart is big.", ["Clear.", "The heart is big."]),
        ("Effusion at the\n left base.  Clear\n\nHeart big", ["Effusion at the\n left base.", "Clear", "Heart big"]),
        ("See no. 3 above.", ["See no. 3 above."]),
        ("Effusion: no. Heart: normal.", ["Effusion: no.", "Heart: normal."]),
        ("...", []),
    ],
)
def test_a_text_falls_into_its_sentences(text: str, sentences: list[str]) -> None:
    assert said(text) == sentences


@given(st.text(alphabet="aB .!?\n12)-*•(Dr", max_size=120))
def test_no_letter_is_lost_or_read_twice(text: str) -> None:
    joined = "".join(said(text))
    assert [c for c in joined if c.isalpha()] == [c for c in text if c.isalpha()]


@given(st.text(max_size=200), st.integers(0, 50), st.integers(0, 50))
def test_spans_stay_in_the_part_that_was_asked_for(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    last = start
    for a, b in sentence_spans(text, start, end):
        assert last <= a < b <= end
        last = b


@pytest.mark.skipif(not REPORTS.is_file(), reason=f"no Open-i reports in {REPORTS}")
def test_real_reports_fall_into_the_sentences_of_the_gold() -> None:
    from wardround.evals.region_gold import read_gold

    reports = {row["id"]: row for row in map(json.loads, REPORTS.read_text(encoding="utf-8").splitlines())}
    golds = [g for split in ("dev", "test", "fresh") for g in read_gold(split)]
    missed = [g.where for g in golds if (g.start, g.end) not in set(sentence_spans(reports[g.report][g.section]))]
    assert len(missed) <= len(golds) // 100
