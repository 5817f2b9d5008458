"""Precision, recall and F1 of a tagger against the gold, with intervals by bootstrap over sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ..statistics import LEVEL, RESAMPLES, SEED, Figure, needed, rate
from .items import Labels

FLAGS: Final = ("compares", "negated", "uncertain")


class Score(NamedTuple):
    """How well one kind of label is found."""

    precision: Figure
    recall: Figure
    f1: Figure
    """Its `n` counts sentences, like that of the other two."""
    gold: int
    """How many labels there are to find."""


class Scores(NamedTuple):
    """One score a kind of label. Regions are micro-averaged: each (sentence, region) counts once."""

    regions: Score
    compares: Score
    negated: Score
    uncertain: Score


def score(gold: Sequence[Labels], found: Sequence[Labels]) -> Scores:
    """Compare what a tagger found with the gold, sentence by sentence.

    Raises:
        ValueError: they are not equally many, or none.
        MissingExtra: scipy or statsmodels is not installed.
    """
    if len(gold) != len(found) or not gold:
        raise ValueError(f"{len(gold)} sentences and {len(found)} taggings: both must be there, one for one")
    regions = [_counts(set(g.regions), set(f.regions)) for g, f in zip(gold, found, strict=True)]
    flags = ([_counts(_flag(g, name), _flag(f, name)) for g, f in zip(gold, found, strict=True)] for name in FLAGS)
    return Scores(_score(regions), *(_score(counts) for counts in flags))


class _Counts(NamedTuple):
    hits: int
    extra: int
    missed: int


def _counts(gold: set[Any], found: set[Any]) -> _Counts:
    return _Counts(len(gold & found), len(found - gold), len(gold - found))


def _flag(labels: Labels, name: str) -> set[str]:
    return {name} if getattr(labels, name) else set()


def _score(counts: Sequence[_Counts]) -> Score:
    """F1 as 2 hits / (2 hits + extra + missed); precision and recall are the same ratio without one of the two."""
    hits, extra, missed = np.asarray(counts, dtype=float).T
    return Score(
        precision=_ratio(hits, extra),
        recall=_ratio(hits, missed),
        f1=_ratio(2 * hits, extra + missed),
        gold=int((hits + missed).sum()),
    )


def _ratio(right: Any, wrong: Any) -> Figure:
    """`right / (right + wrong)` over sentences; None where nothing counts."""
    counting = (right + wrong) > 0
    if not counting.any():
        return Figure(value=None, ci=None, n=len(right), method="none")
    value = float(right.sum() / (right + wrong).sum())
    if value in (0.0, 1.0):
        # Resampling equal values would claim certainty: Wilson's interval, with the sentences that count as n.
        ci = rate([value == 1.0] * int(counting.sum())).ci
        return Figure(value=value, ci=ci, n=len(right), method="wilson")
    ci = _interval(right[counting], wrong[counting])
    return Figure(value=value, ci=ci, n=len(right), method="bootstrap")


def _interval(right: Any, wrong: Any) -> tuple[float, float]:
    stats: Any = needed("scipy.stats")

    def ratio(right: Any, wrong: Any, axis: int = -1) -> Any:
        return right.sum(axis=axis) / (right + wrong).sum(axis=axis)

    # Only of sentences that count, so that no resample is without any; the others would add nothing to either sum.
    found = stats.bootstrap(
        (right, wrong),
        ratio,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
