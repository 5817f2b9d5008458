"""Which option a reply chooses."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.evals.letters import read_letter

OPTIONS = {"A": "Sarcoidosis", "B": "Granuloma annulare", "C": "Cutaneous T-cell lymphoma", "D": "Leprosy"}

READ = {
    "B": "B",
    "b": "B",
    "B.": "B",
    "(B)": "B",
    "[B]": "B",
    "**B**": "B",
    "*B*.": "B",
    "`B`": "B",
    '"B"': "B",
    "B: Granuloma annulare": "B",
    "B. Granuloma annulare": "B",
    "B) Granuloma annulare": "B",
    "(B) Granuloma annulare": "B",
    "B - Granuloma annulare": "B",
    "B Granuloma annulare": "B",
    "Option B": "B",
    "Ｂ": "B",
    "Granuloma annulare": "B",
    "granuloma annulare.": "B",
    "The answer is B": "B",
    "The answer is B.": "B",
    "the answer is (B).": "B",
    "The correct answer is **B**.": "B",
    "The correct answer is **B. Granuloma annulare**.": "B",
    "The best choice is B": "B",
    "The correct option is B, because of the ring.": "B",
    "Answer: B": "B",
    "Answer: b": "B",
    "**Answer:** B": "B",
    "**Answer: B**": "B",
    "Answer:\n\nB": "B",
    "Answer = B": "B",
    "Final answer: (B)": "B",
    "FINAL ANSWER: B": "B",
    "Answer: Option B": "B",
    "My answer: B": "B",
    "I would choose B.": "B",
    "I'd think about A, but I go with B": "B",
    "\\boxed{B}": "B",
    "$\\boxed{B}$": "B",
    "\\boxed{\\text{B}}": "B",
    "\\boxed{\\textbf{B. Granuloma annulare}}": "B",
    "\\boxed{B. Granuloma annulare}": "B",
    "\\boxed{Granuloma annulare}": "B",
    "\\boxed {B}": "B",
    "The answer is $\\boxed{B}$.": "B",
    '{"answer": "B"}': "B",
    '```json\n{"reason": "ring", "answer": "B"}\n```': "B",
    '{"answer": "B. Granuloma annulare"}': "B",
    "答案：B": "B",
    "答案是B。": "B",
    "正确答案为 B": "B",
    "故选B": "B",
    "选：B": "B",
    # The last answer wins.
    "\\boxed{A} ... no, wait: \\boxed{B}": "B",
    "At first the answer is A. On reflection, the answer is B.": "B",
    "Answer: A\n\nHold on.\n\nAnswer: B": "B",
    "\\boxed{A}\nI made a mistake. The answer is B.": "B",
    "The answer is A.\nSo \\boxed{B}": "B",
    "A: no granulomas.\nB: fits.\nC: no.\nD: no.\nAnswer: B": "B",
    "<think>The answer is A</think>B": "B",
    "<think>B? No, A. \\boxed{A}</think>\nThe answer is B": "B",
    "A patient with a ring: it spreads slowly.\nB": "B",
    "B\n\nA ring of papules on the hand is typical.": "B",
    "Reasoning about options A, C and D.\n\n(B)": "B",
}
NOT_READ = [
    "",
    "   ",
    "I don't know.",
    "A patient with a ring should be biopsied.",
    "All of the above",
    "E",
    "The answer is Z.",
    "The answer is a matter of debate.",
    "As a doctor I cannot say.",
    "Bananas",
    "A biopsy is needed before anything can be said",
    "<think>The answer is B",
    "\\boxed{}",
    "\\boxed{unclear}",
    '{"answer": null}',
    "Could be many things.",
]
AMBIGUOUS = {
    "A or B": ("A", "B"),
    "The answer is A or B.": ("A", "B"),
    "Answer: A and C": ("A", "C"),
    "Answer: B/C": ("B", "C"),
    "\\boxed{A, B}": ("A", "B"),
    "The answer is A, B and D": ("A", "B", "D"),
    "答案：A或B": ("A", "B"),
    '{"answer": "A or B"}': ("A", "B"),
}


@pytest.mark.parametrize(("text", "letter"), READ.items())
def test_it_reads(text: str, letter: str) -> None:
    assert read_letter(text, OPTIONS).letter == letter


@pytest.mark.parametrize("text", NOT_READ)
def test_it_does_not_make_one_up(text: str) -> None:
    found = read_letter(text, OPTIONS)
    assert (found.letter, found.ambiguous) == (None, False)


@pytest.mark.parametrize(("text", "letters"), AMBIGUOUS.items())
def test_two_answers_are_none(text: str, letters: tuple[str, ...]) -> None:
    found = read_letter(text, OPTIONS)
    assert (found.letter, found.ambiguous, found.candidates) == (None, True, letters)


def test_letters_up_to_j() -> None:
    options = {letter: f"option number {n}" for n, letter in enumerate("ABCDEFGHIJ")}
    assert read_letter("Answer: J", options).letter == "J"


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error_and_gives_an_option_or_nothing(text: str) -> None:
    assert read_letter(text, OPTIONS).letter in {None, *OPTIONS}


@given(st.sampled_from("ABCD"), st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=200))
def test_a_plain_last_line_is_found_after_anything(letter: str, before: str) -> None:
    assert read_letter(f"{before.replace('<', '')}\nAnswer: {letter}", OPTIONS).letter == letter


@pytest.mark.parametrize("text", ["the answer is " * 200_000, "\\boxed{" * 300_000, "{" * 1_000_000, "A or " * 500_000])
def test_hostile_text_takes_no_time(text: str) -> None:
    begin = time.process_time()
    read_letter(text, OPTIONS)
    assert time.process_time() - begin < 2
