"""Begin a run, or go on with one: the same command does both, and what changed in between is noticed."""

from __future__ import annotations

import asyncio
import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

from ..errors import UserError
from .benchmark import Benchmark, Target
from .budget import Budget
from .run_folder import MANIFEST, Manifest, Named, RunFolder, differences, now
from .runner import Progress, run_examples

_PACKAGES: Final = ("wardround", "langgraph", "langchain-core", "langchain-openai", "openai", "xllamacpp", "numpy")


def run(benchmark: Benchmark, target: Target | Sequence[Target], **options: Any) -> Path:
    """`arun` for programs that have no event loop running; see there.

    Raises:
        UserError: one is running, as in a notebook: use `await arun(...)`.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(arun(benchmark, target, **options))
    raise UserError("an event loop is running here: use `await arun(...)` instead of `run(...)`")


async def arun(
    benchmark: Benchmark,
    target: Target | Sequence[Target],
    *,
    out: Path | str,
    fork: bool = False,
    at_once: int = 64,
    budget: Budget | None = None,
    retry_failed: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    asked: Mapping[str, JsonValue] | None = None,
) -> Path:
    """Put every example of `benchmark` to `target` and score what comes back.

    Args:
        benchmark: examples, scorer, metrics.
        target: one target, or one for each sample where examples are run several times (their seeds should differ).
        out: the run's folder. If it holds this very run, what is missing is done; else it must be empty.
        fork: where `out` holds another run, begin beside it (`OUT-2`, ...), taking along the results of examples that
            are the same, if data were all that changed.
        at_once, budget, retry_failed, on_progress: see `run_examples`.
        asked: kept in the manifest, for whoever wants to repeat the run.

    Returns:
        The run's folder: `out`, or the fork beside it. `summarize` gives its figures.

    Raises:
        UserError: `out` holds another run and `fork` is not set, or it can't be written.
    """
    targets = [target] if not isinstance(target, Sequence) else list(target)
    folder = open_run(benchmark, targets, out=Path(out), fork=fork, asked=asked)
    await run_examples(
        folder,
        benchmark,
        targets,
        at_once=at_once,
        budget=budget,
        retry_failed=retry_failed,
        on_progress=on_progress,
    )
    return folder.path


def open_run(
    benchmark: Benchmark,
    targets: Sequence[Target],
    *,
    out: Path,
    fork: bool = False,
    asked: Mapping[str, JsonValue] | None = None,
) -> RunFolder:
    """The folder for this run: a new one, or the one that was begun.

    Raises:
        UserError: `out` holds another run and `fork` is not set, or it can't be written.
    """
    manifest = manifest_of(benchmark, targets).model_copy(update={"asked": dict(asked or {})})
    if not (out / MANIFEST).exists():
        return RunFolder.create(out, manifest, benchmark.examples)
    begun = RunFolder.open(out)
    changed = differences(begun.manifest, manifest)
    if not changed:
        return begun
    if not fork:
        raise UserError(
            f"`{out}` holds another run ({'; '.join(changed)}): choose another `--out`, or `--fork` to begin beside it"
        )
    return _fork(begun, manifest, benchmark, changed)


def _fork(old: RunFolder, manifest: Manifest, benchmark: Benchmark, changed: Sequence[str]) -> RunFolder:
    """A new run beside `old`, with its results where only the data changed."""
    base = old.path
    path = next(p for n in range(2, 10_000) if not (p := base.with_name(f"{base.name}-{n}")).exists())
    new = RunFolder.create(path, manifest, benchmark.examples)
    if all(line.startswith(("benchmark data", "examples ")) for line in changed):
        wanted = {example.key for example in benchmark.examples}
        with new:
            for result in old.results():
                if result.key in wanted:
                    if result.trace and (old.path / result.trace).exists():
                        trace = new.path / result.trace
                        trace.parent.mkdir(parents=True, exist_ok=True)
                        trace.write_bytes((old.path / result.trace).read_bytes())
                    new.append(result)
    return new


def manifest_of(benchmark: Benchmark, targets: Sequence[Target]) -> Manifest:
    """What a run of `benchmark` on `targets` is made of.

    Raises:
        UserError: no examples, or two with the same content.
    """
    keys = [example.key for example in benchmark.examples]
    if not keys:
        raise UserError(f"the benchmark `{benchmark.name}` has no examples: check its data")
    if len(set(keys)) < len(keys):
        seen: set[str] = set()
        twice = next(e.id for e in benchmark.examples if e.key in seen or seen.add(e.key))
        raise UserError(f"the benchmark `{benchmark.name}` has example `{twice}` twice: remove one")
    identity: Mapping[str, JsonValue] = targets[0].identity
    return Manifest(
        wardround=_version("wardround") or "unknown",
        created=now(),
        benchmark=Named(name=benchmark.name, options=dict(benchmark.options)),
        target=Named(name=targets[0].name, options=dict(identity)),
        metrics=tuple(benchmark.metrics),
        samples=len(targets),
        examples=len(keys),
        examples_sha256=hashlib.sha256("\n".join(keys).encode()).hexdigest(),
        notes=tuple(benchmark.notes),
        withheld=benchmark.withheld,
        environment={
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
            **{name: found for name in _PACKAGES if (found := _version(name))},
        },
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
