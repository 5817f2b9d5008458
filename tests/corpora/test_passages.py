"""Cutting texts into passages."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from invented import invented
from wardround.corpora.medicines import Attribute, SourceRef
from wardround.corpora.passages import MAX_CHARACTERS, passages_of, spans

ALPHABET = st.sampled_from("ab .。!?\n\t；😀é\u3000\0)")


@given(st.text(ALPHABET, max_size=300), st.integers(2, 40))
def test_spans_lose_only_white_space_and_keep_the_limit(text: str, limit: int) -> None:
    pieces = list(spans(text, limit))
    assert all(0 < end - start <= limit for start, end in pieces)
    assert all(text[start:end] == text[start:end].strip() for start, end in pieces)
    at = 0
    for start, end in pieces:
        assert not text[at:start].strip()
        at = end
    assert not text[at:].strip()


@given(st.text(ALPHABET, max_size=300), st.integers(2, 40))
def test_no_piece_but_the_last_is_shorter_than_half_a_limit_by_more_than_white_space(text: str, limit: int) -> None:
    pieces = list(spans(text, limit))
    for (start, _), (following, _) in pairwise(pieces):
        assert following - start >= limit // 2


def test_cuts_prefer_paragraphs_then_sentences_then_words() -> None:
    assert [end for _, end in spans("aaaa. bbb\ncc dd", 12)] == [9, 15]
    assert [end for _, end in spans("aaaa bb. cc dd", 12)] == [8, 14]
    assert [end for _, end in spans("aaaa bbbb cccccc", 12)] == [9, 16]
    assert [end for _, end in spans("a" * 30, 12)] == [12, 24, 30]


def test_a_long_text_becomes_numbered_parts_with_exact_offsets() -> None:
    text = "  " + " ".join(f"Sentence number {i} about nothing." for i in range(400))
    found = list(passages_of(invented("Longol", texts={Attribute.DOSAGE: text})))
    assert [p.id for p in found[:2]] == ["invented:longol#dosage", "invented:longol#dosage.2"]
    assert all(text[p.start : p.end] == p.text and len(p.text) <= MAX_CHARACTERS for p in found)
    assert len(found) > 5


def test_a_passage_names_the_document_its_text_came_from() -> None:
    medicine = invented("Elsewherol")
    other = SourceRef(name="invented", id="another label", date="2025-05-05")
    medicine = medicine.model_copy(update={"text_sources": {Attribute.STORAGE: other}})
    found = {p.attribute: p.source for p in passages_of(medicine)}
    assert found[Attribute.STORAGE] == other
    assert found[Attribute.DOSAGE] == medicine.source
