"""Figures in the terminal. Text of others is shown as text, without control characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..comparing import RunComparison
from ..elo import EloTable
from ..official import OfficialScore
from ..statistics import Figure
from ..summary import Summary

_GROUPS_SHOWN: Final = 2
"""Metrics beside each group; the report has all."""


def show_summary(summary: Summary, path: Path, headlines: Sequence[str] = ()) -> None:
    """The figures of a run, by group, and what failed."""
    console = _console()
    console.print(_plain(f"{summary.benchmark}, {summary.target}: {summary.n:,} examples, {summary.failed:,} failed"))
    if summary.unfinished:
        console.print(
            f"  {summary.unfinished:,} examples are not finished: these are not yet the benchmark's figures",
            style="yellow",
        )
    if summary.withheld:
        console.print(_plain(f"  headline figures are withheld: {summary.withheld}"), style="yellow")
    console.print(_figures(summary.figures))
    for name, figures in summary.several.items():
        console.print(_plain(f"\n{name}"))
        console.print(_figures(figures))
    if summary.unqualified:
        console.print("\nunqualified, not to be reported", style="yellow")
        console.print(_figures(summary.unqualified))
    for dimension, groups in summary.groups.items():
        console.print(_groups(dimension, groups, headlines or [*summary.figures][:_GROUPS_SHOWN]))
    for cause, count in summary.failures.items():
        console.print(_plain(f"  failed {count:,}: {cause}"), style="red")
    for note in summary.notes:
        console.print(_plain(f"  note: {note}"), style="dim")
    tokens = sum(summary.usage.get(kind, 0) for kind in ("input_tokens", "output_tokens"))
    speed = f", median {summary.latency_s['p50']:g} s an example" if summary.latency_s else ""
    console.print(_plain(f"  {tokens:,} tokens, {summary.wall_s:,.1f} s{speed}; {path}"), style="dim")


def show_runs(runs: Sequence[tuple[Path, Summary]]) -> None:
    """Runs with the first of their figures."""
    table = Table("run", "benchmark", "target", "n", "failed", "figure", "value", "95 %", box=None, pad_edge=False)
    for path, summary in runs:
        name = next(iter(summary.figures), "")
        value, interval = _value(summary.figures.get(name))
        left = f"{summary.n:,}" + (f" of {summary.n + summary.unfinished:,}" if summary.unfinished else "")
        cells = (str(path), summary.benchmark, summary.target, left, f"{summary.failed:,}", name, value, interval)
        table.add_row(*(_plain(cell) for cell in cells))
    _console().print(table if runs else "no runs here")


def show_comparison(comparison: RunComparison) -> None:
    """B against A, metric by metric."""
    console = _console()
    console.print(_plain(f"A: {comparison.a}\nB: {comparison.b}"))
    for line in comparison.changed:
        console.print(_plain(f"  {line}"), style="dim")
    only = f", {comparison.only_a:,} only in A, {comparison.only_b:,} only in B"
    console.print(f"  {comparison.n:,} examples in both{only if comparison.only_a or comparison.only_b else ''}\n")
    table = Table("metric", "n", "A", "B", "B - A", "95 %", "p", "p (Holm)", box=None, pad_edge=False)
    for each in comparison.metrics:
        c = each.comparison
        table.add_row(
            _plain(each.metric.name),
            f"{c.n:,}",
            f"{c.a:.3f}",
            f"{c.b:.3f}",
            f"{c.difference:+.3f}",
            f"{c.ci[0]:+.3f} to {c.ci[1]:+.3f}",
            f"{c.p:.3g}",
            f"{each.p_holm:.3g}",
        )
    console.print(table)
    for each in comparison.metrics:
        console.print(_plain(f"  {each.metric.name}: {each.comparison.verdict}"))


def show_official(score: OfficialScore) -> None:
    """What an official file is worth, and what was wrong with it."""
    console = _console()
    console.print(_plain(f"{score.benchmark}: {score.n:,} cases"))
    found = {"top1": score.top1, "top5": score.top5, "accuracy": score.accuracy}
    console.print(_figures({name: figure for name, figure in found.items() if figure}))
    for what, ids in (("missing", score.missing), ("several records", score.duplicates), ("unknown", score.unknown)):
        if ids:
            console.print(_plain(f"  {what} {len(ids):,}: {', '.join(ids[:20])}{' ...' if len(ids) > 20 else ''}"))
    for failed in score.failed:
        console.print(_plain(f"  failed {failed.id}: {failed.cause}"), style="red")


def show_elo(table: EloTable) -> None:
    """Ratings, best first."""
    shown = Table("model", "Elo", "95 %", "Bradley-Terry", "battles", box=None, pad_edge=False)
    for rating in table.ratings:
        interval = f"{rating.low:.0f} to {rating.high:.0f}"
        shown.add_row(
            _plain(rating.model), f"{rating.elo:.0f}", interval, f"{rating.bradley_terry:.0f}", f"{rating.battles:,}"
        )
    console = _console()
    console.print(shown)
    more = f", {table.duplicates:,} lines left out as duplicates" if table.duplicates else ""
    console.print(f"  {table.battles:,} battles, {table.ties:,} ties{more}", style="dim")


def _figures(figures: Mapping[str, Figure]) -> Table:
    table = Table("figure", "value", "95 %", "n", "failed", box=None, pad_edge=False)
    for name, figure in figures.items():
        table.add_row(_plain(name), *_value(figure), f"{figure.n:,}", f"{figure.failed:,}")
    return table


def _groups(dimension: str, groups: Mapping[str, Mapping[str, Figure]], names: Sequence[str]) -> Table:
    table = Table(_plain(dimension).plain, "n", box=None, pad_edge=False, title=" ", title_justify="left")
    for name in names:
        table.add_column(_plain(name))
        table.add_column("95 %")
    for group, figures in groups.items():
        cells = [cell for name in names for cell in _value(figures.get(name))]
        table.add_row(_plain(group), f"{max(figure.n for figure in figures.values()):,}", *cells)
    return table


def _value(figure: Figure | None) -> tuple[str, str]:
    if figure is None or figure.value is None:
        return "-", ""
    return f"{figure.value:.3f}", f"{figure.ci[0]:.3f} to {figure.ci[1]:.3f}" if figure.ci else ""


def _plain(text: str) -> Text:
    return Text("".join(c for c in text if c == "\n" or c.isprintable()))


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
