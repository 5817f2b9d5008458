"""Figures with intervals: rates, means, several samples an example. The arithmetic is scipy's and statsmodels'."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..errors import MissingExtra

LEVEL: Final = 0.95
RESAMPLES: Final = 2000
SEED: Final = 20240426
"""Resampling is seeded, so that a figure is the same each time it is made."""


class Figure(BaseModel):
    """One number with its uncertainty."""

    model_config = ConfigDict(frozen=True)
    value: float | None
    """None where there is nothing to count."""
    ci: tuple[float, float] | None
    """95 % interval."""
    n: int
    """Examples in the denominator; failed ones are among them."""
    failed: int = 0
    method: str
    """How the interval was made: `wilson`, `bootstrap`, `clustered bootstrap`, `none`."""


def rate(outcomes: Sequence[bool], *, failed: int = 0, clusters: Sequence[str] | None = None) -> Figure:
    """The share of true outcomes, one for each example.

    The interval is Wilson's. Where `clusters` (one label an example) has labels that occur several times it is a
    percentile bootstrap over clusters, since examples of one patient are not independent.
    """
    if not outcomes:
        return _nothing(failed)
    values = [float(outcome) for outcome in outcomes]
    if _clustered(clusters):
        return _bootstrapped(values, failed, clusters)
    return Figure(
        value=sum(values) / len(values),
        ci=_wilson(sum(values), len(values)),
        n=len(values),
        failed=failed,
        method="wilson",
    )


def mean(values: Sequence[float], *, failed: int = 0, clusters: Sequence[str] | None = None) -> Figure:
    """The mean of one value for each example, with a percentile bootstrap over examples, or over clusters."""
    if not values:
        return _nothing(failed)
    return _bootstrapped(values, failed, clusters if _clustered(clusters) else None)


def pass_at_k(samples: Sequence[Sequence[bool]], k: int, *, clusters: Sequence[str] | None = None) -> Figure:
    """The chance that at least one of `k` samples of an example is right: the unbiased estimator of Chen et al. 2021
    (arXiv 2107.03374), averaged over examples.

    Raises:
        ValueError: an example has fewer than `k` samples.
    """
    from math import comb

    chances: list[float] = []
    for each in samples:
        n, right = len(each), sum(each)
        if n < k:
            raise ValueError(f"pass@{k} needs {k} samples an example, one has {n}")
        chances.append(1.0 - comb(n - right, k) / comb(n, k))
    return mean(chances, clusters=clusters)


def interval_of_mean(values: Sequence[float], clusters: Sequence[str] | None) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean, over examples or over whole clusters."""
    labels = np.unique(np.asarray(clusters), return_inverse=True)[1] if clusters else np.arange(len(values))
    counts = np.bincount(labels).astype(float)
    sums = np.bincount(labels, weights=np.asarray(values, dtype=float))
    stats: Any = needed("scipy.stats")

    def mean_of(sums: Any, counts: Any, axis: int = -1) -> Any:
        return sums.sum(axis=axis) / counts.sum(axis=axis)

    found = stats.bootstrap(
        (sums, counts),
        mean_of,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, 4_000_000 // len(counts)),
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def needed(module: str) -> Any:
    """A module of the extra `eval`.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise MissingExtra(f"evaluation needs the package `{package}`: run `pip install 'wardround[eval]'`") from None


def _bootstrapped(values: Sequence[float], failed: int, clusters: Sequence[str] | None) -> Figure:
    value = float(np.mean(values))
    units = len(set(clusters)) if clusters else len(values)
    if min(values) == max(values) or units == 1:
        # Resampling equal values would claim certainty. Of a share, Wilson's interval with the units as n claims less.
        share = 0.0 <= value <= 1.0
        ci = _wilson(value * units, units) if share else None
        return Figure(value=value, ci=ci, n=len(values), failed=failed, method="wilson" if share else "none")
    ci = interval_of_mean(values, clusters)
    method = "clustered bootstrap" if clusters else "bootstrap"
    return Figure(value=value, ci=ci, n=len(values), failed=failed, method=method)


def _wilson(count: float, n: int) -> tuple[float, float]:
    proportion: Any = needed("statsmodels.stats.proportion")
    low, high = proportion.proportion_confint(count, n, alpha=1 - LEVEL, method="wilson")
    # At 0 and at 1 rounding can push a bound past the value itself.
    return min(max(0.0, float(low)), count / n), max(min(1.0, float(high)), count / n)


def _clustered(clusters: Sequence[str] | None) -> bool:
    return clusters is not None and len(set(clusters)) < len(clusters)


def _nothing(failed: int) -> Figure:
    return Figure(value=None, ci=None, n=0, failed=failed, method="none")
