"""Which of two answers is better? Each pair is judged in both seat orders; where they disagree nobody wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from .asking import BadReply, ask, marked, prompt
from .judge import Judge

_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "first": {"type": "integer", "minimum": 1, "maximum": 10},
        "second": {"type": "integer", "minimum": 1, "maximum": 10},
        "reason": {"type": "string"},
    },
    "required": ["first", "second", "reason"],
    "additionalProperties": False,
}
Winner = Literal["model_a", "model_b", "tie"]


class Comparison(BaseModel):
    """What a judge says of a pair."""

    model_config = ConfigDict(frozen=True)
    winner: Winner
    inconsistent: bool
    """The two seat orders name different winners: counted as a tie."""
    scores: tuple[tuple[int, int], tuple[int, int]]
    """(A, B), with A in the first seat and then in the second."""
    reasons: tuple[str, str]


async def compare_answers(judge: Judge, request: str, a: str, b: str) -> Comparison:
    """Judge the answers `a` and `b` to `request`, in both orders.

    Raises:
        ModelReplyError: the judge's replies can't be used.
        ModelError: its server could not do its part.
    """
    one, reason = await _scores(judge, request, a, b)
    turned, reason_turned = await _scores(judge, request, b, a)
    other = turned[1], turned[0]
    first, second = _winner(one), _winner(other)
    # The same winner twice, or one order for it and the other undecided.
    winner = second if first == "tie" else first
    inconsistent = first != second and "tie" not in (first, second)
    return Comparison(
        winner="tie" if inconsistent else winner,
        inconsistent=inconsistent,
        scores=(one, other),
        reasons=(reason, reason_turned),
    )


async def _scores(judge: Judge, request: str, first: str, second: str) -> tuple[tuple[int, int], str]:
    asked, one, two = marked(request, first, second)
    text = f"The request:\n{asked}\n\nThe first answer:\n{one}\n\nThe second answer:\n{two}"
    return await ask(judge.model, prompt("pair"), text, _SCHEMA, _read)


def _read(found: Mapping[str, Any]) -> tuple[tuple[int, int], str]:
    scores = found.get("first"), found.get("second")
    if not all(type(score) is int and 1 <= score <= 10 for score in scores):
        raise BadReply("`first` and `second` must be whole numbers from 1 to 10")
    return (int(scores[0] or 0), int(scores[1] or 0)), str(found.get("reason") or "")


def _winner(scores: tuple[int, int]) -> Winner:
    a, b = scores
    return "model_a" if a > b else "model_b" if b > a else "tie"
