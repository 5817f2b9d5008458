"""A leaderboard as files: `leaderboard.json`, and a page that needs nothing else and has no script.

Below the table every group is drawn with the runs as rows: where one breaks and another holds is to be seen at once.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from ...errors import UserError
from ..benchmark import Metric
from ..leaderboard import Entry, Leaderboard
from ..statistics import Figure

_COLOURS: Final = 8
_STYLE: Final = """
:root { color-scheme: light dark; --paper: #f7f6f3; --sheet: #fff; --ink: #1c2126; --soft: #565e68; --line: #e2dfd8;
  --c0: #1d5c86; --c1: #8a5a12; --c2: #16704f; --c3: #a93a27; --c4: #6a4a9c; --c5: #3f6b75; --c6: #87315f; --c7: #555; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --sheet: #1b1f23; --ink: #e7e5e0; --soft: #a3abb4;
  --line: #2e343a; --c0: #86bde3; --c1: #dfb26a; --c2: #63c79e; --c3: #f2937f; --c4: #b9a0e8; --c5: #8fc1cb;
  --c6: #e394c0; --c7: #bbb; } }
body { margin: 0 auto; max-width: 1060px; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: .95rem; margin: 0; } p { margin: .3rem 0; } .soft { color: var(--soft); font-size: 13px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; background: var(--sheet); }
th, td { text-align: left; padding: .45rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.under { display: block; color: var(--soft); font-size: 12px; }
.groups { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 1rem; }
.group { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .8rem; }
.key { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .45em; }
svg { display: block; width: 100%; } .grid { stroke: var(--line); } .name { font-size: 11px; fill: var(--soft); }
""" + "".join(
    f".c{n} {{ stroke: var(--c{n}); fill: var(--c{n}); }} .key.c{n} {{ background: var(--c{n}); }}\n"
    for n in range(_COLOURS)
)


def write_leaderboard(board: Leaderboard, folder: Path) -> tuple[Path, Path]:
    """Write `leaderboard.json` and `leaderboard.html` into `folder`; both are returned, the page last.

    Raises:
        UserError: they cannot be written.
    """
    data, page = folder / "leaderboard.json", folder / "leaderboard.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data.write_text(board.model_dump_json(indent=2) + "\n", encoding="utf-8")
        page.write_text("\n".join(_page(board)) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"`{folder}` cannot be written to ({error.strerror}): name another `--out`") from None
    return data, page


def _page(board: Leaderboard) -> Iterable[str]:
    style_hash = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'sha256-{style_hash}'; base-uri 'none'; form-action 'none'\">"
    )
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(board.benchmark)}: leaderboard</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    yield f"<h1>{escape(board.benchmark)}</h1>"
    told = ", ".join(f"{name} {value}" for name, value in board.options.items())
    yield f"<p>{board.examples:,} examples, the same for every row. Intervals are of 95 %.</p>"
    yield f'<p class="soft">{escape(told)}; examples sha256 {board.examples_sha256[:12]}</p>'
    for note in board.notes:
        yield f'<p class="soft">{escape(note)}</p>'
    yield from _table(board)
    for dimension in sorted({dimension for entry in board.entries for dimension in entry.groups}):
        yield from _dimension(board, dimension)
    yield "</body>\n</html>"


def _table(board: Leaderboard) -> Iterable[str]:
    heads = "".join(f'<th scope="col" class="number">{escape(metric.title)}</th>' for metric in board.metrics)
    yield '<div class="wide"><table><thead><tr><th scope="col">run</th><th scope="col">model</th>'
    yield f'{heads}<th scope="col" class="number">failed</th></tr></thead><tbody>'
    for place, entry in enumerate(board.entries):
        yield f'<tr><th scope="row">{_key(place)}{escape(entry.name)}<span class="under">{escape(entry.target)}</span>'
        yield f"</th><td>{escape(entry.model or '–')}</td>"
        for metric in board.metrics:
            yield f'<td class="number">{_figure(metric, entry.figures[metric.name])}</td>'
        yield f'<td class="number">{entry.failed} of {entry.n}</td></tr>'
    yield "</tbody></table></div>"


def _figure(metric: Metric, figure: Figure) -> str:
    if figure.value is None:
        return "–"
    ends = f"{_number(metric, figure.ci[0])} to {_number(metric, figure.ci[1])}" if figure.ci else "no interval"
    return f'{_number(metric, figure.value)}<span class="under">{ends}, n {figure.n}</span>'


def _number(metric: Metric, value: float) -> str:
    return f"{100 * value:.1f} %" if metric.kind == "rate" else f"{value:.3g}"


def _dimension(board: Leaderboard, dimension: str) -> Iterable[str]:
    for metric in (metric for metric in board.metrics if metric.kind == "rate"):
        groups = sorted({group for entry in board.entries for group in entry.groups.get(dimension, {})})
        drawn = [(group, _rows(board.entries, dimension, group, metric)) for group in groups]
        drawn = [(group, rows) for group, rows in drawn if any(figure.value is not None for _, _, figure in rows)]
        if len(drawn) < 2:
            continue
        yield f"<h2>{escape(metric.title)}, by {escape(dimension)}</h2>"
        yield f'<p class="soft">0 to 100 %; {_legend(board.entries)}</p><div class="groups">'
        for group, rows in drawn:
            most = max(figure.n for _, _, figure in rows)
            yield f'<div class="group"><h3>{escape(group.replace("_", " "))} <span class="soft">n {most}</span></h3>'
            yield _drawing(metric, rows)
            yield "</div>"
        yield "</div>"


def _rows(entries: Sequence[Entry], dimension: str, group: str, metric: Metric) -> list[tuple[int, str, Figure]]:
    """Place, name and figure of every run that has one in this group."""
    return [
        (place, entry.name, figures[metric.name])
        for place, entry in enumerate(entries)
        if metric.name in (figures := entry.groups.get(dimension, {}).get(group, {}))
    ]


def _drawing(metric: Metric, rows: Sequence[tuple[int, str, Figure]]) -> str:
    """A dot for each run and a line for its interval; places in per cent, so that it fits any width."""
    height = 18 * len(rows) + 6
    parts = [f'<line class="grid" x1="{x}%" x2="{x}%" y1="0" y2="{height}"/>' for x in map(_x, (0, 0.25, 0.5, 0.75, 1))]
    said: list[str] = []
    for line, (place, name, figure) in enumerate(rows):
        if figure.value is None:
            continue
        y, colour = 12 + 18 * line, f"c{place % _COLOURS}"
        if figure.ci:
            low, high = map(_x, figure.ci)
            parts.append(f'<line class="{colour}" x1="{low}%" x2="{high}%" y1="{y}" y2="{y}" stroke-width="2"/>')
        parts.append(f'<circle class="{colour}" cx="{_x(figure.value)}%" cy="{y}" r="4"/>')
        said.append(f"{name} {_number(metric, figure.value)}")
    label = escape("; ".join(said), quote=True)
    return f'<svg height="{height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _x(share: float) -> float:
    return round(2 + 96 * share, 2)


def _legend(entries: Sequence[Entry]) -> str:
    return ", ".join(f"{_key(place)}{escape(entry.name)}" for place, entry in enumerate(entries))


def _key(place: int) -> str:
    return f'<span class="key c{place % _COLOURS}"></span>'
