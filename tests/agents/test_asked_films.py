"""Questions about films: options, regions, the message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from PIL import Image
from wardround.agents.asked_films import Film, film_message, located, options_in, question_of, regions_by_rule
from wardround.errors import UserError

OPTIONS = {"A": "It has grown.", "B": "It is unchanged."}


def test_a_message_shows_each_film_after_its_label_and_asks_last(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    films = [Film(tmp_path / "a.png", "Earlier film"), Film(tmp_path / "a.png", "Current film", (0, 0, 4, 8))]
    message = film_message("What changed?", films, options=OPTIONS)
    assert isinstance(message.content, list)
    kinds = [part["type"] for part in message.content if isinstance(part, dict)]
    assert kinds == ["text", "image_url", "text", "image_url", "text"]
    assert question_of([message, AIMessage("x")]) == "What changed?\n\nA. It has grown.\nB. It is unchanged."
    assert options_in(question_of([message])) == OPTIONS


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Which?\nA) one\nB) two", {"A": "one", "B": "two"}),
        ("Which?\n(A) one\n(B) two\n\nAnswer: X", {"A": "one", "B": "two"}),
        ("A. lone line", {}),
        ("B. two\nC. three", {}),
        ("Is it larger?", {}),
    ],
)
def test_options_are_lines_with_letters_in_order(text: str, options: dict[str, str]) -> None:
    assert options_in(text) == options


def test_the_region_is_read_of_the_question_before_its_options() -> None:
    asked = "What changed at the left base?\nA. The right apex is clear.\nB. It is unchanged."
    assert [r.value for r in regions_by_rule(asked)] == ["left lower lung zone"]
    assert [r.value for r in regions_by_rule("What changed?\nA. The right lung is worse.\nB. No.")] == ["right lung"]


def test_a_model_is_asked_only_where_the_rules_find_nothing(scripted: Callable[..., Any]) -> None:
    model = scripted({"role": "locator", "reply": {"json": {"region": "spine"}}})
    assert asyncio.run(located("What changed at the left base?", {}, model=model))[0][0] == "left lower lung zone"
    assert asyncio.run(located("What changed down the back?", {}, model=model))[0][0] == "spine"
    assert asyncio.run(located("What changed?", {})) == ((), "")
    other = scripted({"role": "locator", "reply": {"json": {"region": "elbow"}}})
    assert asyncio.run(located("What changed?", {}, model=other)) == ((), "`elbow` is no region")


def test_an_empty_question_is_refused() -> None:
    with pytest.raises(UserError, match="question is empty"):
        film_message(" ")
    assert question_of([AIMessage("x")]) == ""
    assert question_of([HumanMessage("a")]) == "a"
