from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.agents.quantities import quantities
from wardround.agents.urgency import UrgencyKind, urgent, what_to_do

CASES: list[dict[str, str | None]] = [
    json.loads(line) for line in Path(__file__).with_name("urgency_cases.jsonl").read_text("utf-8").splitlines()
]
QUESTIONS = Path(__file__).parents[3] / "shared/data/medicationqa/questions_dev.jsonl"


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["text"])[:40])
def test_tells_danger_from_ordinary_questions(case: dict[str, str | None]) -> None:
    found = urgent(case["text"] or "")
    assert (found.kind if found else None) == case["kind"]


def test_the_labelled_set_is_large_and_hard_enough() -> None:
    negatives = sum(case["kind"] is None for case in CASES)
    assert len(CASES) >= 120
    assert negatives >= 60
    assert {case["kind"] for case in CASES if case["kind"]} == set(UrgencyKind)


def test_danger_in_one_of_several_sentences_is_seen() -> None:
    found = urgent("Hi, I take warfarin. I just fell. Now I can't breathe. What is the dose of aspirin?")
    assert found is not None
    assert found.kind is UrgencyKind.BREATHING


@pytest.mark.parametrize(
    "text",
    [
        "I have chest pain, can aspirin help?",
        "I have chest pain is it safe to take viagra",
        "My throat is closing, what should I do",
        "I have a history of heart failure and I can't breathe",
    ],
)
def test_a_question_behind_the_danger_does_not_hide_it(text: str) -> None:
    assert urgent(text)


@pytest.mark.parametrize("kind", UrgencyKind)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_first_words_say_what_to_do_without_any_dose(kind: UrgencyKind, language: str) -> None:
    words = what_to_do(kind, "zh" if language == "zh" else "en")
    assert ("急救电话" in words) if language == "zh" else ("emergency number" in words)
    assert not [quantity for quantity in quantities(words) if quantity.unit]


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    found = urgent(text)
    assert found is None or found.quote


@pytest.mark.skipif(not QUESTIONS.is_file(), reason="the consumer questions are not on this machine")
def test_few_ordinary_questions_alarm() -> None:
    texts = [json.loads(line)["question"] for line in QUESTIONS.read_text("utf-8").splitlines()]
    alarms = [text for text in texts if urgent(text)]
    assert len(alarms) <= 3, alarms
