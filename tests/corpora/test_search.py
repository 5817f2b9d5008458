"""Two-level search: which medicine, then which attribute; full text where none is named."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardround.corpora import Attribute, Corpus, Hit, SearchCall
from wardround.corpora.aliases import all_names, further_names
from wardround.corpora.names import key, names_of
from wardround.corpora.passages import passages_of

A = Attribute
Asked = str | SearchCall
TABLETS, INJECTION = "invented:florbutinol-tablet", "invented:florbutinol-injection"


def ids(hits: Sequence[Hit]) -> list[str]:
    return [h.passage.medicine_id for h in hits]


@pytest.fixture(scope="module")
def reference(essential_index: Path) -> Corpus:
    """The same index, ranked by rank-bm25 itself."""
    return Corpus(essential_index, engine="rank-bm25")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Glucophage", "essential:metformin"),
        ("metformin", "essential:metformin"),
        ("metformin hcl", "essential:metformin"),
        ("Metformin Hydrochloride 500 mg tablets", "essential:metformin"),
        ("二甲双胍", "essential:metformin"),
        ("盐酸二甲双胍片", "essential:metformin"),
        ("metfromin", "essential:metformin"),
        ("paracetamol", "essential:acetaminophen"),
        ("z pak", "essential:azithromycin"),
        ("Duobev", "invented:ostramycin-and-bevarone"),
        ("relief", "invented:revastigamine"),
        ("氟布替诺", TABLETS),
    ],
)
@pytest.mark.parametrize("attribute", [A.DOSAGE, A.ADVERSE_REACTIONS])
def test_a_call_finds_the_medicine_and_puts_the_attribute_first(
    essential: Corpus, name: str, attribute: Attribute, expected: str
) -> None:
    hits = essential.search(SearchCall(medicine=name, attribute=attribute), 4)
    assert set(ids(hits)) == {expected}
    assert hits[0].passage.attribute is attribute


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("florbutinol injection", INJECTION),
        ("florbutinol injections", INJECTION),
        ("florbutinol tablets", TABLETS),
        ("florbutinol tab", TABLETS),
        ("sanquil iv", INJECTION),
    ],
)
def test_each_dosage_form_is_an_entity_of_its_own(essential: Corpus, query: str, expected: str) -> None:
    assert ids(essential.search(SearchCall(medicine=query, attribute=A.DOSAGE), 3))[0] == expected
    assert ids(essential.search(f"how is {query} stored", 3))[0] == expected


def test_without_a_form_every_form_is_found(essential: Corpus) -> None:
    assert set(ids(essential.search(SearchCall(medicine="florbutinol", attribute=A.DOSAGE), 4))) == {TABLETS, INJECTION}


def test_the_substance_alone_comes_before_its_combination(essential: Corpus) -> None:
    hits = essential.search(SearchCall(medicine="ostramycin", attribute=A.DOSAGE), 20)
    assert ids(hits)[0] == "invented:ostramycin-hydrochloride"
    assert "invented:ostramycin-and-bevarone" in ids(hits)


@pytest.mark.parametrize(
    "name",
    [
        "zolgensma",
        "prednisolone",
        "valganciclovir",
        "泼尼松龙",
        "左西替利嗪",
        "xyzzy",
        "the",
        "pain",
        "!!!",
        " ",
        "\ud800",
    ],
)
def test_an_unknown_medicine_finds_nothing(essential: Corpus, name: str) -> None:
    assert essential.search(SearchCall(medicine=name, attribute=A.DOSAGE, keywords="dose of metformin")) == []


def test_two_named_medicines_alternate(essential: Corpus) -> None:
    found = ids(essential.search("can i take warfarin with ibuprofen", 6))
    assert found == ["essential:warfarin", "essential:ibuprofen"] * 3
    called = ids(essential.search(SearchCall(medicine="warfarin and ibuprofen", attribute=A.INTERACTIONS), 6))
    assert called == found


def test_a_named_medicine_comes_before_full_text(essential: Corpus) -> None:
    hits = essential.search("side effects of revastigamine", 12)
    named = [h for h in hits if h.matched]
    assert hits[: len(named)] == named
    assert set(ids(named)) == {"invented:revastigamine"}
    assert hits[0].passage.attribute is A.ADVERSE_REACTIONS
    assert named != hits


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("what helps against an imaginary complaint", "imaginary"),
        ("medicine for seasonal allergies", "allerg"),
        ("heartburn", "heartburn"),
    ],
)
def test_without_a_name_the_whole_text_is_searched(essential: Corpus, query: str, word: str) -> None:
    first = essential.search(query)[0]
    assert first.matched is None
    assert word in first.passage.text.lower()
    assert essential.search(SearchCall(keywords=query))[0].passage == first.passage


def test_everyday_brands_do_not_fire_inside_sentences(essential: Corpus) -> None:
    assert not [h for h in essential.search("what a relief from pain") if h.matched]


def test_hits_carry_exact_passages(essential: Corpus) -> None:
    for hit in essential.search("warfarin and alcohol", 10):
        medicine = essential.medicine(hit.passage.medicine_id)
        assert medicine is not None
        assert hit.passage in list(passages_of(medicine))


def test_hits_survive_json(essential: Corpus) -> None:
    hits = essential.search("is metformin safe with wine, 安全吗", 10)
    assert [Hit.model_validate_json(h.model_dump_json()) for h in hits] == hits
    assert json.loads(hits[0].model_dump_json())["passage"]["id"] == hits[0].passage.id


def test_scores_fall_and_no_passage_comes_twice(essential: Corpus) -> None:
    hits = essential.search("metformin dose", 30)
    scores = [h.score for h in hits]
    assert scores == sorted(scores, reverse=True)
    assert len({h.passage.id for h in hits}) == len(hits) == 30


QUERIES: tuple[Asked, ...] = (
    "metformin and alcohol",
    "what helps against hay fever",
    "warferin with aspirin or ibuprofen",
    "布洛芬 孕妇 可以吃吗",
    "dose dose dose dose of the the",
    "感冒 发烧 吃什么药",
    "zolgensma",
    SearchCall(medicine="ostramycin", keywords="rash"),
    SearchCall(keywords="kidney stones in children", attribute=A.CHILDREN),
)


@pytest.mark.parametrize("query", QUERIES, ids=str)
@pytest.mark.parametrize("k", [1, 10, 60])
def test_both_engines_agree_to_the_last_digit(essential: Corpus, reference: Corpus, query: Asked, k: int) -> None:
    assert essential.search(query, k) == reference.search(query, k)


def test_another_opening_gives_the_same(essential: Corpus, essential_index: Path) -> None:
    again = Corpus(essential_index)
    assert [again.search(q) for q in QUERIES] == [essential.search(q) for q in QUERIES]


PIECES = st.sampled_from(
    "metformin Tylenol warfarin 布洛芬 florbutinol ostramycin duobev relief hcl tablet injection sodium and with "
    "the 片 predn insulin vitamin prednisolone amlodipin 500 mg zolgensma acid".split()
)
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=4).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(
    medicine=TEXTS.filter(bool),
    attribute=st.none() | st.sampled_from(list(A)),
    keywords=TEXTS,
    k=st.integers(-1, 30),
)
def test_a_call_never_returns_another_medicines_passage(
    essential: Corpus, medicine: str, attribute: Attribute | None, keywords: str, k: int
) -> None:
    hits = essential.search(SearchCall(medicine=medicine, attribute=attribute, keywords=keywords), k)
    keys = {m.text: m.key for m in essential.mentions(medicine)}
    assert len(hits) <= max(k, 0)
    for hit in hits:
        assert hit.matched is not None
        found = essential.medicine(hit.passage.medicine_id)
        assert found is not None
        known = set(all_names(found, names_of(found))) | {key(n) for n in further_names(found)}
        assert keys[hit.matched] in known


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(), max_size=60) | TEXTS)
def test_any_text_gives_ordinary_hits(essential: Corpus, text: str) -> None:
    hits = essential.search(text, 5)
    assert len(hits) <= 5
    assert hits == essential.search(text, 5)


@pytest.mark.parametrize("query", ["", " ", "!!!", "\0", "\ud800\udfff", "\0\1\2" * 100, "the of and", "的"])
def test_queries_without_words_find_nothing(essential: Corpus, query: str) -> None:
    assert essential.search(query) == []
    assert essential.search(SearchCall(keywords=query)) == []


@pytest.mark.parametrize(
    "filler",
    ["kidney pain ", "x", "药片", "\x00\xff\x01", "a.", "和 "],
)
def test_ten_megabytes_are_answered_in_bounded_time(essential: Corpus, filler: str) -> None:
    text = filler * (10_000_000 // len(filler.encode())) + " side effects of metformin"
    start = time.monotonic()
    hits = essential.search(text, 3)
    called = essential.search(SearchCall(medicine=text, keywords=text), 3)
    assert time.monotonic() - start < 10
    assert ids(hits)[0] == ids(called)[0] == "essential:metformin"


def test_of_a_long_text_the_last_part_counts(essential: Corpus) -> None:
    short = "what helps against heartburn"
    hits = essential.search("warfarin " + "blah " * 20_000 + short)
    assert hits
    assert not [h for h in hits if h.matched]


@pytest.mark.parametrize("k", [0, -1, -100])
def test_no_passages_wanted_none_given(essential: Corpus, k: int) -> None:
    assert essential.search("metformin", k) == essential.search(SearchCall(medicine="metformin"), k) == []


def test_passages_by_id_leave_unknown_ones_out(essential: Corpus) -> None:
    wanted = [
        "essential:metformin#dosage",
        "none",
        "essential:warfarin#dosage",
        "\ud800",
        "essential:metformin#dosage",
    ]
    found = [p.id for p in essential.passages(wanted)]
    assert found == [wanted[i] for i in (0, 2, 4)]
