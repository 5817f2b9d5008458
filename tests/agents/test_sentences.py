from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.agents.sentences import SentenceBuffer, split_sentences

CASES: list[tuple[str, list[str]]] = [
    ("Take it. Then rest.", ["Take it.", "Then rest."]),
    ("Take 0.5 mg now. Wait.", ["Take 0.5 mg now.", "Wait."]),
    ("Some foods, e.g. grapefruit, matter. Ask Dr. Lee.", ["Some foods, e.g. grapefruit, matter.", "Ask Dr. Lee."]),
    ("Give 5 mg i.v. over approx. 3 minutes. Stop.", ["Give 5 mg i.v. over approx. 3 minutes.", "Stop."]),
    ("Give 5 mg i.v. The line is flushed.", ["Give 5 mg i.v.", "The line is flushed."]),
    ("250 mg q.i.d. with food. Rest.", ["250 mg q.i.d. with food.", "Rest."]),
    ("See No. 5 of the list. No. You should not.", ["See No. 5 of the list.", "No.", "You should not."]),
    ("Bleeding may occur (5.1). Avoid it.", ["Bleeding may occur (5.1).", "Avoid it."]),
    (
        "Fatal cases occurred [see Warnings (5.2)]. Watch for fever.",
        ["Fatal cases occurred [see Warnings (5.2)].", "Watch for fever."],
    ),
    ("It bleeds. ( 5.1 , 7 ) Stop it.", ["It bleeds. ( 5.1 , 7 )", "Stop it."]),
    ("Effects: • nausea • vomiting", ["Effects:", "• nausea", "• vomiting"]),
    ("1. Take one. 2. Do not chew.", ["1. Take one.", "2. Do not chew."]),
    ("1. Take one.\n2. Do not chew.", ["1. Take one.", "2. Do not chew."]),
    ("Take up to\n500 mg of it\nevery day.", ["Take up to\n500 mg of it\nevery day."]),
    ("Heading\nText begins", ["Heading", "Text begins"]),
    ("- one\n- two", ["- one", "- two"]),
    ("Take it. [2] Then rest. [1][3]", ["Take it. [2]", "Then rest. [1][3]"]),
    ("Take it.[1, 3] Rest.【2】", ["Take it.[1, 3]", "Rest.【2】"]),
    ("Take it [1]. Rest [2].", ["Take it [1].", "Rest [2]."]),
    ("Take it. [1]. Rest.", ["Take it. [1].", "Rest."]),
    ("take two. do not drive.", ["take two.", "do not drive."]),
    ("Caused by E. coli or hepatitis B. Patients recover.", ["Caused by E. coli or hepatitis B.", "Patients recover."]),
    ("Is it safe? Yes! Good.", ["Is it safe?", "Yes!", "Good."]),
    ("Report at www.fda.gov/medwatch or call. Thanks.", ["Report at www.fda.gov/medwatch or call.", "Thanks."]),
    ("Reduce the dose.Monitor closely.", ["Reduce the dose.", "Monitor closely."]),
    ('He said "stop it." Then left.', ['He said "stop it."', "Then left."]),
    ("口服。一日三次！可以吗？是的；好", ["口服。", "一日三次！", "可以吗？", "是的；", "好"]),
    ("成人每次1片。［2］儿童减半。【3】", ["成人每次1片。［2］", "儿童减半。【3】"]),
    ("1.适用于贫血等。2.对银屑病有效。", ["1.适用于贫血等。", "2.对银屑病有效。"]),
    ("口服给药：1.成人：每次10～20mg，每天3次。", ["口服给药：1.成人：每次10～20mg，每天3次。"]),
    ("“不要服用。”他说。", ["“不要服用。”", "他说。"]),
    ("", []),
    (" \n ", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_splits(text: str, expected: list[str]) -> None:
    assert [span.text for span in split_sentences(text)] == expected


PIECES = st.lists(
    st.sampled_from(
        'Take |two|.| |5|.5 mg|e.g. |[1]|[|12|]|\n|\n\n|•|1. |Dr.|。|；|每日|3次|”|"|)|(|(5.1)|?|!|...|…|a|B|【2】|-|'
        "i.v|No|\r\n|\u3000|\t|[1-|3]|( 5.|, 7 )".split("|")
    ),
    max_size=30,
).map("".join)
TEXTS = st.one_of(PIECES, st.text(max_size=80))


@given(TEXTS)
def test_offsets_are_exact_and_only_white_space_is_lost(text: str) -> None:
    position = 0
    for span in split_sentences(text):
        assert text[span.start : span.end] == span.text
        assert span.text == span.text.strip() != ""
        assert not text[position : span.start].strip()
        position = span.end
    assert not text[position:].strip()


@given(TEXTS, st.data())
def test_any_chunking_gives_the_same_sentences(text: str, data: st.DataObject) -> None:
    buffer = SentenceBuffer()
    sentences: list[str] = []
    position = 0
    while position < len(text):
        size = data.draw(st.integers(1, 6))
        sentences += buffer.feed(text[position : position + size])
        position += size
    sentences += buffer.close()
    assert sentences == [span.text for span in split_sentences(text)]


def test_a_sentence_comes_out_before_the_stream_ends() -> None:
    buffer = SentenceBuffer()
    assert buffer.feed("Take it. [1") == []
    assert buffer.feed("] Then") == ["Take it. [1]"]
    assert buffer.close() == ["Then"]


def test_a_long_label_takes_little_time() -> None:
    text = "Give 0.5 mg i.v. to adults (5.1) [see Warnings (5.2)]. " * 2000
    began = time.perf_counter()
    assert len(split_sentences(text)) == 2000
    assert time.perf_counter() - began < 1.0
