"""Evaluations from the command line: opens benchmark, target and judges, runs, shows progress."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from ..corpora import open_corpus
from ..corpora.patients import PatientStore
from ..errors import UserError
from ..evals.battles import fight
from ..evals.benchmark import Benchmark, Example, Target
from ..evals.benchmarks import diagnosisarena, diagnosisarena_mcq, medicineqa, mmxu, multiple_choice
from ..evals.blind import blind_targets, question_only
from ..evals.budget import Budget
from ..evals.judging import Judge, Qualification, qualify
from ..evals.medicineqa_open.items import FOLDER, SPLITS
from ..evals.probes import leakage
from ..evals.report import write_report
from ..evals.run_folder import read_manifest
from ..evals.runner import Progress
from ..evals.runs import run
from ..evals.summary import Summary, summarize
from ..models import chat_model
from ..models.response_cache import ResponseCache
from ..settings import get_settings
from .eval_targets import DIAGNOSIS, PLAIN, ModelChoice, open_targets
from .terminal import clean, counting, err, say

BENCHMARKS: Final = ("medicineqa", "diagnosisarena", "diagnosisarena-mcq", "mmxu", "multiple-choice")


class Asked(BaseModel):
    """What a person asked for: the options of `wardround eval`, kept in the run's manifest."""

    model_config = ConfigDict(frozen=True)
    benchmark: str
    data: Path | None = None
    split: str = "dev"
    graph: str | None = None
    model: str | None = None
    corpus: Path | None = None
    mode: str | None = None
    judges: tuple[str, ...] = ()
    prompt: str = "wardround"
    records: str = "none"
    comparisons: str = "mark"
    patients: Path | None = None
    current: str = "image"
    crops: bool = False
    images: Path | None = None
    baseline: str | None = None
    probe: str | None = None
    only: tuple[str, ...] = ()
    limit: int | None = None
    samples: int = 1
    temperature: float | None = None
    out: Path | None = None
    fork: bool = False
    retry_failed: bool = False
    at_once: int | None = None
    budget: Budget = Budget()
    cache: bool = False
    part: str = ""
    """Which of the runs that were asked for together."""


class Opened(NamedTuple):
    """What there is to run; of several, each has a folder of its own name below `--out`."""

    name: str
    benchmark: Benchmark
    targets: Sequence[Target]


def narrowed(benchmark: Benchmark, *, limit: int | None, only: Sequence[str]) -> Benchmark:
    """The benchmark with the examples of the groups in `only` (`DIMENSION=GROUP`), the first `limit` of them.

    Raises:
        UserError: there is no such group.
    """
    examples: list[Example] = list(benchmark.examples)
    for wanted in only:
        dimension, _, group = wanted.partition("=")
        kept = [example for example in examples if group in example.groups.get(dimension, ())]
        if not kept:
            known = sorted({f"{d}={g}" for e in benchmark.examples for d, groups in e.groups.items() for g in groups})
            raise UserError(f"no example is in `{wanted}`; there are {', '.join(known) or 'no groups'}")
        examples = kept
    if limit is not None:
        examples = examples[:limit]
    if len(examples) == len(benchmark.examples):
        return benchmark
    note = f"Only {len(examples)} of {len(benchmark.examples)} examples: {', '.join(only) or 'the first ones'}."
    return replace(benchmark, examples=examples, notes=[*benchmark.notes, note])


def default_at_once(spec: str | None) -> int:
    """How many examples at once: one model in this process answers one after the other, a server many."""
    return 64 if (spec or get_settings().model).startswith("openai:") else 2


@contextmanager
def watching(name: str) -> Generator[Callable[[Progress], None]]:
    """A progress bar on stderr: examples done, failures, how many at once, tokens, time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[news]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = err()
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None, news="")
        last: list[Progress] = []

        def update(progress: Progress) -> None:
            tokens = progress.spent.input_tokens + progress.spent.output_tokens
            news = f"{progress.failed} failed, {progress.at_once} at once, {tokens:,} tokens"
            bar.update(task, completed=progress.done, total=progress.total, news=news)
            last[:] = [progress]

        yield update
    if last and last[0].stopped:
        err().print(clean(f"stopped: {last[0].stopped}. The same command goes on from here."), style="yellow")


def open_all(asked: Asked, cache: ResponseCache | None) -> list[Opened]:
    """What there is to run for what was asked.

    Raises:
        UserError: the options don't go together, or name what isn't there.
    """
    benchmark = narrowed(open_benchmark(asked), limit=asked.limit, only=asked.only)
    if asked.baseline == "blind":
        if asked.model or asked.graph:
            raise UserError("`--baseline blind` uses no model: leave out `--model` and `--graph`")
        return [Opened(target.name, benchmark, [target]) for target in blind_targets()]
    if asked.baseline == "question-only":
        benchmark = question_only(benchmark)
    elif asked.baseline is not None:
        raise UserError(f"there is no baseline `{asked.baseline}`: choose `blind` or `question-only`")
    graph = asked.graph or ("consultation" if asked.benchmark == "medicineqa" else PLAIN)
    choice = ModelChoice(asked.model, asked.temperature, asked.samples, cache)
    if asked.samples > 1 and not asked.temperature and graph != DIAGNOSIS:
        raise UserError("`--samples` without `--temperature` gives the same answer each time: add `--temperature 0.7`")
    targets = open_targets(graph, choice, corpus=asked.corpus, mode=asked.mode, official=asked.prompt == "official")
    if asked.probe == "leakage":
        return [Opened(probe.name, probe, targets) for probe in leakage(benchmark)]
    if asked.probe is not None:
        raise UserError(f"there is no probe `{asked.probe}`: choose `leakage`")
    return [Opened(graph, benchmark, targets)]


def open_benchmark(asked: Asked) -> Benchmark:
    """The benchmark that was asked for, over its data.

    Raises:
        UserError: there is none of this name, or its data are missing or something else.
    """
    if asked.benchmark not in BENCHMARKS:
        raise UserError(f"there is no benchmark `{asked.benchmark}`: choose one of {', '.join(BENCHMARKS)}")
    if asked.benchmark == "medicineqa":
        if asked.data is None and asked.split not in SPLITS:
            raise UserError(f"there is no split `{asked.split}`: choose `dev` or `test`")
        medicines = open_corpus(asked.corpus)
        data = asked.data or FOLDER / f"{asked.split}.jsonl"
        hashed = medicines.manifest.content_sha256
        return medicineqa.load(data, medicines=medicines.all_medicines(), corpus_sha256=hashed)
    if asked.data is None:
        raise UserError(f"`{asked.benchmark}` needs its data: give `--data FILE`")
    if asked.benchmark == "diagnosisarena-mcq":
        return diagnosisarena_mcq.load(asked.data)
    if asked.benchmark == "mmxu":
        return _mmxu(asked, asked.data)
    if asked.benchmark == "multiple-choice":
        embedded = get_settings().cache_dir / "images" if asked.images else None
        return multiple_choice.load(asked.data, images=asked.images, embedded=embedded)
    if asked.prompt not in ("wardround", "official"):
        raise UserError(f"there is no prompt `{asked.prompt}`: choose `wardround` or `official`")
    form = "case" if asked.graph == DIAGNOSIS else asked.prompt
    judges = open_judges(asked.judges)
    qualifications = [qualified(judge) for judge in judges]
    return diagnosisarena.load(asked.data, judges=judges, qualifications=qualifications, form=form)


def _mmxu(asked: Asked, data: Path) -> Benchmark:
    records, comparisons, current = mmxu.options_of_command(asked.records, asked.comparisons, asked.current)
    with ExitStack() as opened:
        store = opened.enter_context(PatientStore(asked.patients)) if asked.patients else None
        return mmxu.load(
            data,
            records=records,
            comparisons=comparisons,
            images=asked.images,
            crops=asked.crops,
            current=current,
            store=store,
        )


def open_judges(specs: Sequence[str]) -> list[Judge]:
    """The judges; temperature 0 and the fixed seed are the defaults of every model."""
    return [Judge(chat_model(spec), spec) for spec in specs]


def qualified(judge: Judge) -> Qualification:
    """How the judge does in its calibration, asked once and kept in the cache."""
    with counting() as progress:
        return asyncio.run(
            qualify(
                judge,
                kept_in=get_settings().cache_dir / "judges",
                at_once=min(8, default_at_once(judge.spec)),
                progress=lambda done, _: progress(f"calibrating the judge {judge.spec}", done),
            )
        )


def evaluate_all(asked: Asked) -> list[tuple[str, Path, Summary]]:
    """Run what was asked; for each run its name, its folder and what it came to. Each folder gets a report."""
    with _caching(asked) as cache:
        opened = open_all(asked, cache)
        out = asked.out or default_folder(asked)
        return [(one.name, *_run(one, asked, out / one.name if len(opened) > 1 else out)) for one in opened]


def retry(path: Path, *, at_once: int | None) -> Summary:
    """Run the failed and the missing examples of the run in `path`.

    Raises:
        UserError: it was not made by the command line, or its data, prompts or model have changed since.
    """
    manifest = read_manifest(path)
    if not manifest.asked:
        raise UserError(f"the run `{path}` was made from Python: call `run(..., retry_failed=True)` again there")
    changes: dict[str, Any] = {"retry_failed": True, "fork": False, "at_once": at_once}
    again = Asked.model_validate(manifest.asked).model_copy(update=changes)
    with _caching(again) as cache:
        one = next(one for one in open_all(again, cache) if one.name == again.part)
        return _run(one, again, path)[1]


def _run(one: Opened, asked: Asked, path: Path) -> tuple[Path, Summary]:
    """One run, with its progress shown and its report written; where it ended up, and what it came to."""
    with watching(f"{one.benchmark.name}, {one.targets[0].name}") as on_progress:
        folder = run(
            one.benchmark,
            one.targets,
            out=path,
            fork=asked.fork,
            at_once=asked.at_once or default_at_once(asked.model),
            budget=asked.budget,
            retry_failed=asked.retry_failed,
            on_progress=on_progress,
            asked=asked.model_copy(update={"part": one.name}).model_dump(mode="json"),
        )
    write_report(folder)
    return folder, summarize(folder)


@contextmanager
def _caching(asked: Asked) -> Generator[ResponseCache | None]:
    if not asked.cache:
        yield None
        return
    cache = ResponseCache(get_settings().cache_dir / "responses.sqlite")
    try:
        yield cache
    finally:
        cache.close()


def battle(runs: Sequence[Path], judges: Sequence[str], *, out: Path, questions: int, seed: int) -> None:
    """Judge the answers of runs in pairs, write the battles to `out`, and say what came of it.

    A judge that fails its calibration may still battle, and the news say so: the set is about diagnoses.
    """
    opened = open_judges(judges)
    with counting() as progress:
        found = asyncio.run(
            fight(
                runs,
                opened,
                out=out,
                questions=questions,
                seed=seed,
                progress=lambda done, _: progress("battles", done),
            )
        )
    say(
        f"{found.fought:,} battles fought, {found.earlier:,} stood there; {found.ties:,} ties, of them "
        f"{found.inconsistent:,} because the judge changed its mind with the seats; {found.both_failed:,} pairs had "
        f"no answer; {len(found.failed):,} failed: {out}"
    )
    for place, cause in found.failed.items():
        say(f"failed {place}: {cause}")


def default_folder(asked: Asked) -> Path:
    """A folder that another benchmark, graph or model does not have."""
    what = asked.baseline or asked.graph or ""
    parts = [asked.benchmark, what, asked.probe or "", (asked.model or "").partition("@")[0]]
    return Path("runs") / re.sub(r"[^\w.-]+", "-", "-".join(part for part in parts if part)).strip("-")
