"""Runs a benchmark on a target: many examples at once, every one accounted for, resumable at any moment."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from inspect import isawaitable
from typing import Final

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.context import register_configure_hook

from ..errors import ModelError, UserError
from ..graphs.trace import Recorder
from ..models.retry import overload_listener
from .benchmark import Benchmark, Example, Output, Score, Target
from .budget import Budget, Spent
from .limiter import Limiter
from .result import Failure, Result
from .run_folder import RunFolder, now

SYNC_S: Final = 5.0
"""Results are on the disc at the latest so many seconds after they came."""
_IN_A_ROW: Final = 20
"""So many failures of a model server in a row, and the run stops: it is down."""


@dataclass
class Progress:
    """Where a run stands; told to `on_progress` after every result."""

    total: int
    done: int = 0
    """Finished, in this session or an earlier one."""
    failed: int = 0
    at_once: int = 0
    """How many examples may run at once just now."""
    spent: Spent = field(default_factory=Spent)
    last: Result | None = None
    stopped: str = ""
    """Why the run ended before all was done; empty if it didn't."""


@dataclass(frozen=True)
class _Job:
    example: Example
    sample: int
    attempt: int


async def run_examples(
    folder: RunFolder,
    benchmark: Benchmark,
    targets: Sequence[Target],
    *,
    at_once: int = 64,
    budget: Budget | None = None,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Do what is left to do of the run in `folder`.

    Args:
        folder: the run; held while this works, every result is appended as it comes.
        benchmark: as the manifest names it.
        targets: one for each sample.
        at_once: the most examples at once; a server that says it is overloaded gets fewer.
        budget: when it is spent, no further example begins.
        retry_failed: examples that failed are run again.
        on_progress: told after every result.

    Examples that fail are recorded with their cause and count as wrong. Cancelling stops what is under way; the same
    call goes on from there.

    Raises:
        UserError: the run is in use, or a mistake of the user's makes every example fail.
        OSError: the folder cannot be written any more.
    """
    with folder:
        jobs = list(_left(folder, benchmark, len(targets), retry_failed=retry_failed))
        failed = sum(entry.status == "failed" for entry in folder.entries.values())
        total = len(benchmark.examples) * len(targets)
        again = sum(job.attempt > 1 for job in jobs)
        progress = Progress(total=total, done=total - len(jobs), failed=failed - again)
        session = _Session(folder, benchmark, targets, progress, budget or Budget(), on_progress)
        started, begin = datetime.now(UTC), time.perf_counter()
        stopped = "interrupted"
        try:
            await session.work(jobs, at_once)
            stopped = progress.stopped or "done"
        except ExceptionGroup as group:  # of one kind: the first that a task could not record
            raise group.exceptions[0] from None
        finally:
            folder.add_session(started, time.perf_counter() - begin, stopped)
        return progress


def _left(folder: RunFolder, benchmark: Benchmark, samples: int, *, retry_failed: bool) -> Iterator[_Job]:
    """What is not done yet: all first samples, then all second ones, so that a run cut short has whole examples."""
    for sample in range(samples):
        for example in benchmark.examples:
            entry = folder.entries.get((example.key, sample))
            if entry is None:
                yield _Job(example, sample, 1)
            elif retry_failed and entry.status == "failed":
                yield _Job(example, sample, entry.attempt + 1)


class _Session:
    """One stretch of work on a run."""

    def __init__(
        self,
        folder: RunFolder,
        benchmark: Benchmark,
        targets: Sequence[Target],
        progress: Progress,
        budget: Budget,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._folder, self._benchmark, self._targets = folder, benchmark, targets
        self._progress, self._budget, self._on_progress = progress, budget, on_progress
        self._in_a_row = 0
        self._last_cause = ""
        self._mistake: UserError | None = None
        self._succeeded = progress.done - progress.failed

    async def work(self, jobs: Sequence[_Job], at_once: int) -> None:
        limiter = Limiter(start=min(8, at_once), ceiling=at_once)
        token = overload_listener.set(limiter.complain)
        try:
            async with AsyncExitStack() as stack:
                saving = asyncio.create_task(self._save())
                stack.callback(saving.cancel)
                async with asyncio.TaskGroup() as group:
                    for job in jobs:
                        await limiter.acquire()
                        if self._stop():
                            break
                        self._progress.at_once = limiter.limit
                        group.create_task(self._one(job, limiter))
        finally:
            overload_listener.reset(token)
        if self._mistake and not self._succeeded:
            raise self._mistake

    def _stop(self) -> bool:
        """Whether no further example should begin."""
        if reason := self._budget.spent(self._progress.spent):
            self._progress.stopped = reason
        elif self._mistake and not self._succeeded:
            self._progress.stopped = str(self._mistake)
        elif self._in_a_row >= _IN_A_ROW:
            self._progress.stopped = f"{self._in_a_row} examples in a row failed: {self._last_cause}"
        return bool(self._progress.stopped)

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(SYNC_S)
            await asyncio.to_thread(self._folder.sync)

    async def _one(self, job: _Job, limiter: Limiter) -> None:
        succeeded = False
        try:
            result = await self._result(job)
            succeeded = result.status == "ok"
            self._record(result)
        finally:
            limiter.release(succeeded=succeeded)

    async def _result(self, job: _Job) -> Result:
        example, benchmark = job.example, self._benchmark
        trace = self._folder.trace_path(example.key, job.sample)
        output: Output | None = None
        failure: Failure | None = None
        score = Score(values=benchmark.values_if_failed(example), why="The example failed.")
        with Recorder(self._folder.path / trace.parent, name=f"{example.key}-{job.sample}") as recorder:
            try:
                output = await self._targets[job.sample].answer(example, [recorder])
                usage = dict(recorder.usage)
                score = await _scored(benchmark, example, output, recorder)
                usage |= {f"judge_{k}": n - usage[k] for k, n in recorder.usage.items() if n > usage[k]}
            except Exception as error:  # noqa: BLE001 - recorded, and reported as a failure
                usage = dict(recorder.usage)
                failure = _failure(error, "target" if output is None else "judge")
                if isinstance(error, UserError):
                    self._mistake = error
        return Result(
            key=example.key,
            sample=job.sample,
            status="failed" if failure else "ok",
            id=example.id,
            attempt=job.attempt,
            output=output,
            score=score,
            failure=failure,
            usage=usage,
            timings=recorder.timings,
            trace=trace.as_posix(),
            at=now(),
        )

    def _record(self, result: Result) -> None:
        self._folder.append(result)
        progress = self._progress
        progress.done += 1
        progress.last = result
        progress.spent.add(result)
        if result.failure is None:
            self._succeeded += 1
            self._in_a_row = 0
        else:
            progress.failed += 1
            if result.failure.type == "ModelUnavailable":
                self._in_a_row += 1
                self._last_cause = result.failure.message
        if self._on_progress:
            self._on_progress(progress)


async def _scored(benchmark: Benchmark, example: Example, output: Output, recorder: Recorder) -> Score:
    """The output's score; what a judge is asked and says goes into the same trace."""
    token = _judge_recorder().set(recorder)
    try:
        score = benchmark.score(example, output)
        return await score if isawaitable(score) else score
    finally:
        _judge_recorder().reset(token)


@lru_cache(maxsize=1)
def _judge_recorder() -> ContextVar[BaseCallbackHandler | None]:
    """LangChain hands the handler in this variable to whatever runs, so a scorer need not pass callbacks around."""
    variable: ContextVar[BaseCallbackHandler | None] = ContextVar("judge_recorder", default=None)
    register_configure_hook(variable, inheritable=True)
    return variable


def _failure(error: Exception, stage: str) -> Failure:
    known = isinstance(error, ModelError | UserError)
    where = "" if known else f" ({traceback.extract_tb(error.__traceback__)[-1].name})"
    kind = "judge" if stage == "judge" else "target"
    return Failure(stage=kind, type=type(error).__name__, message=f"{error}{where}")
