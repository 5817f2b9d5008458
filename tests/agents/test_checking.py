from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.agents.checking import (
    EvidenceItem,
    Problem,
    check_answer,
    check_sentence,
    citations_of,
    cited_numbers,
)
from wardround.corpora.medicines import Attribute, Passage, SourceRef


def item(
    n: int, text: str, medicine: str = "ibuprofen", attribute: Attribute = Attribute.DOSAGE, date: str | None = None
) -> EvidenceItem:
    passage = Passage(
        id=f"table:{medicine}#{attribute}",
        medicine_id=f"table:{medicine}",
        medicine=medicine.capitalize(),
        attribute=attribute,
        text=text,
        end=len(text),
        source=SourceRef(name="table", id=medicine, date=date),
    )
    return EvidenceItem(n=n, passage=passage)


EVIDENCE = [
    item(1, "Take 200 mg every 6 hours. Do not take more than 1,200 mg a day. Swallow it with water."),
    item(2, "The usual dose is 5 mg once daily. 成人每次1片，一日三次。饭后服用为宜。", "warfarin", date="2026-01-31"),
    item(3, "Aspirin raises the risk of bleeding with warfarin.", "aspirin", Attribute.INTERACTIONS),
]
NAMES = {"table:ibuprofen": ["ibuprofen", "布洛芬"], "table:warfarin": ["warfarin"], "table:aspirin": ["aspirin"]}

CASES: list[tuple[str, list[Problem]]] = [
    ("Take 200 mg every 6 hours [1].", []),
    ("Take two hundred mg [1].", []),
    ("Take 200 mg every 6 hours. [1]", []),
    ("Take 200 mg every 8 hours [1].", [Problem.QUANTITY_NOT_FOUND]),
    ("Take 200 mg every 6 hours [2].", [Problem.QUANTITY_NOT_FOUND] * 2),
    ("Take 200 mg every 6 hours, or 5 mg once daily [1][2].", []),
    ("Take 200 mg every 6 hours.", [Problem.NO_CITATION]),
    ("Take it with water [7].", [Problem.UNKNOWN_CITATION]),
    ("Take it with water [0].", [Problem.UNKNOWN_CITATION]),
    ("Take it with water [1, 7].", [Problem.UNKNOWN_CITATION]),
    ("Swallow it [1-3].", []),
    ("Swallow it [2-4].", [Problem.UNKNOWN_CITATION]),
    ("每次1片，每日3次［2］。", []),
    ("每次2片，每日3次【2】。", [Problem.QUANTITY_NOT_FOUND]),
    ("It says “do not take more than 1,200 mg a day” [1].", []),
    ('It says "Do not take more than 1,200 mg" [1].', []),
    ("It says “take more than 1,200 mg a day” [1].", []),
    ("It says “you may take more than that” [1].", [Problem.QUOTE_NOT_FOUND]),
    ("It says “200 mg a day with water” [1].", [Problem.QUOTE_NOT_FOUND, Problem.QUANTITY_NOT_FOUND]),
    ("It says “00 mg every 6 hours” [1].", [Problem.QUOTE_NOT_FOUND, Problem.QUANTITY_NOT_FOUND]),
    ("说明书写着「成人每次1片，一日三次」[2]。", []),
    ("说明书写着“儿童每次1片，一日三次”[2]。", [Problem.QUOTE_NOT_FOUND]),
    ("It is called “the label” [1].", []),
    ("Ask your doctor.", []),
    ("Ask your doctor, but 5 g is fine.", [Problem.NO_CITATION]),
    ("Is 5 g too much?", [Problem.NO_CITATION]),
    ("Maximum 5 g:", [Problem.NO_CITATION]),
    ("I found nothing about 5 g.", [Problem.NO_CITATION]),
    ("Call 911 now.", []),
    ("Please call 911 now and ask your doctor.", []),
    ("Warfarin is taken with water [1].", [Problem.WRONG_MEDICINE]),
    ("布洛芬饭后服用[2]。", [Problem.WRONG_MEDICINE]),
    ("Warfarin and ibuprofen are swallowed [1].", []),
    ("Warfarin bleeds more easily then [3].", []),
    ("Paracetamol is taken with water [1].", []),
]


@pytest.mark.parametrize(("sentence", "expected"), CASES)
def test_finds(sentence: str, expected: list[Problem]) -> None:
    assert [finding.problem for finding in check_sentence(sentence, EVIDENCE, names=NAMES).problems] == expected


def test_a_number_in_the_display_name_stands() -> None:
    evidence = [item(1, "Swallow it with water.", "ibuprofen 400 mg tablet")]
    assert check_sentence("Ibuprofen 400 mg tablet, Dosage: “Swallow it with water.” [1]", evidence).ok


def test_a_cut_quotation_must_stand_in_parts() -> None:
    assert check_sentence("“Take 200 mg … Swallow it with water” [1].", EVIDENCE).ok
    assert not check_sentence("“Take 200 mg … Chew it with water” [1].", EVIDENCE).ok


def test_cited_numbers_are_read_in_every_spelling() -> None:
    assert cited_numbers("a [1] b [2, 3][5-7] ［８］【9】 [1]") == (1, 2, 3, 5, 6, 7, 8, 9)
    assert cited_numbers("[1-999] [12345] [x]") == (1, 999)


def test_explanations_name_the_value() -> None:
    check = check_sentence("Take 9 mg [1][8].", EVIDENCE)
    assert [finding.explanation for finding in check.problems] == [
        "there is no passage `[8]`",
        "`9 mg` does not stand in a cited passage",
    ]


def test_citations_carry_the_supporting_sentence_and_date() -> None:
    answer = "Do not take more than 1,200 mg a day. [1] With water is best [1]. Once daily, 5 mg [2][9]."
    found = [(citation.n, citation.quote, citation.date) for citation in citations_of(answer, EVIDENCE)]
    assert found == [
        (1, "Do not take more than 1,200 mg a day.", None),
        (1, "Swallow it with water.", None),
        (2, "The usual dose is 5 mg once daily.", "2026-01-31"),
    ]


WORDS = st.sampled_from("take give swallow with water food slowly at night adults patients 成人 服用".split())
UNITS = st.sampled_from(["mg", "mL", "hours", "tablets", "%", "毫克", "mcg/kg"])


@st.composite
def passages(draw: st.DrawFn) -> list[list[str]]:
    """Passages as lists of sentences; no number stands twice."""
    numbers = draw(st.lists(st.integers(10, 9999), min_size=2, max_size=6, unique=True))
    sentences = [
        f"{' '.join(draw(st.lists(WORDS, min_size=2, max_size=5)))} {number} {draw(UNITS)} now.".capitalize()
        for number in numbers
    ]
    cut = draw(st.integers(1, len(sentences)))
    return [part for part in (sentences[:cut], sentences[cut:]) if part]


@given(passages())
def test_verbatim_sentences_with_right_numbers_pass(parts: list[list[str]]) -> None:
    evidence = [item(n, " ".join(part), f"m{n}") for n, part in enumerate(parts, start=1)]
    answer = " ".join(f"{s} [{n}]" for n, part in enumerate(parts, start=1) for s in part)
    assert check_answer(answer, evidence).problems == ()
    assert [c.quote for c in citations_of(answer, evidence)] == [s for part in parts for s in part]


@given(passages(), st.data())
def test_a_changed_digit_fails(parts: list[list[str]], data: st.DataObject) -> None:
    evidence = [item(n, " ".join(part), f"m{n}") for n, part in enumerate(parts, start=1)]
    text = " ".join(parts[0])
    sentence = data.draw(st.sampled_from(parts[0]))
    place = data.draw(st.sampled_from([i for i, sign in enumerate(sentence) if sign.isdigit()]))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != sentence[place]]))
    changed = sentence[:place] + digit + sentence[place + 1 :]
    number = Decimal("".join(sign for sign in changed if sign.isdigit()))
    standing = {Decimal("".join(sign for sign in s if sign.isdigit())) for s in parts[0]}
    assert changed not in text
    if number not in standing:
        problems = check_answer(f"{changed} [1]", evidence).problems
        assert [finding.problem for finding in problems] == [Problem.QUANTITY_NOT_FOUND]


@given(passages(), st.integers(10, 999))
def test_a_number_never_retrieved_fails(parts: list[list[str]], wrong: int) -> None:
    evidence = [item(n, " ".join(part), f"m{n}") for n, part in enumerate(parts, start=1)]
    problems = check_answer(f"{parts[0][0]} [{wrong}]", evidence).problems
    assert [finding.problem for finding in problems] == [Problem.UNKNOWN_CITATION]


@given(st.text(max_size=60))
def test_any_text_can_be_checked(text: str) -> None:
    check = check_answer(text, EVIDENCE, names=NAMES)
    assert check.ok == (not check.problems)
