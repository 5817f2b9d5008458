"""Two systems on the same examples: the difference, how sure it is, and how large it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from .statistics import LEVEL, RESAMPLES, SEED, interval_of_mean, needed

_POWER: Final = 0.8
"""A difference that could have been told apart: with so much probability."""


class Comparison(BaseModel):
    """B against A."""

    model_config = ConfigDict(frozen=True)
    n: int
    """Examples that both have."""
    a: float
    b: float
    difference: float
    """B minus A."""
    ci: tuple[float, float]
    """95 % interval of the difference, by paired bootstrap over examples or clusters."""
    p: float
    test: str
    """`McNemar, exact`, or a sign-flip test over examples or clusters."""
    effect: float
    """Cohen's h of two rates; of means the paired difference in standard deviations (Cohen's d)."""
    only_a: int | None = None
    """Of rates: examples that only A gets right."""
    only_b: int | None = None
    detectable: float
    """The smallest difference that so many examples tell from noise with a chance of 80 %."""
    within_noise: bool
    verdict: str
    """One sentence for people."""


def compare_rates(a: Sequence[bool], b: Sequence[bool], *, clusters: Sequence[str] | None = None) -> Comparison:
    """Two rates over the same examples, in the same order.

    Without clusters the test is McNemar's, exact. With clusters, which McNemar's knows nothing of, it is a sign-flip
    test over them.
    """
    from_a, from_b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    only_a, only_b = int(np.sum(from_a > from_b)), int(np.sum(from_b > from_a))
    if clusters and len(set(clusters)) < len(clusters):
        p, test = _sign_flips(from_b - from_a, clusters), "sign flips over clusters"
    else:
        tables: Any = needed("statsmodels.stats.contingency_tables")
        both = len(a) - only_a - only_b
        p, test = float(tables.mcnemar([[both, only_a], [only_b, 0]], exact=True).pvalue), "McNemar, exact"
    mean_a, mean_b = float(from_a.mean()), float(from_b.mean())
    effect = 2 * math.asin(math.sqrt(mean_b)) - 2 * math.asin(math.sqrt(mean_a))
    return _comparison(from_a, from_b, clusters, p, test, effect, only=(only_a, only_b))


def compare_means(a: Sequence[float], b: Sequence[float], *, clusters: Sequence[str] | None = None) -> Comparison:
    """Two means over the same examples, in the same order, by a sign-flip test over examples or clusters."""
    from_a, from_b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    differences = from_b - from_a
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    effect = float(differences.mean()) / spread if spread > 0 else 0.0
    test = "sign flips over clusters" if clusters else "sign flips"
    return _comparison(from_a, from_b, clusters, _sign_flips(differences, clusters), test, effect)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (Holm 1979)."""
    if not p_values:
        return []
    tests: Any = needed("statsmodels.stats.multitest")
    return [float(p) for p in tests.multipletests(list(p_values), method="holm")[1]]


def _comparison(
    a: Any,
    b: Any,
    clusters: Sequence[str] | None,
    p: float,
    test: str,
    effect: float,
    *,
    only: tuple[int, int] | None = None,
) -> Comparison:
    differences = b - a
    difference = float(differences.mean())
    per_unit = _sums(differences, clusters) if clusters else differences
    spread = float(per_unit.std(ddof=1)) * math.sqrt(len(per_unit)) / len(differences) if len(per_unit) > 1 else 0.0
    if differences.min() == differences.max():
        ci = (difference, difference)
    else:
        ci = interval_of_mean(list(differences), clusters)
    stats: Any = needed("scipy.stats")
    detectable = float(stats.norm.ppf(1 - (1 - LEVEL) / 2) + stats.norm.ppf(_POWER)) * spread
    within = p > 1 - LEVEL or ci[0] <= 0.0 <= ci[1]
    return Comparison(
        n=len(differences),
        a=float(a.mean()),
        b=float(b.mean()),
        difference=difference,
        ci=ci,
        p=p,
        test=test,
        effect=effect,
        only_a=only[0] if only else None,
        only_b=only[1] if only else None,
        detectable=detectable,
        within_noise=within,
        verdict=_verdict(difference, ci, detectable, len(differences), within=within, points=only is not None),
    )


def _verdict(
    difference: float, ci: tuple[float, float], detectable: float, n: int, *, within: bool, points: bool
) -> str:
    def shown(value: float) -> str:
        return f"{100 * value:.1f} points" if points else f"{value:.3g}"

    def bare(value: float) -> str:
        return f"{100 * value:.1f}" if points else f"{value:.3g}"

    if within:
        if detectable == 0.0:
            return f"A and B do the same on all {n} examples."
        return (
            f"The difference ({shown(difference)}) is within noise: {n} examples tell about {shown(detectable)} apart."
        )
    word = "higher" if difference > 0 else "lower"
    low, high = sorted(abs(bound) for bound in ci)
    return f"B is {word} by {shown(abs(difference))} (95% interval {bare(low)} to {bare(high)})."


def _sums(values: Any, clusters: Sequence[str] | None) -> Any:
    labels = np.unique(np.asarray(clusters), return_inverse=True)[1]
    return np.bincount(labels, weights=values)


def _sign_flips(differences: Any, clusters: Sequence[str] | None) -> float:
    """Two-sided p of a permutation test that swaps A and B within an example, or a whole cluster."""
    units = _sums(differences, clusters) if clusters else differences
    units = units[units != 0]
    if len(units) < 2:  # swapping all there is changes nothing but the sign
        return 1.0
    stats: Any = needed("scipy.stats")

    def total(values: Any, axis: int = -1) -> Any:
        return values.sum(axis=axis)

    found = stats.permutation_test(
        (units,),
        total,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES * 5,
        batch=max(1, 4_000_000 // len(units)),
        rng=np.random.default_rng(SEED),
    )
    return float(found.pvalue)
