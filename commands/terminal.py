"""What the commands show to people. Text of others is shown as text, never read as markup or control codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ..corpora import Hit, Manifest
    from ..corpora.sources import Problems
    from ..models import KnownModel

_SNIPPET = 160
_PROBLEMS_SHOWN = 5


def out() -> Console:
    """The console on stdout."""
    return Console(highlight=False, soft_wrap=True)


def err() -> Console:
    """The console on stderr, for progress and notes."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def clean(text: str) -> Text:
    """Foreign text without control characters, never interpreted."""
    return Text("".join(c for c in text if c in "\n\t" or c.isprintable()))


def say(text: str) -> None:
    """One line of news on stderr."""
    err().print(clean(text))


@contextmanager
def counting() -> Generator[Callable[[str, int], None]]:
    """A progress line for work whose end isn't known: told what is being done and how many are done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    console = err()  # in a pipe even an empty display would leave a line
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, done: bar.update(task, description=what, completed=done)


@contextmanager
def downloading() -> Generator[Callable[[str, int, int], None]]:
    """A progress line for downloads: told the file's name, the bytes here and the bytes in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    console = err()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, int] = {}

        def update(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(bar.task_ids[list(tasks).index(name)], completed=done)

        yield update


def show_hits(query: str, hits: Sequence[Hit]) -> None:
    """A table of search results."""
    if not hits:
        out().print(clean(f"nothing found for “{query}”"))
        return
    table = Table("", "medicine", "subject", "text", "date", title_justify="left", pad_edge=False, box=None)
    for n, hit in enumerate(hits, start=1):
        p = hit.passage
        snippet = " ".join(p.text.split())
        shown = snippet if len(snippet) <= _SNIPPET else snippet[:_SNIPPET] + "…"
        table.add_row(str(n), clean(p.medicine), p.attribute.label, clean(shown), p.source.date or "date unknown")
    Console(highlight=False).print(table)


def show_manifest(directory: Path, manifest: Manifest) -> None:
    """What an index holds."""
    console = out()
    console.print(clean(f"{directory}"))
    console.print(f"  {manifest.medicines:,} medicines, {manifest.passages:,} passages, written {manifest.created}")
    console.print(f"  content sha256 {manifest.content_sha256}")
    size = sum(bytes_ for bytes_, _ in manifest.files.values())
    console.print(f"  {size / 1e6:,.1f} MB on disk, format {manifest.format}")
    for used in manifest.sources:
        console.print(
            clean(f"  {used.source}: {used.path}, {used.medicines:,} medicines, {used.problems:,} rows skipped")
        )


def show_problems(problems: Problems, directory: Path) -> None:
    """The first rows that were skipped, and where the others stand."""
    if not len(problems):
        return
    for problem in problems.kept[:_PROBLEMS_SHOWN]:
        where = f"{problem.file}:{problem.line}" if problem.line else problem.file
        say(f"skipped {where}: {problem.reason}")
    say(f"{len(problems):,} rows were skipped; see {directory / 'problems.jsonl'}")


def show_models(models: Iterable[KnownModel], present: set[str]) -> None:
    """The models that can be pulled."""
    table = Table("model", "here", "MB", "licence", "what it is", box=None, pad_edge=False)
    for model in models:
        here = "yes" if model.name in present else "no"
        table.add_row(model.name, here, f"{model.size / 1e6:.0f}", model.licence, model.summary)
    Console(highlight=False).print(table)


def is_interactive() -> bool:
    """Whether a person sits at the terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()
