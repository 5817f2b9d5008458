"""Figures and their intervals."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardround.evals.statistics import mean, pass_at_k, rate


def test_wilson_as_published() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29, by the score method.
    for right, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        figure = rate([True] * right + [False] * (n - right))
        assert figure.value == pytest.approx(right / n)
        assert figure.ci == pytest.approx((low, high), abs=6e-5)
        assert (figure.n, figure.method) == (n, "wilson")


def test_nothing_to_count() -> None:
    assert rate([]).value is None
    assert mean([]).ci is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_rate_lies_in_its_interval_in_any_order(outcomes: list[bool]) -> None:
    figure = rate(outcomes)
    assert figure.value is not None
    assert figure.ci is not None
    assert 0 <= figure.ci[0] <= figure.value <= figure.ci[1] <= 1
    assert rate(sorted(outcomes)) == figure


def test_clusters_widen_the_interval() -> None:
    # Twenty patients with ten equal examples each tell as much as twenty examples, not as two hundred.
    outcomes = [patient % 2 == 0 for patient in range(20) for _ in range(10)]
    patients = [str(patient) for patient in range(20) for _ in range(10)]
    alone, clustered = rate(outcomes), rate(outcomes, clusters=patients)
    assert alone.ci is not None
    assert clustered.ci is not None
    assert clustered.method == "clustered bootstrap"
    assert clustered.ci[1] - clustered.ci[0] > 2.5 * (alone.ci[1] - alone.ci[0])


def test_clusters_of_one_are_no_clusters() -> None:
    assert rate([True, False], clusters=["a", "b"]) == rate([True, False])


def test_equal_values_do_not_claim_certainty() -> None:
    figure = mean([1.0] * 10)
    assert figure.ci is not None
    assert figure.ci[0] == pytest.approx(0.7225, abs=1e-3)  # Wilson's bound for 10 of 10
    assert mean([7.0, 7.0]).ci is None


def test_the_bootstrap_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        low, high = mean(list(generator.exponential(1.0, size=60))).ci or (0, 0)
        covered += low <= 1.0 <= high
    assert 0.88 <= covered / 200 <= 0.985


def test_the_clustered_bootstrap_covers_too() -> None:
    generator = np.random.default_rng(8)
    covered = 0
    for _ in range(200):
        chances = np.repeat(generator.choice([0.2, 0.8], size=80), 3)
        outcomes = [bool(x) for x in generator.random(240) < chances]
        low, high = rate(outcomes, clusters=[str(i // 3) for i in range(240)]).ci or (0, 0)
        covered += low <= 0.5 <= high
    assert 0.88 <= covered / 200 <= 0.985


@pytest.mark.parametrize(("n", "right", "k"), [(5, 2, 1), (5, 2, 3), (8, 1, 4), (4, 0, 2), (4, 4, 2), (5, 4, 3)])
def test_pass_at_k_is_what_counting_gives(n: int, right: int, k: int) -> None:
    samples = [i < right for i in range(n)]
    counted = sum(any(chosen) for chosen in combinations(samples, k)) / comb(n, k)
    assert pass_at_k([samples], k).value == pytest.approx(counted)


def test_pass_at_k_needs_k_samples() -> None:
    with pytest.raises(ValueError, match="needs 3 samples"):
        pass_at_k([[True, False]], 3)
