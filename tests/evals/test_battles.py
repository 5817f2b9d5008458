"""Battles between runs, from their folders to the file that `wardround elo` reads."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from replying import ReplyingChat
from small_benchmark import Answering, small
from wardround.errors import ModelReplyError, UserError
from wardround.evals.battles import Battles, fight
from wardround.evals.elo import rate_battles, read_battles
from wardround.evals.judging import Judge
from wardround.evals.runs import run


def longer_wins(messages: list[Any]) -> str:
    """Prefers the longer answer, whatever its seat."""
    text = str(messages[1].text)
    first, second = (part.split("\n")[2] for part in text.split(" answer:")[1:])
    return json.dumps({"first": min(10, len(first)), "second": min(10, len(second)), "reason": "length"})


def first_wins(_: list[Any]) -> str:
    return json.dumps({"first": 9, "second": 1, "reason": "seat"})


def runs(tmp_path: Path) -> list[Path]:
    def failing(i: int) -> str:
        if i % 2:
            raise ModelReplyError("garbage")
        return "x"

    targets = {"short": Answering(lambda _: "x"), "long": Answering(lambda _: "xxxx"), "flaky": Answering(failing)}
    return [run(small(12), target, out=tmp_path / name) for name, target in targets.items()]


def battle(folders: list[Path], reply: Any, out: Path, **options: Any) -> tuple[Battles, ReplyingChat]:
    model = ReplyingChat(reply=reply)
    return asyncio.run(fight(folders, [Judge(model, "judge")], out=out, **options)), model


def test_all_pairs_fight_and_elo_follows(tmp_path: Path) -> None:
    out = tmp_path / "battles.jsonl"
    found, _ = battle(runs(tmp_path), longer_wins, out)
    assert (found.fought, found.failed, found.both_failed) == (30, {}, 0)
    assert rate_battles(read_battles(out)).ratings[0].model == "long"


def test_an_answer_that_failed_loses_without_a_judge(tmp_path: Path) -> None:
    folders = runs(tmp_path)
    found, model = battle([folders[0], folders[2]], longer_wins, tmp_path / "b.jsonl", questions=12)
    rows = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert (found.fought, len(model.asked)) == (12, 12)
    assert {row["winner"] for row in rows if row["unjudged"]} == {"model_a"}
    assert sum(row["unjudged"] for row in rows) == 6


def test_a_judge_that_likes_a_seat_has_no_winner(tmp_path: Path) -> None:
    found, _ = battle(runs(tmp_path)[:2], first_wins, tmp_path / "b.jsonl")
    assert (found.fought, found.ties, found.inconsistent) == (10, 10, 10)


def test_the_same_command_fights_only_what_is_left(tmp_path: Path) -> None:
    folders, out = runs(tmp_path)[:2], tmp_path / "b.jsonl"
    battle(folders, longer_wins, out, questions=4)
    found, model = battle(folders, longer_wins, out, questions=4)
    assert (found.fought, found.earlier, len(model.asked)) == (0, 4, 0)
    assert len(read_battles(out)) == 4


def test_an_unreadable_judge_fails_the_battle_and_is_tried_again(tmp_path: Path) -> None:
    folders, out = runs(tmp_path)[:2], tmp_path / "b.jsonl"
    found, _ = battle(folders, lambda _: "I like both.", out, questions=3)
    assert (found.fought, found.ties, len(found.failed)) == (0, 0, 3)
    assert battle(folders, longer_wins, out, questions=3)[0].fought == 3


def test_two_runs_and_a_judge_are_needed(tmp_path: Path) -> None:
    folders = runs(tmp_path)
    with pytest.raises(UserError, match="two runs or more"):
        battle(folders[:1], longer_wins, tmp_path / "b.jsonl")
    with pytest.raises(UserError, match="two runs or more"):
        asyncio.run(fight(folders, [], out=tmp_path / "b.jsonl"))
    other = run(small(3, examples=small(40).examples[30:]), Answering(), out=tmp_path / "other")
    with pytest.raises(UserError, match="no example in common"):
        battle([folders[0], other], longer_wins, tmp_path / "b.jsonl")
