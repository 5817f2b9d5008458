"""From a source on disk to a store: what `wardround patients import` does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from ...errors import UserError
from ..sources.problems import Problems, RowError
from .sources import NAMES, read_source
from .writing import Added, StoreWriter

Progress = Callable[[str, int], None]
"""Told what is being done and how many studies are done."""


class Imported(NamedTuple):
    """A finished import."""

    new: int
    changed: int
    same: int
    """Studies that were there already, as they are now."""
    problems: Problems
    """What was left out, with its place."""


def import_patients(
    source: str,
    path: Path,
    out: Path,
    *,
    reports: Path | None = None,
    scene_graphs: Path | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Read `path` as `source` into the store `out`, making it if it isn't there.

    Doing it again changes nothing; after a break it goes on where it was, because studies that are there already are
    only compared. Studies that left the source stay.

    Raises:
        UserError: nothing could be read, or an option does not fit.
        CorpusError: `out` is something else.
    """
    problems = Problems()
    found = read_source(source, path, problems, reports=reports, scene_graphs=scene_graphs)
    first = list(islice(found, 1))  # what isn't there is said before a file is made
    counted: Counter[Added] = Counter()
    folder = path if path.is_dir() else path.parent
    with StoreWriter(out, source=NAMES[source], folder=folder) as writer:
        for each in chain(first, found):
            try:
                if each.study:
                    counted[writer.add_study(each.study, each.report, sex=each.sex, year=each.birth_year)] += 1
                elif each.patient:
                    writer.add_conditions(each.patient, each.conditions)
            except RowError as error:
                what = each.study.id if each.study else each.patient
                problems.add(each.file, each.line, f"{error}: {what}")
            if progress:
                progress("studies", counted.total())
    if not counted and len(problems):
        raise UserError(f"no study could be read from `{path}`: {problems.first_since(0)}")
    return Imported(counted[Added.NEW], counted[Added.CHANGED], counted[Added.SAME], problems)
