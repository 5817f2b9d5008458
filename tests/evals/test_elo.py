"""Ratings from battles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wardround.errors import UserError
from wardround.evals.elo import Battle, rate_battles, read_battles

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "elo_battles" / "checkupqa_battles.jsonl"
PUBLISHED = {
    "PULSE-Pro": 1105,
    "GPT-4": 1096,
    "Baichuan2": 1062,
    "PULSE-OS": 1049,
    "QiZhenGPT": 1039,
    "ChatGPT": 1020,
    "ChatGLM3": 1003,
    "HuatuoGPT2": 983,
    "BianQue2": 974,
    "BenTsao": 927,
    "DoctorGLM": 880,
    "MING": 862,
}


def battle(a: str, b: str, winner: str, **fields: str) -> Battle:
    return Battle.model_validate({"model_a": a, "model_b": b, "winner": winner, **fields})


@pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}")
def test_the_published_ratings_come_out() -> None:
    table = rate_battles(read_battles(DATA))
    found = {rating.model: rating for rating in table.ratings}
    assert {
        model: round(found[model].elo - elo) for model, elo in PUBLISHED.items() if abs(found[model].elo - elo) > 2
    } == {}
    assert all(rating.low < rating.elo < rating.high for rating in table.ratings)
    assert [r.model for r in table.ratings] == list(PUBLISHED)


def test_one_battle_by_hand() -> None:
    # Equal ratings expect one half, so the winner takes K/2 = 2 points. Every resample is this one battle.
    first, second = rate_battles([battle("x", "y", "model_b")]).ratings
    assert (first.model, first.elo, second.elo) == ("y", 1002.0, 998.0)


def test_ties_leave_equals_equal() -> None:
    table = rate_battles([battle("x", "y", "tie")] * 5)
    assert {(r.elo, r.bradley_terry) for r in table.ratings} == {(1000.0, 1000.0)}
    assert table.ties == 5


def test_bradley_terry_finds_the_odds() -> None:
    # Three to one is log10(3) * 400 = 191 points; the prior pulls it in by a little.
    table = rate_battles([battle("x", "y", "model_a")] * 300 + [battle("y", "x", "model_a")] * 100)
    first, second = table.ratings
    assert first.model == "x"
    assert first.bradley_terry - second.bradley_terry == pytest.approx(190.8, abs=1.5)


def test_who_wins_always_is_rated_all_the_same() -> None:
    table = rate_battles([battle("x", "y", "model_a")] * 50)
    assert 0 < table.ratings[0].bradley_terry - 1000 < 2000


def test_a_file_appended_twice_counts_once() -> None:
    rows = [battle("x", "y", "model_a", id="1"), battle("x", "y", "model_b", id="2")]
    assert rate_battles(rows * 2) == rate_battles(rows).model_copy(update={"duplicates": 2})


@pytest.mark.parametrize(
    "line", ['{"model_a": "x", "model_b": "y"}', '{"model_a": "x", "model_b": "y", "winner": "x"}', '{"model_a": 1}']
)
def test_a_line_that_is_no_battle_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "battles.jsonl"
    path.write_text(json.dumps({"model_a": "x", "model_b": "y", "winner": "tie"}) + "\n" + line)
    with pytest.raises(UserError, match=r"battles.jsonl:2: `"):
        read_battles(path)


def test_nobody_battles_itself(tmp_path: Path) -> None:
    path = tmp_path / "battles.jsonl"
    path.write_text('{"model_a": "x", "model_b": "x", "winner": "tie"}')
    with pytest.raises(UserError, match="battles itself"):
        read_battles(path)
