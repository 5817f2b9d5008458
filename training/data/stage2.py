"""Stage II (enhance), after MedE2 (arXiv 2505.23118): preference pairs of multimodal cases.

The Stage I model answers each case several times; judges score each reply by MMRP. The rule for pairs, which the paper
leaves open: `chosen` is among the right replies the one with the most points, `rejected` among the wrong ones the one
with the fewest; without a wrong one, among the right ones, where `right_only` allows it. A pair counts where the points
differ by at least `margin`; a case gives at most `pairs` of them, each reply used once.

    FOLDER/journal.jsonl   every reply and every score
    FOLDER/rows.jsonl      the pairs
    FOLDER/report.json     the plan, how far judges agree, and why cases gave no pair
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ...errors import ModelError, UserError
from ...evals.benchmark import Example
from ...evals.choices import options_of
from ...evals.judging import Judge, Qualification
from ...evals.letters import read_letter
from ...models import chat_model
from .mag import asked
from .mmrp import CRITERIA, Criterion, Scores, agreement, score_reply
from .overlap import OverlapReport, without_overlap
from .rollouts import JOURNAL, Journal, Open, Said, Sampler, Sampling, data_prompt
from .rows import IMAGE_MARK, ChatMessage, PreferenceRow, SftRow, write_rows

Images = Literal["shown", "masked", "shuffled"]


class Stage2Plan(BaseModel):
    """How pairs are made."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    model: str
    """The spec of the model that answers: Stage I's, or the base model's for the comparison without Stage I."""
    judges: tuple[str, ...] = Field(min_length=1)
    """Their specs; points are the mean over judges."""
    size: int = Field(default=1500, ge=1)
    samples: int = Field(default=8, ge=2)
    temperature: float = Field(default=1.0, ge=0)
    criteria: tuple[Criterion, ...] = Field(default=CRITERIA, min_length=1)
    """Which of the four count: one alone, for the comparison of criteria."""
    margin: float = Field(default=2.0, ge=0)
    """Points that chosen and rejected must be apart."""
    pairs: int = Field(default=1, ge=1)
    """Of one case."""
    right_only: bool = True
    """Whether a case without a wrong reply may give a pair of two right ones."""
    images: Images = "shown"
    """What stands in the rows: the case's images; grey ones of their size, or those of another case (both as controls:
    what is learned with them is not learned from the images)."""
    stage1: bool = True
    """False says that `model` has not been through Stage I."""
    seed: int = 0
    at_once: int = Field(default=16, ge=1)


class Stage2Report(BaseModel):
    """What was made."""

    model_config = ConfigDict(frozen=True)
    plan: Stage2Plan
    prompt: str
    judges: tuple[Qualification, ...]
    cases: int
    without_images: int
    agreement: float | None
    """Of judges: the share of pairs of replies that two judges order alike; None of one judge."""
    no_pair: dict[str, int]
    """Cases that gave none, by why."""
    rejected_wrong: int
    """Pairs whose rejected reply is wrong; of the others both are right."""
    overlap: OverlapReport
    rows: int
    failed_calls: tuple[str, ...]


class _Reply(NamedTuple):
    said: Said
    right: bool
    scores: list[Scores]
    points: float


class _Case(NamedTuple):
    example: Example
    replies: list[_Reply]


def build_stage2(
    cases: Sequence[Example],
    plan: Stage2Plan,
    folder: Path,
    *,
    judges: Sequence[Judge],
    qualifications: Sequence[Qualification],
    unqualified: bool = False,
    benchmarks: Sequence[Path] = (),
    opened: Open = chat_model,
    progress: Callable[[str, int], None] = lambda _, __: None,
) -> Stage2Report:
    """Make the pairs.

    Args:
        cases: multiple choice, with images or without.
        plan: how.
        folder: gets journal, rows, report, and the images that the plan changes.
        judges: those of the plan, opened.
        qualifications: how each did in its calibration.
        unqualified: take judges that failed theirs.
        benchmarks: files whose text must not be in the rows.
        opened: opens a model spec.
        progress: told what is under way and how many cases are done.

    Raises:
        UserError: a judge is not qualified, no pair came of it, or the folder can't be written.
    """
    if not unqualified and (failed := [one for one in qualifications if not one.qualified]):
        raise UserError(f"{failed[0].verdict}: name another judge, or give `--unqualified`")
    work = _build(cases, plan, folder, judges, qualifications, benchmarks, opened, progress)
    return asyncio.run(work)


async def _build(
    cases: Sequence[Example],
    plan: Stage2Plan,
    folder: Path,
    judges: Sequence[Judge],
    qualifications: Sequence[Qualification],
    benchmarks: Sequence[Path],
    opened: Open,
    progress: Callable[[str, int], None],
) -> Stage2Report:
    done = 0
    with Journal(folder / JOURNAL) as journal:
        sampler = Sampler(journal, opened=opened, at_once=plan.at_once)
        slots = asyncio.Semaphore(plan.at_once)

        async def one(example: Example) -> _Case:
            nonlocal done
            said = await sampler.sample(example, Sampling(plan.model, plan.samples, plan.temperature, plan.seed))
            distinct = list({reply.text: reply for reply in reversed(said)}.values())[::-1]
            found = await asyncio.gather(*(_scored(example, reply, judges, plan, sampler, slots) for reply in distinct))
            done += 1
            progress("cases", done)
            return _Case(example, [reply for reply in found if reply is not None])

        answered = await asyncio.gather(*map(one, cases))
    why: Counter[str] = Counter()
    made: list[tuple[_Case, _Reply, _Reply]] = []
    for case in answered:
        pairs, reason = pairs_of(case.replies, plan)
        made += [(case, chosen, rejected) for chosen, rejected in pairs]
        if reason:
            why[reason] += 1
    shown = _changed([case.example for case in answered], plan, folder)
    rows = [
        _row(case, chosen, rejected, number, plan, shown, folder) for number, (case, chosen, rejected) in _each(made)
    ]
    kept, overlap = without_overlap([_as_demonstration(row) for row in rows], benchmarks)
    ids = {row.id for row in kept}
    kept_rows = [row for row in rows if row.id in ids]
    random.Random(plan.seed).shuffle(kept_rows)  # noqa: S311 -- a choice, no secret
    kept_rows = kept_rows[: plan.size]
    if not kept_rows:
        reasons = (
            ", ".join(f"{reason}: {count}" for reason, count in why.most_common()) or "all overlap with a benchmark"
        )
        raise UserError(f"none of {len(cases)} cases gave a pair ({reasons}): see the journal in `{folder}`")
    write_rows(kept_rows, folder / "rows.jsonl")
    agreed = [
        found for case in answered if (found := agreement([r.scores for r in case.replies], plan.criteria)) is not None
    ]
    report = Stage2Report(
        plan=plan,
        prompt=data_prompt("mmrp").sha256,
        judges=tuple(qualifications),
        cases=len(cases),
        without_images=sum(not asked(case)[1] for case in cases),
        agreement=round(sum(agreed) / len(agreed), 4) if agreed else None,
        no_pair=dict(why.most_common()),
        rejected_wrong=sum(row.source["rejected_right"] is False for row in kept_rows),
        overlap=overlap,
        rows=len(kept_rows),
        failed_calls=tuple(sampler.failed),
    )
    (folder / "report.json").write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return report


async def _scored(
    example: Example, said: Said, judges: Sequence[Judge], plan: Stage2Plan, sampler: Sampler, slots: asyncio.Semaphore
) -> _Reply | None:
    """A reply with its points; None where a judge could not do its part."""
    scores: list[Scores] = []
    for judge in judges:

        async def make(judge: Judge = judge) -> JsonValue:
            async with slots:
                return (await score_reply(judge, example, said.text)).model_dump(mode="json")

        key: list[JsonValue] = ["mmrp", judge.spec, data_prompt("mmrp").sha256, example.key, said.text]
        try:
            scores.append(Scores.model_validate(await sampler.journal.once(key, make)))
        except ModelError as error:
            sampler.failed.append(f"{example.id}, judge `{judge.spec}`: {error}")
            return None
    right = read_letter(said.text, options_of(example)).letter == example.gold["answer"]
    points = sum(one.total(plan.criteria) for one in scores) / len(scores)
    return _Reply(said, right, scores, points)


def pairs_of(replies: Sequence[_Reply], plan: Stage2Plan) -> tuple[list[tuple[_Reply, _Reply]], str | None]:
    """The pairs of one case by the rule above, best against worst first, and why there is none."""
    right = sorted((one for one in replies if one.right), key=lambda one: (-one.points, one.said.sample))
    wrong = sorted((one for one in replies if not one.right), key=lambda one: (one.points, one.said.sample))
    if not right:
        return [], "no right reply" if replies else "no reply"
    if not wrong:
        if not plan.right_only:
            return [], "no wrong reply"
        half = len(right) // 2
        right, wrong = right[: len(right) - half], right[len(right) - half :][::-1]
    pairs = [(a, b) for a, b in zip(right, wrong, strict=False) if a.points - b.points >= plan.margin]
    return pairs[: plan.pairs], None if pairs else "margin too small"


def _each(made: Sequence[tuple[_Case, _Reply, _Reply]]) -> list[tuple[int, tuple[_Case, _Reply, _Reply]]]:
    """Each pair with its number within its case."""
    seen: Counter[str] = Counter()
    numbered: list[tuple[int, tuple[_Case, _Reply, _Reply]]] = []
    for one in made:
        numbered.append((seen[one[0].example.id], one))
        seen[one[0].example.id] += 1
    return numbered


def _row(
    case: _Case,
    chosen: _Reply,
    rejected: _Reply,
    number: int,
    plan: Stage2Plan,
    shown: dict[str, list[str]],
    folder: Path,
) -> PreferenceRow:
    example = case.example
    text, _ = asked(example)
    images = tuple(os.path.relpath(path, folder) for path in shown[example.id])

    def points(reply: _Reply) -> JsonValue:
        each = [cast("JsonValue", scores.model_dump(mode="json")) for scores in reply.scores]
        return {
            "sample": reply.said.sample,
            "points": reply.points,
            "judges": dict(zip(plan.judges, each, strict=True)),
        }

    return PreferenceRow(
        id=f"stage2-{example.id}-{number}",
        images=images,
        prompt=(ChatMessage(role="user", content=IMAGE_MARK * len(images) + text),),
        chosen=(ChatMessage(role="assistant", content=chosen.said.text),),
        rejected=(ChatMessage(role="assistant", content=rejected.said.text),),
        margin=chosen.points - rejected.points,
        source={
            "builder": "stage2",
            "entity": example.cluster or example.id,
            "case": example.id,
            "case_key": example.key,
            "model": plan.model,
            "stage1": plan.stage1,
            "temperature": plan.temperature,
            "prompt": data_prompt("mmrp").sha256,
            "criteria": list(plan.criteria),
            "images": plan.images,
            "chosen": points(chosen),
            "rejected": points(rejected),
            "rejected_right": rejected.right,
        },
    )


def _changed(examples: Sequence[Example], plan: Stage2Plan, folder: Path) -> dict[str, list[str]]:
    """The images that stand in each case's rows."""
    own = {example.id: list(asked(example)[1]) for example in examples}
    if plan.images == "shown":
        return own
    if plan.images == "masked":
        return {name: [_masked(Path(path), folder) for path in paths] for name, paths in own.items()}
    with_images = [name for name, paths in own.items() if paths]
    if len(with_images) == 1:
        raise UserError("one case alone cannot have another's images: give more cases, or mask them")
    chance = random.Random(plan.seed)  # noqa: S311 -- a choice, no secret
    chance.shuffle(with_images)
    others = dict(zip(with_images, with_images[1:] + with_images[:1], strict=True))
    return {name: _as_many(own[others[name]], len(paths)) if paths else [] for name, paths in own.items()}


def _as_many(paths: Sequence[str], count: int) -> list[str]:
    return [paths[place % len(paths)] for place in range(count)]


def _masked(path: Path, folder: Path) -> str:
    """A grey image of the same size, written once."""
    from PIL import Image

    with Image.open(path) as image:
        size = image.size
    made = folder / "masked" / f"{size[0]}x{size[1]}.png"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (127, 127, 127)).save(made)
    return str(made)


def _as_demonstration(row: PreferenceRow) -> SftRow:
    """The row as the overlap check reads it."""
    return SftRow(id=row.id, images=row.images, messages=(*row.prompt, *row.chosen), source=row.source)


def show_report(report: Stage2Report) -> str:
    """The report in a line."""
    none = ", ".join(f"{reason}: {count}" for reason, count in report.no_pair.items()) or "none"
    told = f", {report.without_images} of the cases without images" if report.without_images else ""
    agreed = f"; judges order {report.agreement:.0%} of replies alike" if report.agreement is not None else ""
    return (
        f"{report.rows} pairs of {report.cases} cases{told} ({report.rejected_wrong} against a wrong reply); cases "
        f"without a pair: {none}{agreed}; {len(report.failed_calls)} calls failed"
    )
