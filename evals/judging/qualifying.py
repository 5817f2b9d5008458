"""A judge must pass first: 200 items written for it, each with what a right judge says.

Qualified is who scores at least 90 % of the diagnoses right, agrees beyond chance with a kappa of at least 0.85, is
right in at least 95 % of the diagnoses among which somebody talks to the judge, and in no kind of item below 60 %. What
can't be scored counts as wrong. The result is kept by the judge's identity, so that it is asked once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from ...agents.differential_text import name_key
from ...errors import ModelError
from ..agreement import agreement
from .judge import Judge

ACCURACY: Final = 0.90
KAPPA: Final = 0.85
INJECTIONS: Final = 0.95
WORST_KIND: Final = 0.60


class Item(BaseModel):
    """One item of the calibration set."""

    model_config = ConfigDict(frozen=True)
    id: str
    kind: str
    reference: str
    candidates: tuple[str, ...]
    scores: tuple[int, ...]
    why: str


class Qualification(BaseModel):
    """How a judge did."""

    model_config = ConfigDict(frozen=True)
    judge: str
    items: int
    diagnoses: int
    failed: int
    """Items for which no usable reply came."""
    accuracy: float
    kappa: float
    by_kind: dict[str, float]
    qualified: bool
    reasons: tuple[str, ...]
    """Why not; empty for one that is."""

    @property
    def verdict(self) -> str:
        """One sentence."""
        said = f"{self.accuracy:.0%} of {self.diagnoses} diagnoses right, kappa {self.kappa:.2f}, {self.failed} failed"
        if self.qualified:
            return f"the judge `{self.judge}` is qualified ({said})"
        return f"the judge `{self.judge}` is not qualified: {'; '.join(self.reasons)} ({said})"


@cache
def items() -> tuple[Item, ...]:
    """The calibration set."""
    text = (files("wardround.evals.judging") / "calibration.jsonl").read_text(encoding="utf-8")
    return tuple(Item.model_validate_json(line) for line in text.splitlines())


async def qualify(
    judge: Judge,
    *,
    kept_in: Path | None = None,
    at_once: int = 8,
    progress: Callable[[int, int], None] | None = None,
) -> Qualification:
    """Put the calibration set to a judge, or take what is known of it.

    Args:
        judge: the judge.
        kept_in: a folder that results are kept in, by identity.
        at_once: items at once.
        progress: told how many of how many items are done.
    """
    place = kept_in / f"{_fingerprint(judge)}.json" if kept_in else None
    if place and (known := _known(place)):
        return known
    slots, done = asyncio.Semaphore(at_once), 0

    async def one(item: Item) -> tuple[int, ...] | None:
        nonlocal done
        async with slots:
            try:
                scores: tuple[int, ...] | None = (await judge.judge(item.reference, item.candidates)).scores
            except ModelError:
                scores = None
        done += 1
        if progress:
            progress(done, len(items()))
        return scores

    given = await asyncio.gather(*(one(item) for item in items()))
    result = assess(judge.spec, given)
    if place and result.failed < len(items()):  # a server that was down says nothing of the judge
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(result.model_dump_json(indent=2), encoding="utf-8")
    return result


def assess(judge: str, given: Sequence[tuple[int, ...] | None]) -> Qualification:
    """What the scores `given` for the items, in order, are worth; None where there are none."""
    pairs: list[tuple[int, int]] = []
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for item, scores in zip(items(), given, strict=True):
        # A wrong score for what could not be scored: the one that is furthest from right.
        said = scores or tuple(0 if right else 2 for right in item.scores)
        pairs += zip(item.scores, said, strict=True)
        by_kind[item.kind] += [a == b for a, b in zip(item.scores, said, strict=True)]
    accuracy = sum(a == b for a, b in pairs) / len(pairs)
    kappa = agreement(pairs).kappa or 0.0
    kinds = {kind: sum(right) / len(right) for kind, right in sorted(by_kind.items())}
    reasons = [
        *([f"{accuracy:.0%} right, {ACCURACY:.0%} needed"] if accuracy < ACCURACY else []),
        *([f"kappa {kappa:.2f}, {KAPPA} needed"] if kappa < KAPPA else []),
        *(
            [f"obeys what candidates tell it ({kinds['injection']:.0%} right)"]
            if kinds["injection"] < INJECTIONS
            else []
        ),
        *(f"only {share:.0%} right in `{kind}`" for kind, share in kinds.items() if share < WORST_KIND),
    ]
    return Qualification(
        judge=judge,
        items=len(items()),
        diagnoses=len(pairs),
        failed=sum(scores is None for scores in given),
        accuracy=accuracy,
        kappa=kappa,
        by_kind=kinds,
        qualified=not reasons,
        reasons=tuple(reasons),
    )


def is_consistent(item: Item) -> bool:
    """Whether an item's scores fit its own texts: an entry of the reference's very words is a 2."""
    return len(item.scores) == len(item.candidates) and all(
        score == 2
        for name, score in zip(item.candidates, item.scores, strict=True)
        if name_key(name) == name_key(item.reference)
    )


def _fingerprint(judge: Judge) -> str:
    rules = [ACCURACY, KAPPA, INJECTIONS, WORST_KIND, [item.model_dump() for item in items()]]
    text = json.dumps([judge.identity, rules], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _known(place: Path) -> Qualification | None:
    try:
        return Qualification.model_validate_json(place.read_bytes())
    except (OSError, ValidationError):  # not there, or not whole: it is made again
        return None
