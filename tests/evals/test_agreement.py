"""How far judges agree."""

from __future__ import annotations

import pytest
from wardround.evals.agreement import agreement


def test_cohen_by_hand() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.7, expected 0.5, kappa 0.4.
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    found = agreement(pairs)
    assert (found.equal, found.raters) == (0.7, 2)
    assert found.kappa == pytest.approx(0.4)


def test_fleiss_as_published() -> None:
    # Fleiss 1971's table as Wikipedia works it out: 14 raters, 10 subjects, kappa 0.210.
    counts = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    ratings = [[category for category, count in enumerate(row) for _ in range(count)] for row in counts]
    assert agreement(ratings).kappa == pytest.approx(0.210, abs=5e-4)


def test_items_that_one_did_not_rate_are_left_out_and_counted() -> None:
    found = agreement([(1, 1), (0, None), (0, 0), (1, 0)])
    assert (found.n, found.left_out) == (3, 1)


def test_where_chance_explains_all_there_is_no_kappa() -> None:
    found = agreement([(1, 1), (1, 1)])
    assert (found.equal, found.kappa) == (1.0, None)


def test_nothing_rated() -> None:
    assert agreement([]).kappa is None


def test_one_rater_is_too_few() -> None:
    with pytest.raises(ValueError, match="two raters"):
        agreement([[1]])
