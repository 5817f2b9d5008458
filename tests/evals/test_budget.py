"""Budgets: which limit is reached, and what tokens cost."""

from __future__ import annotations

from wardround.evals.budget import Budget, Spent


def test_tokens_in_and_out_count_together() -> None:
    budget = Budget(tokens=100)
    assert budget.spent(Spent(input_tokens=60, output_tokens=39)) == ""
    assert "100 tokens is spent (100)" in budget.spent(Spent(input_tokens=60, output_tokens=40))


def test_money_is_by_a_million_tokens() -> None:
    budget = Budget(money=1.5, price_in=2.0, price_out=8.0)
    spent = Spent(input_tokens=500_000, output_tokens=62_499)
    assert budget.cost(spent) == 1.499992
    assert budget.spent(spent) == ""
    spent.output_tokens += 1
    assert budget.spent(spent) == "the budget of 1.5 is spent (1.50)"


def test_seconds_count_from_the_beginning_of_the_session() -> None:
    begun = Spent()
    assert Budget(seconds=60).spent(begun) == ""
    begun.since -= 61
    assert Budget(seconds=60).spent(begun) == "the budget of 60 seconds is spent"


def test_without_limits_nothing_is_ever_spent() -> None:
    assert Budget().spent(Spent(input_tokens=10**12, since=0.0)) == ""
