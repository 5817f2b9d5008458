"""A leaderboard: runs of one benchmark over the same examples, side by side, over all of it and by group.

Made from run folders alone, and it holds figures only: no text of an example or an answer, so it may be published.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ConfigDict, JsonValue

from ..errors import UserError
from .benchmark import Metric
from .run_folder import RunFolder
from .statistics import Figure
from .summary import summarize


class Entry(BaseModel):
    """One run on a leaderboard."""

    model_config = ConfigDict(frozen=True)
    name: str
    """The name of the run's folder."""
    target: str
    model: str | None
    created: str
    wardround: str
    n: int
    failed: int
    figures: dict[str, Figure]
    """Metric -> figure, with its 95 % interval."""
    groups: dict[str, dict[str, dict[str, Figure]]]
    """Dimension -> group -> metric -> figure."""
    identity: dict[str, JsonValue]
    """All that decides the target's answers, with hashes."""


class Leaderboard(BaseModel):
    """Runs, best first by the first metric."""

    model_config = ConfigDict(frozen=True)
    benchmark: str
    options: dict[str, JsonValue]
    """Of the benchmark: data and corpus, with their hashes."""
    examples: int
    examples_sha256: str
    metrics: tuple[Metric, ...]
    """Those that are shown: the headline figures, or the one that was asked for first."""
    notes: tuple[str, ...]
    entries: tuple[Entry, ...]


def leaderboard(runs: Sequence[Path], *, metrics: Sequence[str] = ()) -> Leaderboard:
    """The leaderboard of finished runs.

    Args:
        runs: folders of runs of one benchmark over the same examples.
        metrics: what to show, the first decides the order; empty for the benchmark's headline figures.

    Raises:
        UserError: a folder is no run, is unfinished, has no qualified judge, is of other data, or has no such metric.
    """
    if not runs:
        raise UserError("a leaderboard needs runs: name their folders")
    folders = [RunFolder.open(path) for path in runs]
    first = folders[0].manifest
    names = [path.resolve().name for path in runs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"two of the runs are called `{twice}`: their folders' names are the names on the leaderboard")
    for folder in folders[1:]:
        other = folder.manifest
        if (other.benchmark, other.examples_sha256) != (first.benchmark, first.examples_sha256):
            raise UserError(
                f"`{folder.path}` is a run of `{other.benchmark.name}` on other data than `{folders[0].path}` (or over "
                "another corpus): a leaderboard compares runs on the same examples"
            )
    shown = _chosen(first.metrics, metrics)
    entries = [_entry(folder, name, shown) for folder, name in zip(folders, names, strict=True)]
    return Leaderboard(
        benchmark=first.benchmark.name,
        options=dict(first.benchmark.options),
        examples=first.examples,
        examples_sha256=first.examples_sha256,
        metrics=shown,
        notes=first.notes,
        entries=tuple(sorted(entries, key=lambda entry: _order(entry, shown[0]))),
    )


def _chosen(known: Sequence[Metric], asked: Sequence[str]) -> tuple[Metric, ...]:
    by_name = {metric.name: metric for metric in known}
    if unknown := next((name for name in asked if name not in by_name), None):
        raise UserError(f"there is no metric `{unknown}`: it is one of {', '.join(f'`{name}`' for name in by_name)}")
    return tuple(by_name[name] for name in asked) or tuple(metric for metric in known if metric.headline) or (known[0],)


def _entry(folder: RunFolder, name: str, metrics: Sequence[Metric]) -> Entry:
    manifest, summary = folder.manifest, summarize(folder.path)
    if summary.withheld:
        raise UserError(f"`{folder.path}` gives no headline figures: {summary.withheld}")
    if summary.unfinished:
        raise UserError(
            f"`{folder.path}` has {summary.unfinished} of {manifest.examples} examples still to run: "
            f"go on with it (`wardround runs retry {folder.path}`)"
        )
    model = manifest.target.options.get("model")
    return Entry(
        name=name,
        target=manifest.target.name,
        model=str(cast("dict[str, JsonValue]", model).get("name")) if isinstance(model, dict) else _text(model),
        created=manifest.created,
        wardround=manifest.wardround,
        n=summary.n,
        failed=summary.failed,
        figures={metric.name: summary.figures[metric.name] for metric in metrics},
        groups={
            dimension: {
                group: {metric.name: figures[metric.name] for metric in metrics if metric.name in figures}
                for group, figures in groups.items()
            }
            for dimension, groups in summary.groups.items()
        },
        identity=dict(manifest.target.options),
    )


def _text(value: JsonValue) -> str | None:
    return None if value is None else str(value)


def _order(entry: Entry, metric: Metric) -> tuple[bool, float, str]:
    value = entry.figures[metric.name].value
    signed = 0.0 if value is None else (value if metric.better == "lower" else -value)
    return value is None, signed, entry.name
