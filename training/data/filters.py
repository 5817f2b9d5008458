"""Which of a teacher's replies are worth learning from, and why another is not."""

from __future__ import annotations

import re
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...evals.benchmark import Example
from ...evals.choices import options_of
from ...evals.letters import read_letter

Why = Literal["wrong answer", "no answer line", "too short", "too long", "repeats itself", "other language", "leaks"]

_ANSWER_LINE: Final = re.compile(r"\n\s*(?:Answer|答案)\s*[:：]\s*\(?[A-J]\)?\.?\s*$")
_LEAKS: Final = re.compile(
    r"\b(?:answer key|(?:given|provided|reference|gold|official) (?:correct )?(?:answer|solution)|the correct answer "
    r"(?:is|was) (?:given|provided|stated)|as (?:given|stated) in the (?:answer|solution|key)|these instructions|"
    r"(?:as an|i am an) (?:ai|language model)|the student|the teacher)\b|参考答案|标准答案|作为(?:一个)?(?:ai|人工智能)",  # noqa: E501
    re.IGNORECASE,
)
_HAN: Final = re.compile(r"[㐀-鿿]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_SAME_LINES: Final = 3


class ReplyFilter(BaseModel):
    """The limits of a reply."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    shortest: int = Field(default=200, ge=0)
    """Characters of reasoning before the answer line."""
    longest: int = Field(default=8000, ge=1)
    """Characters in all."""


def refused(example: Example, reply: str, limits: ReplyFilter) -> Why | None:
    """Why the reply is not to be learned from, None where it is.

    Checked in this order: it ends with an answer line; the answer is right; length; no line three times; the
    question's script; no words that betray an answer key, the instructions, or the teacher.
    """
    end = _ANSWER_LINE.search(f"\n{reply}")
    if end is None:
        return "no answer line"
    if read_letter(reply, options_of(example)).letter != example.gold["answer"]:
        return "wrong answer"
    reasoning = reply[: max(0, end.start() - 1)]
    lines = [line.strip() for line in reply.splitlines() if len(line.strip()) > 20]
    reasons: dict[Why, bool] = {
        "too short": len(reasoning.strip()) < limits.shortest,
        "too long": len(reply) > limits.longest,
        "repeats itself": any(lines.count(line) >= _SAME_LINES for line in set(lines)),
        "other language": abs(han_share(str(example.gold["question"])) - han_share(reasoning)) > 0.5,
        "leaks": _LEAKS.search(reply) is not None,
    }
    return next((why for why, found in reasons.items() if found), None)


def han_share(text: str) -> float:
    """The share of letters that are Chinese characters."""
    letters = len(_LETTER.findall(text))
    return len(_HAN.findall(text)) / letters if letters else 0.0
