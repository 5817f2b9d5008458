"""Search terms of English, Chinese and everything else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardround.corpora.words import chinese_run, fold, has_chinese, plain_word, terms, word_runs


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(codec="ascii")))
def test_case_and_width_make_no_difference(text: str) -> None:
    full_width = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert fold(full_width) == fold(text) == fold(text.upper())


@pytest.mark.parametrize("text", ["Épinéphrine", "É", "ＥＰＩ", "ﬁlm", "naïve"])
def test_accents_and_ligatures_go(text: str) -> None:
    assert not any(unicodedata.combining(c) for c in unicodedata.normalize("NFD", fold(text)))
    assert fold(text).isascii()


@given(st.text())
def test_runs_lie_where_their_offsets_say(text: str) -> None:
    folded = fold(text)
    assert all(folded[start:end] == run for run, start, end in word_runs(folded))


@settings(deadline=None)  # the first call loads the segmenter
@given(st.text(st.characters()))
def test_any_text_has_terms_without_white_space(text: str) -> None:
    assert all(term and not any(c.isspace() for c in term) for term in terms(text))


def test_repetitions_are_kept_and_stop_words_dropped() -> None:
    assert terms("The dose of a dose, and DOSES") == ["dose", "dose", "dose"]


def test_numbers_keep_their_decimals() -> None:
    assert terms("2.5 mg") == ["2.5", "mg"]


@pytest.mark.parametrize("word", ["metformin's", "metformin’s", "metformin"])
def test_a_possessive_s_goes(word: str) -> None:
    assert plain_word(word) == "metformin"


def test_a_long_chinese_word_also_gives_its_pairs() -> None:
    found = terms("阿莫西林")
    assert "西林" in found
    assert terms("阿莫西林") == found


def test_korean_and_japanese_are_no_chinese() -> None:
    assert not has_chinese("약물 くすり")
    assert terms("약물") == ["약물"]
    assert not chinese_run("약물")
    assert chinese_run("药物")


@pytest.mark.parametrize("text", ["", " \n", "\0", "\ud800", "😀‍👩‍👧", "！？。", "\u202e\u2066"])
def test_texts_without_words_have_no_terms(text: str) -> None:
    assert terms(text) == []
