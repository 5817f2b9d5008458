"""The order of rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from wardround.training.sampling import GroupedOrder


@given(st.lists(st.integers(1, 500), max_size=300), st.integers(1, 16), st.booleans())
def test_each_row_comes_once(lengths: list[int], step: int, by_length: bool) -> None:
    order = GroupedOrder(lengths, step=step, seed=1, by_length=by_length)
    assert sorted(order) == list(range(len(lengths)))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    lengths = list(range(100))
    first, again, other = (GroupedOrder(lengths, step=4, seed=seed) for seed in (1, 1, 2))
    assert list(first) == list(again)
    assert list(first) != list(other)
    again.set_epoch(1)
    assert list(first) != list(again)


def test_the_rows_of_a_step_are_of_like_length() -> None:
    lengths = [(number * 37) % 400 for number in range(400)]
    order = list(GroupedOrder(lengths, step=8, seed=0))
    steps = [[lengths[index] for index in order[at : at + 8]] for at in range(0, 400, 8)]
    assert max(max(step) - min(step) for step in steps) < 10
