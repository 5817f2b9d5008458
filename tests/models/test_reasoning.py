from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from wardround.models.reasoning import ThinkSplitter, reasoning_field, split_thinking

PIECES = st.lists(st.sampled_from(["<think>", "</think>", "<", "think", ">", "/", "a", "药 ", "\n", " "]), max_size=12)


def fed(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    parts = [splitter.feed(piece) for piece in pieces] + [splitter.finish()]
    return "".join(part[0] for part in parts), "".join(part[1] for part in parts)


@given(PIECES)
def test_answer_does_not_depend_on_where_a_stream_is_split(pieces: list[str]) -> None:
    assert fed(pieces)[1] == fed(list("".join(pieces)))[1] == fed(["".join(pieces)])[1]


@given(PIECES)
def test_no_letter_is_lost_or_invented(pieces: list[str]) -> None:
    text = "".join(pieces)
    thinking, answer = fed(pieces)
    assert (thinking + answer).count("药") == text.count("药")


@given(st.text(max_size=40).filter(lambda text: not text.lstrip().startswith("<think>")))
def test_text_that_does_not_begin_with_thinking_is_left_alone(text: str) -> None:
    assert split_thinking(text) == ("", text)


def test_a_tag_inside_an_answer_hides_nothing() -> None:
    quoted = "The leaflet says <think>take 40</think> twice."
    assert split_thinking(quoted) == ("", quoted)


def test_several_thoughts_before_the_answer() -> None:
    assert split_thinking("<think>a</think>\n<think>b</think>\n\nYes.") == ("ab", "Yes.")


def test_empty_thinking_of_a_model_told_not_to_think() -> None:
    assert split_thinking("<think>\n\n</think>\n\nYes.") == ("", "Yes.")


def test_reasoning_fields_of_the_known_servers() -> None:
    assert reasoning_field({"reasoning": "v"}) == "v"
    assert reasoning_field({"reasoning_content": "d", "reasoning": None}) == "d"
    assert reasoning_field({"reasoning": {"effort": "low"}}) == ""
