"""Two systems on the same examples."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardround.evals.paired import compare_means, compare_rates, holm

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=80)


def test_mcnemar_by_hand() -> None:
    # Nine pairs differ, eight of them for B: two-sided binomial p = 2 * (C(9,8) + C(9,9)) / 2^9.
    a = [True] * 1 + [False] * 8 + [True] * 30
    b = [False] * 1 + [True] * 8 + [True] * 30
    found = compare_rates(a, b)
    assert found.p == pytest.approx(2 * (9 + 1) / 512)
    assert (found.only_a, found.only_b, found.n) == (1, 8, 39)
    assert found.difference == pytest.approx(7 / 39)


def test_a_clear_difference_is_said() -> None:
    found = compare_rates([False] * 50 + [True] * 50, [True] * 90 + [False] * 10)
    assert not found.within_noise
    assert found.verdict.startswith("B is higher by 40.0 points (95% interval ")


def test_noise_is_said() -> None:
    found = compare_rates([True, False] * 20, [False, True] * 19 + [True, True])
    assert found.within_noise
    assert "is within noise: 40 examples tell about" in found.verdict


def test_the_same_twice() -> None:
    found = compare_rates([True, False], [True, False])
    assert (found.p, found.difference, found.ci) == (1.0, 0.0, (0.0, 0.0))
    assert found.verdict == "A and B do the same on all 2 examples."


@settings(max_examples=25, deadline=None)
@given(PAIRS)
def test_the_other_way_round_the_sign_turns(pairs: list[tuple[bool, bool]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    there, back = compare_rates(a, b), compare_rates(b, a)
    assert there.difference == pytest.approx(-back.difference)
    assert there.effect == pytest.approx(-back.effect)
    assert there.p == pytest.approx(back.p)
    assert there.ci[0] <= there.difference <= there.ci[1]


def test_clusters_keep_a_difference_of_one_patient_from_counting_as_many() -> None:
    a, b = [False] * 20 + [True] * 20, [True] * 20 + [True] * 20
    assert not compare_rates(a, b).within_noise
    patients = ["one"] * 20 + [str(i) for i in range(20)]
    assert compare_rates(a, b, clusters=patients).within_noise


def test_means() -> None:
    found = compare_means([0.1, 0.2, 0.3, 0.4] * 10, [0.3, 0.5, 0.4, 0.6] * 10)
    assert found.difference == pytest.approx(0.2)
    assert found.p < 0.01
    assert found.effect == pytest.approx(0.2 / 0.0716, rel=0.01)


def test_holm_as_in_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
