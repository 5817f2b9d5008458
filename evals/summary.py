"""From a run's folder to its figures: each with its n, its failures and its interval, also by group."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, JsonValue

from .benchmark import Metric
from .result import Result
from .run_folder import RunFolder
from .statistics import Figure, mean, pass_at_k, rate

_LONGEST_CAUSE: Final = 160


class Summary(BaseModel):
    """What a run came to."""

    model_config = ConfigDict(frozen=True)
    benchmark: str
    target: str
    created: str
    n: int
    """Examples with at least one result; all of them count, failed ones as wrong."""
    failed: int
    """Examples of which every sample failed."""
    unfinished: int
    """Examples still to be run: the figures are not yet those of the benchmark."""
    samples: int
    figures: dict[str, Figure]
    """Metric -> figure. With several samples an example: the mean over its samples (mean@k)."""
    several: dict[str, dict[str, Figure]]
    """With several samples: `pass@k` and `majority` for each rate."""
    groups: dict[str, dict[str, dict[str, Figure]]]
    """Dimension -> group -> metric -> figure."""
    failures: dict[str, int]
    """Cause -> how many samples, most frequent first."""
    flags: dict[str, int]
    """Flag of the scorer -> how many samples."""
    usage: dict[str, int]
    wall_s: float
    """Seconds of work, over all sessions."""
    latency_s: dict[str, float]
    """`p50` and `p95` of the samples that did not fail."""
    notes: tuple[str, ...]
    withheld: str | None
    unqualified: dict[str, Figure]
    """What the headline figures would be, where they are withheld."""

    def as_json(self) -> dict[str, JsonValue]:
        """The summary with figures as `{"hr_document": {"1": {...}}}`, on top and in the groups."""
        plain = self.model_dump(mode="json", exclude={"figures", "groups", "several", "unqualified"})
        groups = {
            dimension: {group: nested(figures) for group, figures in by_group.items()}
            for dimension, by_group in self.groups.items()
        }
        rest: dict[str, JsonValue] = {"groups": cast("JsonValue", groups)}
        if self.several:
            rest["several"] = cast("JsonValue", {name: nested(figures) for name, figures in self.several.items()})
        if self.unqualified:
            rest["unqualified"] = cast("JsonValue", nested(self.unqualified))
        return {**plain, **nested(self.figures), **rest}


def nested(figures: Mapping[str, Figure]) -> dict[str, JsonValue]:
    """`hr_document.1` as `{"hr_document": {"1": ...}}`."""
    tree: dict[str, JsonValue] = {}
    for name, figure in figures.items():
        head, _, rest = name.partition(".")
        value = cast("JsonValue", figure.model_dump(mode="json"))
        if rest:
            branch = cast("dict[str, JsonValue]", tree.setdefault(head, {}))
            branch[rest] = value
        else:
            tree[head] = value
    return tree


class Scored(NamedTuple):
    """One example with what its samples came to. Held for all examples at once, so without texts."""

    key: str
    values: tuple[dict[str, float | None], ...]
    answers: tuple[str | None, ...]
    """What the scorer read, sample by sample; None where it read nothing or doesn't say."""
    failed: tuple[bool, ...]
    groups: Mapping[str, Sequence[str]]
    cluster: str | None

    def value(self, metric: str) -> float | None:
        """The mean over the samples that the metric applies to."""
        known = [value for values in self.values if (value := values.get(metric)) is not None]
        return sum(known) / len(known) if known else None


def scored(folder: RunFolder) -> list[Scored]:
    """Every example of the run with a result, in the order of the examples."""
    found: dict[str, dict[int, tuple[dict[str, float | None], str | None, bool]]] = defaultdict(dict)
    for result in folder.results():
        found[result.key][result.sample] = (result.score.values, _answer(result), result.status == "failed")
    rows: list[Scored] = []
    for example in folder.examples():
        if samples := found.pop(example.key, None):
            values, answers, failed = zip(*(samples[sample] for sample in sorted(samples)), strict=True)
            rows.append(Scored(example.key, values, answers, failed, example.groups, example.cluster))
    return rows


def summarize(path: Path | str) -> Summary:
    """The summary of the run in `path`, from its folder alone.

    Raises:
        UserError: there is no run, or it is damaged.
    """
    folder = RunFolder.open(path)
    manifest = folder.manifest
    rows = scored(folder)
    figures = {metric.name: figure(metric, rows, manifest.samples) for metric in manifest.metrics}
    unqualified: dict[str, Figure] = {}
    if manifest.withheld:
        unqualified = {metric.name: figures[metric.name] for metric in manifest.metrics if metric.headline}
        empty = {"value": None, "ci": None, "method": "withheld"}
        figures |= {name: kept.model_copy(update=empty) for name, kept in unqualified.items()}
    causes: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    usage: Counter[str] = Counter()
    latencies: list[float] = []
    for result in folder.results():
        usage.update(result.usage)
        flags.update(result.score.flags)
        if result.failure:
            causes[_cause(result.failure.type, result.failure.message)] += 1
        elif "total_s" in result.timings:
            latencies.append(result.timings["total_s"])
    return Summary(
        benchmark=manifest.benchmark.name,
        target=manifest.target.name,
        created=manifest.created,
        n=len(rows),
        failed=sum(all(row.failed) for row in rows),
        unfinished=manifest.examples - sum(len(row.values) >= manifest.samples for row in rows),
        samples=manifest.samples,
        figures=figures,
        several=_several(manifest.metrics, rows) if manifest.samples > 1 and not manifest.withheld else {},
        groups={} if manifest.withheld else _by_group(manifest.metrics, rows, manifest.samples),
        failures=dict(causes.most_common()),
        flags=dict(flags.most_common()),
        usage=dict(usage),
        wall_s=round(sum(session["wall_s"] for session in folder.sessions()), 3),
        latency_s=_percentiles(latencies),
        notes=manifest.notes,
        withheld=manifest.withheld,
        unqualified=unqualified,
    )


def figure(metric: Metric, rows: Iterable[Scored], samples: int = 1) -> Figure:
    """One metric over the examples that it applies to."""
    applies = [(row, value) for row in rows if (value := row.value(metric.name)) is not None]
    values = [value for _, value in applies]
    failed = sum(all(row.failed) for row, _ in applies)
    clusters = [row.cluster or row.key for row, _ in applies] if any(row.cluster for row, _ in applies) else None
    if metric.kind == "rate" and samples == 1:
        return rate([value > 0 for value in values], failed=failed, clusters=clusters)
    return mean(values, failed=failed, clusters=clusters)


def _by_group(
    metrics: Sequence[Metric], rows: Sequence[Scored], samples: int
) -> dict[str, dict[str, dict[str, Figure]]]:
    members: dict[str, dict[str, list[Scored]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for dimension, groups in row.groups.items():
            for group in groups:
                members[dimension][group].append(row)
    return {
        dimension: {
            group: {metric.name: figure(metric, some, samples) for metric in metrics}
            for group, some in sorted(by_group.items())
        }
        for dimension, by_group in sorted(members.items())
    }


def _several(metrics: Sequence[Metric], rows: Sequence[Scored]) -> dict[str, dict[str, Figure]]:
    """For each rate: whether any of k samples is right, and whether the most frequent answer is."""
    found: dict[str, dict[str, Figure]] = defaultdict(dict)
    for metric in metrics:
        if metric.kind != "rate":
            continue
        judged = [
            [
                (answer, value > 0)
                for answer, values in zip(row.answers, row.values, strict=True)
                if (value := values.get(metric.name)) is not None
            ]
            for row in rows
        ]
        judged = [samples for samples in judged if samples]
        if not judged:
            continue
        k = min(len(samples) for samples in judged)
        if k > 1:
            found[f"pass@{k}"][metric.name] = pass_at_k([[right for _, right in samples] for samples in judged], k)
        if any(answer is not None for samples in judged for answer, _ in samples):
            found["majority"][metric.name] = rate([_majority(samples) for samples in judged])
    return dict(found)


def _majority(samples: Sequence[tuple[str | None, bool]]) -> bool:
    """Whether the most frequent answer is right; two equally frequent ones are no answer."""
    ranked = Counter(answer for answer, _ in samples if answer is not None).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return False
    return any(right for answer, right in samples if answer == ranked[0][0])


def _answer(result: Result) -> str | None:
    answer = result.score.details.get("answer")
    return answer if isinstance(answer, str) and answer else None


def _cause(kind: str, message: str) -> str:
    short = message if len(message) <= _LONGEST_CAUSE else message[: _LONGEST_CAUSE - 1] + "…"
    return f"{kind}: {short}"


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
        for name, share in (("p50", 0.5), ("p95", 0.95))
    }
