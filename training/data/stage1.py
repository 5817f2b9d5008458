"""Stage I (elicit), after MedE2 (arXiv 2505.23118): text-only demonstrations of reasoning.

Questions go to the base model several times, which tells how hard they are; a teacher answers them until a reply passes
the filters; of what is left, a set of the wanted size is chosen, balanced over how hard questions are, their groups and
the answer's letter. Everything a model says is kept, so a build goes on where it was stopped.

    FOLDER/journal.jsonl   every reply
    FOLDER/rows.jsonl      the demonstrations
    FOLDER/report.json     the plan, what was asked, refused and chosen
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ...errors import UserError
from ...evals.benchmark import Example
from ...evals.choices import options_of
from ...evals.letters import read_letter
from ...models import chat_model
from .difficulty import Difficulty, corrected, difficulty
from .filters import ReplyFilter, refused
from .overlap import OverlapReport, without_overlap
from .rollouts import JOURNAL, Journal, Open, Said, Sampler, Sampling, data_prompt
from .rows import ChatMessage, SftRow, write_rows


class Stage1Plan(BaseModel):
    """How demonstrations are made."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    teacher: str
    """The spec of the model that reasons."""
    base: str | None = None
    """The spec of the model that will learn: its own pass rate says how hard a question is. None: not asked."""
    size: int = Field(default=2000, ge=1)
    samples: int = Field(default=8, ge=1)
    """Of the base model, a question."""
    tries: int = Field(default=4, ge=1)
    """Replies of the teacher, a question; the first that passes counts."""
    temperature: float = Field(default=1.0, ge=0)
    hard_share: float = Field(default=0.5, ge=0, le=1)
    """The most rows whose question the base model does no better on than guessing; the rest is `medium`. `easy`
    questions are left out."""
    filter: ReplyFilter = ReplyFilter()
    seed: int = 0
    at_once: int = Field(default=16, ge=1)


class Stage1Report(BaseModel):
    """What was made."""

    model_config = ConfigDict(frozen=True)
    plan: Stage1Plan
    prompt: str
    """The hash of the teacher's."""
    questions: int
    difficulties: dict[str, int]
    """Of all questions; empty where no base model was asked."""
    refused: dict[str, int]
    """Replies of the teacher, by why."""
    passed: int
    """Questions with a reply that passed and that are not `easy`."""
    overlap: OverlapReport
    rows: int
    letters: dict[str, int]
    failed_calls: tuple[str, ...]


class _Made(NamedTuple):
    example: Example
    row: SftRow
    level: Difficulty | None


def build_stage1(
    questions: Sequence[Example],
    plan: Stage1Plan,
    folder: Path,
    *,
    benchmarks: Sequence[Path] = (),
    opened: Open = chat_model,
    progress: Callable[[str, int], None] = lambda _, __: None,
) -> Stage1Report:
    """Make the demonstrations.

    Args:
        questions: multiple choice, text only.
        plan: how.
        folder: gets journal, rows and report.
        benchmarks: files whose text must not be in the rows.
        opened: opens a model spec.
        progress: told what is under way and how many questions are done.

    Raises:
        UserError: no row came of it, or the folder can't be written.
    """
    return asyncio.run(_build(questions, plan, folder, benchmarks, opened, progress))


async def _build(
    questions: Sequence[Example],
    plan: Stage1Plan,
    folder: Path,
    benchmarks: Sequence[Path],
    opened: Open,
    progress: Callable[[str, int], None],
) -> Stage1Report:
    refusals: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    done = 0
    with Journal(folder / JOURNAL) as journal:
        sampler = Sampler(journal, opened=opened, at_once=plan.at_once)

        async def one(example: Example) -> _Made | None:
            nonlocal done
            level, right = await _level(example, sampler, plan)
            if level is not None:
                levels[level] += 1
            made = None
            if level != "easy":
                said = await _taught(example, sampler, plan, refusals)
                made = _Made(example, _row(example, said, plan, right), level) if said else None
            done += 1
            progress("demonstrations", done)
            return made

        made = [found for found in await asyncio.gather(*map(one, questions)) if found is not None]
    kept, overlap = without_overlap([one.row for one in made], benchmarks)
    ids = {row.id for row in kept}
    chosen = select([one for one in made if one.row.id in ids], plan)
    if not chosen:
        reasons = ", ".join(f"{why} {count}" for why, count in refusals.most_common(3)) or "no reply came"
        raise UserError(f"none of {len(questions)} questions gave a row ({reasons}): see the journal in `{folder}`")
    rows = [one.row for one in chosen]
    write_rows(rows, folder / "rows.jsonl")
    report = Stage1Report(
        plan=plan,
        prompt=data_prompt("teach").sha256,
        questions=len(questions),
        difficulties=dict(sorted(levels.items())),
        refused=dict(refusals.most_common()),
        passed=len(made),
        overlap=overlap,
        rows=len(rows),
        letters=dict(sorted(Counter(str(one.example.gold["answer"]) for one in chosen).items())),
        failed_calls=tuple(sampler.failed),
    )
    (folder / "report.json").write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return report


async def _level(example: Example, sampler: Sampler, plan: Stage1Plan) -> tuple[Difficulty | None, int]:
    """How hard the question is for the base model, and how often it was right."""
    if plan.base is None:
        return None, 0
    said = await sampler.sample(example, Sampling(plan.base, plan.samples, plan.temperature, plan.seed))
    options = options_of(example)
    right = sum(read_letter(one.text, options).letter == example.gold["answer"] for one in said)
    return (difficulty(right, len(said), len(options)) if said else None), right


async def _taught(example: Example, sampler: Sampler, plan: Stage1Plan, refusals: Counter[str]) -> Said | None:
    """The first of the teacher's replies that passes."""
    for number in range(plan.tries):
        how = Sampling(plan.teacher, 1, plan.temperature, plan.seed + 1000 + number)
        for said in await sampler.sample(example, how, data_prompt("teach")):
            why = refused(example, said.text, plan.filter)
            if why is None:
                return Said(text=said.text, sample=number)
            refusals[why] += 1
    return None


def _row(example: Example, said: Said, plan: Stage1Plan, right: int) -> SftRow:
    source: dict[str, JsonValue] = {
        "builder": "stage1",
        "entity": example.cluster or example.id,
        "question": example.id,
        "question_key": example.key,
        "teacher": plan.teacher,
        "prompt": data_prompt("teach").sha256,
        "sample": said.sample,
        "temperature": plan.temperature,
    }
    if plan.base is not None:
        rate = corrected(right, plan.samples, len(options_of(example)))
        source |= {"base": plan.base, "base_right": right, "base_samples": plan.samples, "base_rate": round(rate, 4)}
    content: Any = example.messages[-1]["content"]
    messages = (ChatMessage(role="user", content=str(content)), ChatMessage(role="assistant", content=said.text))
    return SftRow(id=f"stage1-{example.id}", messages=messages, source=source)


def select(made: Sequence[_Made], plan: Stage1Plan) -> list[_Made]:
    """`plan.size` of them, taking turns over groups and letters; of `hard` ones at most their share."""
    chance = random.Random(plan.seed)  # noqa: S311 -- a choice, no secret
    strata: dict[tuple[str, ...], list[_Made]] = defaultdict(list)
    for one in made:
        groups = tuple(f"{name}={member}" for name, members in sorted(one.example.groups.items()) for member in members)
        strata[one.level or "", *groups, str(one.example.gold["answer"])].append(one)
    for part in strata.values():
        chance.shuffle(part)
    keys = sorted(strata)
    chance.shuffle(keys)
    most_hard = round(plan.size * plan.hard_share)
    chosen: list[_Made] = []
    while len(chosen) < plan.size and any(strata.values()):
        for key in keys:
            if not strata[key] or len(chosen) >= plan.size:
                continue
            if key[0] == "hard" and sum(one.level == "hard" for one in chosen) >= most_hard:
                strata[key].clear()
                continue
            chosen.append(strata[key].pop())
    return chosen


def read_questions(path: Path) -> list[Example]:
    """Text-only multiple-choice questions, in any format that the benchmark `multiple-choice` reads.

    Raises:
        UserError: the file can't be read, or is of another format.
    """
    from ...evals.benchmarks import multiple_choice

    return list(multiple_choice.load(path).examples)


def show_report(report: Stage1Report) -> str:
    """The report in a line."""
    told = ", ".join(f"{count} {name}" for name, count in report.difficulties.items())
    lost = ", ".join(f"{why} {count}" for why, count in report.refused.items()) or "none"
    return (
        f"{report.rows} rows of {report.questions} questions ({told or 'difficulty not asked'}); "
        f"replies refused: {lost}; "
        f"{len(report.overlap.refused)} rows overlapped with a benchmark; {len(report.failed_calls)} calls failed"
    )
