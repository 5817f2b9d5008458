"""The multimodal medical reasoning preference (MMRP) of MedE2 (arXiv 2505.23118): four criteria, 0 to 4 each.

The paper names the criteria and that a judge applies them; the rubric is ours and stands in `prompts/mmrp.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from ...evals.benchmark import Example
from ...evals.choices import options_of
from ...evals.judging import Judge
from ...evals.judging.asking import BadReply, ask, marked
from .rollouts import data_prompt

Criterion = Literal["logic", "image", "hallucination", "reflection"]
CRITERIA: Final[tuple[Criterion, ...]] = ("logic", "image", "hallucination", "reflection")
MOST: Final = 4
_ONE: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"score": {"type": "integer", "minimum": 0, "maximum": MOST}, "reason": {"type": "string"}},
    "required": ["score", "reason"],
    "additionalProperties": False,
}
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": dict.fromkeys(CRITERIA, _ONE),
    "required": list(CRITERIA),
    "additionalProperties": False,
}


class Scores(BaseModel):
    """What one judge says of one reply."""

    model_config = ConfigDict(frozen=True)
    logic: int
    image: int
    hallucination: int
    reflection: int
    reasons: dict[str, str]

    def total(self, criteria: Sequence[Criterion] = CRITERIA) -> int:
        """The sum over these criteria."""
        return sum(int(getattr(self, name)) for name in criteria)


async def score_reply(judge: Judge, example: Example, reply: str) -> Scores:
    """The scores of one reply. The judge sees question and options, the right letter, and the reply.

    Raises:
        ModelReplyError: the judge's replies can't be used.
        ModelError: its server could not do its part.
    """
    options = options_of(example)
    listed = "\n".join(f"{letter}. {text}" for letter, text in options.items())
    asked, said = marked(f"{example.gold['question']}\n\n{listed}", reply)
    text = f"The question:\n{asked}\n\nThe right answer: {example.gold['answer']}\n\nThe reply:\n{said}"
    return await ask(judge.model, data_prompt("mmrp"), text, _SCHEMA, _read)


def agreement(scored: Sequence[Sequence[Scores]], criteria: Sequence[Criterion] = CRITERIA) -> float | None:
    """How often two judges order two replies to one question alike.

    Args:
        scored: for each reply (all to one question) the scores of the judges, always in the same order.
        criteria: what counts.

    Returns the share of (pair of replies, pair of judges) in which neither sees a tie and both see the same one ahead;
    None where there is no such pair.
    """
    same: list[bool] = []
    for one, other in combinations(scored, 2):
        ahead = [a.total(criteria) - b.total(criteria) for a, b in zip(one, other, strict=True)]
        same += [(x > 0) == (y > 0) for x, y in combinations(ahead, 2) if x and y]
    return sum(same) / len(same) if same else None


def _read(found: Mapping[str, Any]) -> Scores:
    scores: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for name in CRITERIA:
        given = found.get(name)
        if not isinstance(given, dict):
            raise BadReply(f"`{name}` is no object with `score` and `reason`")
        score = given.get("score")
        if type(score) is not int or not 0 <= score <= MOST:
            raise BadReply(f"the score of `{name}` is no whole number from 0 to {MOST}")
        scores[name], reasons[name] = score, str(given.get("reason") or "")
    return Scores(**scores, reasons=reasons)
