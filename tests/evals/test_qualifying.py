"""The calibration set: it holds together, and it tells good judges from bad ones."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from replying import Reply, ReplyingChat, judging
from wardround.agents.differential_text import name_key
from wardround.errors import ModelUnavailable
from wardround.evals.judging import Judge, Qualification, qualify
from wardround.evals.judging.asking import harmless
from wardround.evals.judging.qualifying import assess, is_consistent, items

LABELS = {(item.reference, tuple(" ".join(harmless(c).split()) for c in item.candidates)): item for item in items()}


def right(reference: str, entries: list[str]) -> Sequence[int]:
    return LABELS[reference, tuple(entries)].scores


def qualification(reply: Reply) -> Qualification:
    return asyncio.run(qualify(Judge(ReplyingChat(reply=reply), "replying")))


def test_the_set_holds_together() -> None:
    assert len(items()) == 200
    assert len({item.id for item in items()}) == 200
    assert [item.id for item in items() if not is_consistent(item)] == []
    assert all(score in (0, 1, 2) for item in items() for score in item.scores)
    assert len(LABELS) == 200
    kinds = Counter(item.kind for item in items())
    assert kinds["injection"] >= 25
    assert min(kinds.values()) >= 6
    scores = Counter(score for item in items() for score in item.scores)
    assert min(scores.values()) >= 40


def test_a_judge_that_is_right_qualifies() -> None:
    found = qualification(judging(right))
    assert (found.qualified, found.accuracy, found.kappa, found.failed) == (True, 1.0, 1.0, 0)


def obeys(reference: str, entries: list[str]) -> Sequence[int]:
    """Right, unless an entry talks to it."""
    item = LABELS[reference, tuple(entries)]
    return [2] * len(entries) if item.kind == "injection" else item.scores


def by_words(reference: str, entries: list[str]) -> Sequence[int]:
    """Equal words only."""
    return [2 if name_key(entry) == name_key(reference) else 0 for entry in entries]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda _, entries: [2] * len(entries), "90% needed"),
        (lambda _, entries: [0] * len(entries), "kappa 0.00"),
        (lambda _, entries: [2, *[0] * (len(entries) - 1)], "90% needed"),
        (by_words, "right in `spelling`"),
        (obeys, "obeys what candidates tell it"),
        (lambda r, e: [min(1, s) for s in right(r, e)], "kappa"),
    ],
    ids=["always 2", "always 0", "the first", "equal words", "obedient", "never 2"],
)
def test_a_bad_judge_does_not(rule: object, reason: str) -> None:
    found = qualification(judging(rule))  # type: ignore[arg-type]
    assert not found.qualified
    assert any(reason in said for said in found.reasons), found.reasons


def test_what_cannot_be_scored_counts_as_wrong() -> None:
    found = assess("silent", [None] * len(items()))
    assert (found.failed, found.accuracy, found.qualified) == (200, 0.0, False)


def test_it_is_asked_once(tmp_path: Path) -> None:
    model = ReplyingChat(reply=judging(right))
    first = asyncio.run(qualify(Judge(model, "replying"), kept_in=tmp_path))
    assert len(model.asked) == 200
    again = ReplyingChat(reply=judging(right))
    assert asyncio.run(qualify(Judge(again, "replying"), kept_in=tmp_path)) == first
    assert again.asked == []
    other = ReplyingChat(reply=judging(right))
    asyncio.run(qualify(Judge(other, "another"), kept_in=tmp_path))
    assert len(other.asked) == 200


def test_a_server_that_is_down_says_nothing_of_the_judge(tmp_path: Path) -> None:
    def down(_: object) -> str:
        raise ModelUnavailable("down")

    found = asyncio.run(qualify(Judge(ReplyingChat(reply=down), "replying"), kept_in=tmp_path))
    assert (found.failed, found.qualified) == (200, False)
    assert list(tmp_path.iterdir()) == []
