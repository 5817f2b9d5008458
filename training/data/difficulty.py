"""How hard a question is for the base model, by how often it is right, less what guessing gives.

A model that guesses is right on a quarter of four options. "Solves 1 to 6 of 8", the usual window for questions that
are neither too hard nor too easy, lets 90 % of the questions through that a guesser knows nothing about. Here a
question counts as partly known only where guessing would hardly have been right as often.
"""

from __future__ import annotations

from math import comb
from typing import Final, Literal

Difficulty = Literal["hard", "medium", "easy"]
ALPHA: Final = 0.05
"""How often a guesser may pass for one that knows something."""
EASY: Final = 0.75
"""The corrected rate from which a question teaches nothing more."""


def corrected(right: int, samples: int, options: int) -> float:
    """The share of samples that knew the answer: the pass rate less guessing, `(k/n - 1/o) / (1 - 1/o)`, at least 0."""
    chance = 1 / options
    return max(0.0, (right / samples - chance) / (1 - chance))


def by_guessing(right: int, samples: int, options: int) -> float:
    """How likely guessing is right at least this often."""
    chance = 1 / options
    return sum(comb(samples, k) * chance**k * (1 - chance) ** (samples - k) for k in range(right, samples + 1))


def difficulty(right: int, samples: int, options: int) -> Difficulty:
    """`hard`: not to be told from guessing; `easy`: nearly always known; `medium`: in between.

    With 8 samples of four options `medium` is 5 or 6 right, with 16 it is 8 to 13.
    """
    if by_guessing(right, samples, options) > ALPHA:
        return "hard"
    return "easy" if corrected(right, samples, options) > EASY else "medium"
