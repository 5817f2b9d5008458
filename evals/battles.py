"""Battles between runs: their answers to the same examples, judged in pairs (MedicineQA's Elo procedure).

For all pairs of runs, ten examples that both have, drawn at random with a seed; each pair judged in both seat orders.
An answer that failed loses to one that is there, without a judge; where both failed there is no battle. A judge whose
replies can't be used fails the battle, which is listed and never a tie.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from ..errors import ModelError, UserError
from .benchmark import Example
from .judging import Judge
from .judging.pairwise import Winner, compare_answers
from .reading import read_rows
from .run_folder import RunFolder


class BattleRecord(BaseModel):
    """One line of a file of battles; `wardround elo` reads the first three fields."""

    model_config = ConfigDict(frozen=True)
    model_a: str
    model_b: str
    winner: Winner
    id: str
    example: str
    judge: str
    inconsistent: bool = False
    unjudged: bool = False
    """One of the answers failed; no judge was asked."""
    scores: tuple[tuple[int, int], ...] = ()
    reasons: tuple[str, ...] = ()


class Battles(BaseModel):
    """What came of it."""

    model_config = ConfigDict(frozen=True)
    fought: int
    earlier: int
    """Battles that stood in the file already."""
    ties: int
    inconsistent: int
    both_failed: int
    failed: dict[str, str]
    """Battle -> why its judge gave no result. The same command tries them again."""


class _Side(NamedTuple):
    name: str
    answers: Mapping[str, str | None]
    """Example key -> the answer; None where it failed."""


class _Pair(NamedTuple):
    a: _Side
    b: _Side
    example: Example
    judge: Judge

    @property
    def id(self) -> str:
        return "|".join((self.example.key, self.a.name, self.b.name, self.judge.spec))


async def fight(
    runs: Sequence[Path],
    judges: Sequence[Judge],
    *,
    out: Path,
    questions: int = 10,
    seed: int = 0,
    at_once: int = 8,
    progress: Callable[[int, int], None] | None = None,
) -> Battles:
    """Judge the answers of `runs` in pairs and append the battles to `out`; those that stand there stay.

    Raises:
        UserError: fewer than two runs, no judge, two runs of one name, or no example in common.
    """
    if len(runs) < 2 or not judges:
        raise UserError("a battle needs two runs or more, and a judge: `--judge SPEC`")
    opened = [RunFolder.open(run) for run in runs]
    examples = {example.key: example for folder in opened for example in folder.examples()}
    sides = [_Side(path.name, _answers(folder)) for path, folder in zip(runs, opened, strict=True)]
    if len({side.name for side in sides}) < len(sides):
        raise UserError("two of the runs have the same name: rename one folder, so that battles tell them apart")
    pairs = [
        _Pair(a, b, examples[key], judge)
        for a, b in combinations(sides, 2)
        for key in _drawn(a, b, questions, seed)
        for judge in judges
    ]
    earlier = _earlier(out)
    left = [pair for pair in pairs if pair.id not in earlier]
    slots = asyncio.Semaphore(at_once)
    found: list[BattleRecord | None] = []
    failed: dict[str, str] = {}
    with out.open("a", encoding="utf-8") as file:

        async def one(pair: _Pair) -> None:
            async with slots:
                try:
                    record = await _fought(pair)
                except ModelError as error:
                    failed[pair.id] = str(error)
                    record = None
                else:
                    found.append(record)
            if record:
                file.write(record.model_dump_json() + "\n")
                file.flush()
            if progress:
                progress(len(found) + len(failed), len(left))

        await asyncio.gather(*(one(pair) for pair in left))
    records = [record for record in found if record]
    return Battles(
        fought=len(records),
        earlier=len(pairs) - len(left),
        ties=sum(record.winner == "tie" for record in records),
        inconsistent=sum(record.inconsistent for record in records),
        both_failed=len(found) - len(records),
        failed=failed,
    )


def _earlier(out: Path) -> set[str]:
    """The ids of the battles that stand in `out`; its folder is made where there is none."""
    out.parent.mkdir(parents=True, exist_ok=True)
    return {str(row.data.get("id")) for row in read_rows(out)} if out.exists() and out.stat().st_size else set()


def _answers(folder: RunFolder) -> dict[str, str | None]:
    first = (result for result in folder.results() if result.sample == 0)
    return {r.key: r.output.text if r.output and r.output.text.strip() else None for r in first}


def _drawn(a: _Side, b: _Side, questions: int, seed: int) -> list[str]:
    """Examples that both have; the same ones in whatever order the runs are named."""
    common = sorted(a.answers.keys() & b.answers.keys())
    if not common:
        raise UserError(
            f"the runs `{a.name}` and `{b.name}` have no example in common: were they run on the same data?"
        )
    names = sorted((a.name, b.name))
    digest = hashlib.sha256(f"{seed}|{names}".encode()).hexdigest()
    return random.Random(digest).sample(common, min(questions, len(common)))  # noqa: S311 - draws a sample


async def _fought(pair: _Pair) -> BattleRecord | None:
    a, b = pair.a.answers[pair.example.key], pair.b.answers[pair.example.key]
    about: dict[str, Any] = {
        "model_a": pair.a.name,
        "model_b": pair.b.name,
        "id": pair.id,
        "example": pair.example.id,
        "judge": pair.judge.spec,
    }
    if a is None and b is None:
        return None
    if a is None or b is None:
        return BattleRecord(**about, winner="model_a" if b is None else "model_b", unjudged=True)
    result = await compare_answers(pair.judge, _request(pair.example), a, b)
    return BattleRecord(
        **about,
        winner=result.winner,
        inconsistent=result.inconsistent,
        scores=result.scores,
        reasons=result.reasons,
    )


def _request(example: Example) -> str:
    """The example as a judge reads it."""
    said = [(message["role"], message["content"]) for message in example.messages]
    texts = [(role, content if isinstance(content, str) else json.dumps(content)) for role, content in said]
    return texts[0][1] if len(texts) == 1 else "\n".join(f"{role}: {text}" for role, text in texts)
