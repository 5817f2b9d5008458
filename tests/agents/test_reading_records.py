"""What the historian says of records is held to them."""

from __future__ import annotations

from datetime import datetime

import pytest
from wardround.agents.reading_records import NumberedRecord, check_reading, quoted, record_citations
from wardround.corpora.patients import Scope, read_report
from wardround.corpora.patients.history import record_of

REPORT = "FINDINGS: There is a 16 mm nodule in the left upper lung zone. The nodule has grown since 3 May."


def record(text: str = REPORT, date: str = "2144-05-20") -> NumberedRecord:
    at = datetime.fromisoformat(f"{date}T10:00:00")
    return NumberedRecord(n=1, record=record_of("s1", (at, None), 9, Scope.REGIONAL, read_report(text).sentences))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("The nodule was 16 mm [1].", None),
        ("On 2144-05-20, 9 days before, the nodule was 16 mm [1].", None),
        ("The record says “a 16 mm nodule in the left upper lung zone” [1].", None),
        ("There is a nodule on the current film.", None),
        ("It looks larger now.", None),
        ("The nodule was 18 mm [1].", "quantity_not_found"),
        ("On 2144-05-21 the nodule was 16 mm [1].", "wrong_date"),
        ("The record says “a 16 mm nodule in the right upper lung zone” [1].", "quote_not_found"),
        ("The nodule was 16 mm [2].", "unknown_citation"),
        ("The earlier report says that there was a nodule.", "no_citation"),
        ("“There is a 16 mm nodule in the left upper lung zone.”", "no_citation"),
        ("On 2144-05-20 there was a nodule.", "no_citation"),
        ("According to the records it was there.", "no_citation"),
    ],
)
def test_every_sentence_is_checked(said: str, problem: str | None) -> None:
    found = [f.problem.value for _, problems in check_reading(said, [record()]) for f in problems]
    assert found == ([problem] if problem else [])


def test_a_citation_carries_the_sentence_and_whether_it_compares() -> None:
    first, second = record_citations("It was 16 mm [1]. It has grown since 3 May [1].", [record()])
    assert (first.quote, first.compares) == ("There is a 16 mm nodule in the left upper lung zone.", False)
    assert (second.quote, second.compares) == ("The nodule has grown since 3 May.", True)
    assert (first.study_id, first.date, first.days_before) == ("s1", "2144-05-20", 9)


def test_quotes_state_first_and_say_what_compares() -> None:
    text, cited = quoted([record("FINDINGS: The nodule has grown since 3 May. There is a nodule in the left apex.")])
    lines = text.splitlines()
    assert "There is a nodule in the left apex." in lines[0]
    assert "compared with a still earlier film" in lines[1]
    assert [c.compares for c in cited] == [False, True]
    assert quoted([]) == ("", ())
