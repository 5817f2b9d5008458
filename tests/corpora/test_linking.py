"""Which medicines a text names."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardround.corpora import Corpus
from wardround.corpora.lookalikes import LOOK_ALIKES
from wardround.corpora.words import fold


def linked(corpus: Corpus, text: str) -> list[str]:
    """The ids of the medicines that a text names, without their source; of several, the best."""
    return [m.id.split(":")[1] for mention in corpus.mentions(text) if (m := corpus.medicine_of(mention))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("is Glucophage safe", ["metformin"]),
        ("metformin hcl 500", ["metformin"]),
        ("METFORMIN Hydrochloride", ["metformin"]),
        ("metformin's side effects", ["metformin"]),
        ("paracetamol", ["acetaminophen"]),
        ("对乙酰氨基酚能和布洛芬一起吃吗", ["acetaminophen", "ibuprofen"]),
        ("吃盐酸二甲双胍缓释片", ["metformin"]),
        ("can i take advil with zoloft", ["ibuprofen", "sertraline"]),
        ("ibuprofen, ibuprofen and ibuprofen", ["ibuprofen"] * 3),
        ("Z Pak and zpak", ["azithromycin", "azithromycin"]),
        ("nitro furantoin", ["nitrofurantoin"]),
        ("metforminhcl", ["metformin"]),
        ("insulin glargine", ["insulin-glargine"]),
        ("L-thyroxine", ["levothyroxine"]),
        ("ＴＹＬＥＮＯＬ", ["acetaminophen"]),
        ("zoloft/tylenol", ["sertraline", "acetaminophen"]),
        ("childrens ostra", ["ostramycin-hydrochloride"]),
        ("Children's Ostra", ["ostramycin-hydrochloride"]),
        ("ostramycin and bevarone", ["ostramycin-and-bevarone"]),
        ("duobev", ["ostramycin-and-bevarone"]),
        ("示例洛尔怎么吃", ["zh-lol"]),
    ],
)
def test_names(essential: Corpus, text: str, expected: list[str]) -> None:
    assert linked(essential, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metfromin", "metformin"),
        ("is warferin ok", "warfarin"),
        ("sertralene and cheese", "sertraline"),
        ("acetominofen", "acetaminophen"),
        ("revastigmine dose", "revastigamine"),
        ("rivastigamine dose", "revastigamine"),
        ("ostramicin hcl", "ostramycin-hydrochloride"),
        ("hydrochlorothiazyde", "hydrochlorothiazide"),
    ],
)
def test_misspellings(essential: Corpus, text: str, expected: str) -> None:
    assert linked(essential, text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "what a relief that is",
        "i feel no pain today",
        "what is the best cream for a rash",
        "take it with water and salt",
        "morning, everyone",
        "",
        "!!!",
        "\0\ud800",
    ],
)
def test_everyday_words_name_nothing(essential: Corpus, text: str) -> None:
    assert linked(essential, text) == []


def test_an_everyday_word_alone_may_be_a_brand(essential: Corpus) -> None:
    assert linked(essential, "Relief") == ["revastigamine"]


@pytest.mark.parametrize(
    "name",
    [
        "prednisolone",
        "valganciclovir",
        "liothyronine",
        "cladribine",
        "esomeprazole",
        "desloratadine",
        "levocetirizine",
        "hydroxyzine",
        "penicillin",
        "泼尼松龙",
        "左西替利嗪",
        "地氯雷他定",
        "艾司奥美拉唑",
        "去甲万古霉素",
        "阿扑吗啡",
        "氢化泼尼松",
        "青霉素",
    ],
)
def test_another_substance_is_not_taken_for_a_known_one(essential: Corpus, name: str) -> None:
    assert linked(essential, name) == []
    assert linked(essential, f"{name} 50 mg") == []


def test_no_look_alike_is_corrected(essential: Corpus) -> None:
    assert [n for n in sorted(LOOK_ALIKES) if any(m.corrected for m in essential.mentions(n))] == []


def test_after_about_so_much_a_chinese_name_still_counts(essential: Corpus) -> None:
    assert linked(essential, "每天500毫克左右布洛芬") == ["ibuprofen"]


def test_the_longest_name_wins_and_mentions_do_not_overlap(essential: Corpus) -> None:
    (mention,) = essential.mentions("insulin glargine yfgn")
    assert mention.key == "insulinglargineyfgn"


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(["metformin", "Tylenol", "布洛芬", "warferin", "the", "，", "５００mg", "İ", "'s"])
        | st.text(max_size=5)
    ).map(" ".join)
)
def test_mentions_lie_where_their_offsets_say(essential: Corpus, text: str) -> None:
    folded, at = fold(text), 0
    for mention in essential.mentions(text):
        assert at <= mention.start < mention.end <= len(folded)
        assert mention.medicines
        if not mention.corrected:
            assert folded[mention.start : mention.end].startswith(mention.text[:1])
        at = mention.end


@pytest.mark.parametrize(
    "text",
    ["word " * 2_000_000, "x" * 10_000_000, ("y" * 1_000_000 + " ") * 10, "药" * 3_000_000],
    ids=["words", "one word", "long words", "Chinese"],
)
def test_huge_texts_take_bounded_time_and_their_end_counts(essential: Corpus, text: str) -> None:
    start = time.monotonic()
    assert linked(essential, f"{text} metformin dose") == ["metformin"]
    assert time.monotonic() - start < 20


def test_offsets_in_a_long_text_count_from_its_beginning(essential: Corpus) -> None:
    text = "word " * 20_000 + "metformin"
    (mention,) = essential.mentions(text)
    assert text[mention.start : mention.end] == "metformin"
