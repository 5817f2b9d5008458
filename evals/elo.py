"""Ratings from battles: the Elo procedure of MedicineQA's group, and Bradley-Terry beside it.

Elo (arXiv 2404.17897): every model begins at 1000, K = 4, scale 400; the battles are resampled 1,000 times and the
median is reported. Elo depends on the order of battles, which resampling averages out. Bradley-Terry has no order: it
is the maximum of the likelihood, put on Elo's scale with the mean at 1000.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import UserError
from .reading import read_rows
from .statistics import LEVEL, SEED, needed

START: Final = 1000.0
K: Final = 4.0
SCALE: Final = 400.0
RESAMPLES: Final = 1000
_PRIOR: Final = 0.5
"""Each model is thought to have drawn so many battles with an average one: keeps the rating of one that won (or lost)
every battle finite, and moves others little."""


class Battle(BaseModel):
    """Two models' answers to one question, compared."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    model_a: str
    model_b: str
    winner: Literal["model_a", "model_b", "tie"]
    id: str | None = None
    """Battles with one id are one battle."""


class Rating(BaseModel):
    """How good one model is."""

    model_config = ConfigDict(frozen=True)
    model: str
    elo: float
    """Median over the resamples."""
    low: float
    high: float
    """95 % of the resamples lie between."""
    bradley_terry: float
    battles: int


class EloTable(BaseModel):
    """All ratings, best first."""

    model_config = ConfigDict(frozen=True)
    ratings: tuple[Rating, ...]
    battles: int
    ties: int
    duplicates: int
    """Lines left out because their id had been there."""


def read_battles(path: Path) -> list[Battle]:
    """The battles in a JSONL file.

    Raises:
        UserError: it can't be read, or a line is no battle.
    """
    battles: list[Battle] = []
    for row in read_rows(path):
        try:
            battle = Battle.model_validate(row.data)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise UserError(
                f"{row.where}: `{field}`: {first['msg']}; a battle has model_a, model_b and winner"
            ) from None
        if battle.model_a == battle.model_b:
            raise UserError(f"{row.where}: `{battle.model_a}` battles itself")
        battles.append(battle)
    return battles


def rate_battles(battles: Sequence[Battle]) -> EloTable:
    """Elo with intervals, and Bradley-Terry, of every model in `battles`."""
    kept = list({battle.id or f"\0{place}": battle for place, battle in enumerate(battles)}.values())
    models = sorted({name for battle in kept for name in (battle.model_a, battle.model_b)})
    number = {model: place for place, model in enumerate(models)}
    a = np.array([number[battle.model_a] for battle in kept])
    b = np.array([number[battle.model_b] for battle in kept])
    won = np.array([{"model_a": 1.0, "tie": 0.5, "model_b": 0.0}[battle.winner] for battle in kept])
    samples = _resampled_elo(a, b, won, len(models))
    low, median, high = np.quantile(samples, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], axis=0)
    strength = _bradley_terry(a, b, won, len(models))
    fought = np.bincount(np.concatenate([a, b]), minlength=len(models))
    ratings = [
        Rating(
            model=model,
            elo=round(float(median[place]), 2),
            low=round(float(low[place]), 2),
            high=round(float(high[place]), 2),
            bradley_terry=round(float(strength[place]), 2),
            battles=int(fought[place]),
        )
        for place, model in enumerate(models)
    ]
    return EloTable(
        ratings=tuple(sorted(ratings, key=lambda rating: -rating.elo)),
        battles=len(kept),
        ties=int(np.sum(won == 0.5)),
        duplicates=len(battles) - len(kept),
    )


def _resampled_elo(a: Any, b: Any, won: Any, models: int) -> Any:
    """Final ratings [resample, model]: all resamples advance battle by battle, together."""
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(0, len(a), size=(len(a), RESAMPLES))
    ratings = np.full((RESAMPLES, models), START)
    rows = np.arange(RESAMPLES)
    for step in drawn:
        first, second, result = a[step], b[step], won[step]
        expected = 1.0 / (1.0 + 10.0 ** ((ratings[rows, second] - ratings[rows, first]) / SCALE))
        gain = K * (result - expected)
        ratings[rows, first] += gain
        ratings[rows, second] -= gain
    return ratings


def _bradley_terry(a: Any, b: Any, won: Any, models: int) -> Any:
    """The maximum of the likelihood, a tie being half a win for each, on Elo's scale."""
    optimize: Any = needed("scipy.optimize")
    special: Any = needed("scipy.special")

    def loss(strength: Any) -> tuple[float, Any]:
        difference = strength[a] - strength[b]
        value = -np.sum(won * special.log_expit(difference) + (1 - won) * special.log_expit(-difference))
        pull = special.expit(difference) - won
        gradient = np.bincount(a, weights=pull, minlength=models) - np.bincount(b, weights=pull, minlength=models)
        value -= _PRIOR * np.sum(special.log_expit(strength) + special.log_expit(-strength))
        gradient += _PRIOR * (2 * special.expit(strength) - 1)
        return float(value), gradient

    found = optimize.minimize(loss, np.zeros(models), jac=True, method="L-BFGS-B").x
    return START + (found - found.mean()) * SCALE / np.log(10)
