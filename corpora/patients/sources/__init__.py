"""Where patient records come from: one module a source, each with a `read(path, problems)` that yields `Found`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ....errors import UserError
from ...sources.problems import Problems
from . import fhir, jsonl, mimic
from .found import Found

__all__ = ["NAMES", "Found", "read_source"]

NAMES = {"mimic": mimic.NAME, "fhir": fhir.NAME, "jsonl": jsonl.NAME}
"""The sources by the names that the command line takes, and the names that studies carry."""


def read_source(
    name: str, path: Path, problems: Problems, *, reports: Path | None = None, scene_graphs: Path | None = None
) -> Iterator[Found]:
    """The studies in `path`, read as source `name`. What cannot be read is added to `problems`.

    `reports` and `scene_graphs` are for `mimic`, where those lie elsewhere.

    Raises:
        UserError: an unknown source, a missing path, an option that the source does not have.
    """
    if name not in NAMES:
        raise UserError(f"unknown source `{name}`: take one of {', '.join(f'`{each}`' for each in NAMES)}")
    for other in filter(None, (path, reports, scene_graphs)):
        if not other.exists():
            raise UserError(f"no such file or folder: `{other}`")
    if name == "mimic":
        return mimic.read(path, problems, reports=reports, scene_graphs=scene_graphs)
    if reports or scene_graphs:
        raise UserError(f"`--reports` and `--scene-graphs` belong to `--source mimic`, not to `{name}`")
    return fhir.read(path, problems) if name == "fhir" else jsonl.read(path, problems)
