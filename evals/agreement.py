"""How far judges agree, beyond chance: Cohen's kappa for two, Fleiss' for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from .statistics import needed


class Agreement(BaseModel):
    """Agreement of raters over items."""

    model_config = ConfigDict(frozen=True)
    n: int
    """Items that all of them rated."""
    left_out: int
    """Items that one of them did not rate."""
    raters: int
    equal: float | None
    """Share of items on which all say the same."""
    kappa: float | None
    """Cohen's (two raters) or Fleiss'. None without items, and where all ratings are one category, since chance alone
    would then explain any agreement."""


def agreement(ratings: Sequence[Sequence[int | None]]) -> Agreement:
    """Agreement of several raters: one row an item, one rating a rater, None where there is none.

    Raises:
        ValueError: fewer than two raters.
    """
    raters = max((len(row) for row in ratings), default=2)
    if raters < 2:
        raise ValueError("agreement needs two raters")
    whole = [[rating for rating in row if rating is not None] for row in ratings]
    complete = [row for row in whole if len(row) == raters]
    left_out = len(ratings) - len(complete)
    if not complete:
        return Agreement(n=0, left_out=left_out, raters=raters, equal=None, kappa=None)
    equal = sum(len(set(row)) == 1 for row in complete) / len(complete)
    table = np.array(complete)
    if len(np.unique(table)) == 1:
        return Agreement(n=len(complete), left_out=left_out, raters=raters, equal=equal, kappa=None)
    inter: Any = needed("statsmodels.stats.inter_rater")
    if raters == 2:
        categories = {value: place for place, value in enumerate(np.unique(table))}
        crossed = np.zeros((len(categories), len(categories)))
        for first, second in complete:
            crossed[categories[first], categories[second]] += 1
        with np.errstate(invalid="ignore"):  # of a rater who says the same of all, statsmodels' variance is 0 by 0
            kappa = float(inter.cohens_kappa(crossed).kappa)
    else:
        kappa = float(inter.fleiss_kappa(inter.aggregate_raters(table)[0], method="fleiss"))
    return Agreement(n=len(complete), left_out=left_out, raters=raters, equal=equal, kappa=kappa)
