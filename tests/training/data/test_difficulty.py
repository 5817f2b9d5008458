"""A guesser is not taken for a model that half knows."""

from __future__ import annotations

import random

import pytest
from wardround.training.data.difficulty import ALPHA, by_guessing, corrected, difficulty


@pytest.mark.parametrize("options", [2, 4, 5])
@pytest.mark.parametrize("samples", [4, 8, 16])
def test_guessing_passes_the_filter_no_more_often_than_said(options: int, samples: int) -> None:
    chance = random.Random(1)  # noqa: S311 -- no secret
    levels = [
        difficulty(sum(chance.random() < 1 / options for _ in range(samples)), samples, options) for _ in range(4000)
    ]
    assert sum(level != "hard" for level in levels) / 4000 <= ALPHA + 0.015


def test_the_usual_window_would_let_guessing_through() -> None:
    assert by_guessing(1, 8, 4) - by_guessing(7, 8, 4) > 0.89


@pytest.mark.parametrize(("right", "level"), [(0, "hard"), (4, "hard"), (5, "medium"), (6, "medium"), (7, "easy")])
def test_the_levels_of_eight_samples_of_four_options(right: int, level: str) -> None:
    assert difficulty(right, 8, 4) == level


def test_the_rate_is_what_guessing_does_not_explain() -> None:
    assert corrected(2, 8, 4) == 0
    assert corrected(8, 8, 4) == 1
    assert corrected(5, 8, 4) == pytest.approx(0.5)
