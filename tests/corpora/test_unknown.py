"""Names that a corpus does not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wardround.corpora import Corpus

QUESTIONS = Path(__file__).parents[3] / "shared/data/medicationqa/questions_dev.jsonl"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("is zolgensma safe with vaccines", ["zolgensma"]),
        ("Can I take XARELTO with metformin?", ["xarelto"]),
        ("humira's side effects", ["humira"]),
        ("bisoprolol or clotrimazole, or bisoprolol", ["bisoprolol", "clotrimazole"]),
        ("pembrolizumab", ["pembrolizumab"]),
        ("opdivo and yervoy", ["opdivo", "yervoy"]),
    ],
)
def test_unknown_medicines(essential: Corpus, text: str, expected: list[str]) -> None:
    assert essential.unknown_names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "can i take metformin with tylenol",
        "is warferin ok with cheese",
        "what helps against a tummyache and a runny nose",
        "i have a stomachache, diarrhoea and backache, help",
        "howmuch of it shoudl i take tomorow mornign",
        "adminitser the medecine befor breakfast",
        "my mother-in-law has osteoarthritis, fibromyalgia and bronchitis",
        "extended-release tablets or softgels",
        "对乙酰氨基酚能和布洛芬一起吃吗",
        "",
        "\0\ud800 😀",
    ],
)
def test_ordinary_words_are_no_unknown_medicines(essential: Corpus, text: str) -> None:
    assert essential.unknown_names(text) == []


def test_a_huge_text_takes_bounded_time(essential: Corpus) -> None:
    assert essential.unknown_names("blorfitax " * 1_000_000 + "zolgensma")[-1] == "zolgensma"


@pytest.mark.skipif(not QUESTIONS.exists(), reason="the consumer questions are not on this machine")
def test_few_false_alarms_on_real_questions(essential: Corpus) -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    alarms = [
        word
        for row in rows
        for word in essential.unknown_names(row["question"])
        if word[:5] not in row["medicine"].lower()
    ]
    assert len(alarms) < 0.06 * len(rows)
