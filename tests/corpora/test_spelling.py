"""Nearest names of misspelt words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA
from wardround.corpora.spelling import SHORTEST, Spelling, most_edits, write_spelling

NAMES = ("rivastigmine", "amoxicillin", "clavulanate", "metformin", "omeprazole", "zocor", "warfarin", "florbutinol")
LETTERS = st.text("abcdeimnorstuz", min_size=1, max_size=14)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], Spelling]:
    def write(words: list[str]) -> Spelling:
        folder = tmp_path_factory.mktemp("spelling")
        write_spelling(words, folder)
        return Spelling(folder)

    return write


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("rivatigmine", "rivastigmine"),
        ("amoxicilin", "amoxicillin"),
        ("metfromin", "metformin"),
        ("omeprazol", "omeprazole"),
        ("comeprazole", "omeprazole"),
        ("warfarin", "warfarin"),
        ("zocar", "zocor"),
    ],
)
def test_misspellings(opened: Callable[[list[str]], Spelling], word: str, expected: str) -> None:
    assert [w for w, _ in opened([*NAMES]).closest(word)] == [expected]


@pytest.mark.parametrize("word", ["", "zoco", "bread", "xyzzyxyzzy", "ometrozale", "\u202eelom", "м" * 12])
def test_words_that_are_near_no_name(opened: Callable[[list[str]], Spelling], word: str) -> None:
    assert opened([*NAMES]).closest(word) == []


def test_an_empty_vocabulary_has_no_neighbours(opened: Callable[[list[str]], Spelling]) -> None:
    assert opened([]).closest("metformin") == []


@settings(max_examples=60, deadline=None)
@given(words=st.lists(LETTERS, max_size=30), word=LETTERS)
def test_what_is_found_is_truly_nearest(opened: Callable[[list[str]], Spelling], words: list[str], word: str) -> None:
    found = opened(words).closest(word)
    assert found == sorted(found)
    for near, distance in found:
        assert near in words
        assert OSA.distance(word, near) == distance <= most_edits(word)
    if word in words and len(word) >= SHORTEST:
        assert found == [(word, 0)]


@settings(max_examples=60, deadline=None)
@given(word=st.text("abcdeimnorstuz", min_size=8, max_size=14), data=st.data())
def test_two_edits_after_the_first_letter_are_found(
    opened: Callable[[list[str]], Spelling], word: str, data: st.DataObject
) -> None:
    misspelt = word
    for _ in range(2):
        at = data.draw(st.integers(1, len(misspelt) - 1))
        misspelt = misspelt[:at] + data.draw(st.sampled_from(["", "a", "xy"])) + misspelt[at + 1 :]
    near = OSA.distance(word, misspelt) <= min(2, most_edits(word), most_edits(misspelt))
    assert not near or word in [w for w, _ in opened([word]).closest(misspelt)]
