"""Is one run better than another? Answered example by example, over the examples that both have."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..errors import UserError
from .benchmark import Metric
from .paired import Comparison, compare_means, compare_rates, holm
from .run_folder import RunFolder, differences
from .summary import scored


class MetricComparison(BaseModel):
    """One metric of two runs."""

    model_config = ConfigDict(frozen=True)
    metric: Metric
    comparison: Comparison
    p_holm: float
    """The p-value corrected for the number of metrics compared (Holm)."""


class RunComparison(BaseModel):
    """Two runs of one benchmark."""

    model_config = ConfigDict(frozen=True)
    a: str
    b: str
    n: int
    """Examples with a result in both."""
    only_a: int
    only_b: int
    changed: tuple[str, ...]
    """What differs between the two, from their manifests."""
    metrics: tuple[MetricComparison, ...]


def compare_runs(a: Path | str, b: Path | str) -> RunComparison:
    """Compare the runs in two folders, B against A.

    Raises:
        UserError: they are of different benchmarks, or have no example in common.
    """
    first, second = RunFolder.open(a), RunFolder.open(b)
    names = first.manifest.benchmark.name, second.manifest.benchmark.name
    if names[0] != names[1]:
        raise UserError(f"`{a}` is a run of `{names[0]}` and `{b}` of `{names[1]}`: compare runs of one benchmark")
    if withheld := first.manifest.withheld or second.manifest.withheld:
        raise UserError(f"a run without a qualified judge cannot be compared: {withheld}")
    rows_a = {row.key: row for row in scored(first)}
    rows_b = {row.key: row for row in scored(second)}
    common = [key for key in rows_a if key in rows_b]
    if not common:
        raise UserError(f"`{a}` and `{b}` have no example in common: were they run on the same data?")
    metrics = [m for m in first.manifest.metrics if m in second.manifest.metrics]
    single = first.manifest.samples == second.manifest.samples == 1
    compared: list[tuple[Metric, Comparison]] = []
    for metric in metrics:
        pairs = [
            (key, x, y)
            for key in common
            if (x := rows_a[key].value(metric.name)) is not None and (y := rows_b[key].value(metric.name)) is not None
        ]
        if not pairs:
            continue
        clusters = [rows_a[key].cluster or key for key, _, _ in pairs]
        grouped = clusters if any(rows_a[key].cluster for key, _, _ in pairs) else None
        left, right = [x for _, x, _ in pairs], [y for _, _, y in pairs]
        if metric.kind == "rate" and single:
            comparison = compare_rates([x > 0 for x in left], [y > 0 for y in right], clusters=grouped)
        else:
            comparison = compare_means(left, right, clusters=grouped)
        compared.append((metric, comparison))
    corrected = holm([comparison.p for _, comparison in compared])
    return RunComparison(
        a=str(a),
        b=str(b),
        n=len(common),
        only_a=len(rows_a) - len(common),
        only_b=len(rows_b) - len(common),
        changed=tuple(differences(first.manifest, second.manifest)),
        metrics=tuple(
            MetricComparison(metric=metric, comparison=comparison, p_holm=p)
            for (metric, comparison), p in zip(compared, corrected, strict=True)
        ),
    )
