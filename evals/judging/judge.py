"""A judge of diagnoses: 2 for the reference itself, 1 for a class that holds it, 0 else (arXiv 2505.14107).

It sees the candidate's parsed diagnoses and the reference, nothing of the candidate's reasoning or reply. Each score is
bound to the diagnosis by number and name; a reply that does not name every diagnosis is no score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, ConfigDict, JsonValue

from ...agents.differential_text import name_key
from ...models import profile_of
from .asking import BadReply, ask, harmless, marked, prompt

SCORES: Final = (0, 1, 2)
_LONGEST: Final = 200
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "scores": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "number": {"type": "integer"},
                    "name": {"type": "string"},
                    "score": {"type": "integer", "enum": list(SCORES)},
                    "reason": {"type": "string"},
                },
                "required": ["number", "name", "score", "reason"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["scores"],
    "additionalProperties": False,
}


class Judged(BaseModel):
    """What one judge says of one candidate's diagnoses."""

    model_config = ConfigDict(frozen=True)
    scores: tuple[int, ...]
    """In the order of the diagnoses."""
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Judge:
    """A model that judges."""

    model: BaseChatModel
    spec: str
    """What it was opened by, for the record."""

    @property
    def identity(self) -> dict[str, JsonValue]:
        """Everything that decides its scores."""
        return {
            "model": self.spec,
            "profile": profile_of(self.model).model_dump(mode="json"),
            "prompt": prompt("diagnoses").sha256,
            "temperature": getattr(self.model, "temperature", None),
            "seed": getattr(self.model, "seed", None),
        }

    async def judge(self, reference: str, diagnoses: Sequence[str]) -> Judged:
        """Score each of `diagnoses`; none is no call.

        Raises:
            ModelReplyError: its replies can't be used.
            ModelError: its server could not do its part.
        """
        if not diagnoses:
            return Judged(scores=(), reasons=())
        entries = [" ".join(harmless(name).split())[:_LONGEST] for name in diagnoses]
        listed = "\n".join(f"{number}. {entry}" for number, entry in enumerate(entries, start=1))
        (block,) = marked(listed)
        question = f"Reference diagnosis: {reference}\n\nThe candidate's {len(entries)} entries:\n{block}"
        return await ask(self.model, prompt("diagnoses"), question, _SCHEMA, lambda found: _read(found, entries))


def majority(scores: Sequence[int]) -> int:
    """The score that most judges give; of equally frequent ones the lowest."""
    counts = Counter(scores)
    most = max(counts.values())
    return min(score for score, count in counts.items() if count == most)


def _read(found: Mapping[str, Any], entries: Sequence[str]) -> Judged:
    given = found.get("scores")
    if not isinstance(given, list) or len(given) != len(entries):
        raise BadReply(f"`scores` must have {len(entries)} elements")
    scores: dict[int, int] = {}
    reasons: dict[int, str] = {}
    for item in given:
        if not isinstance(item, dict):
            raise BadReply("an element of `scores` is no object")
        number, score = item.get("number"), item.get("score")
        if type(number) is not int or not 1 <= number <= len(entries) or number in scores:
            raise BadReply(f"`number` must be each of 1 to {len(entries)} once")
        if type(score) is not int or score not in SCORES:
            raise BadReply(f"the score of entry {number} is none of 0, 1, 2")
        if name_key(str(item.get("name"))) != name_key(entries[number - 1]):
            raise BadReply(f"the name of element {number} is not that of entry {number}")
        scores[number], reasons[number] = score, str(item.get("reason") or "")
    numbers = range(1, len(entries) + 1)
    return Judged(scores=tuple(scores[n] for n in numbers), reasons=tuple(reasons[n] for n in numbers))
