"""From inputs on disk to an index: what `wardround corpus build` and `corpus add` do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import UserError
from .index import Manifest, Progress, SourceUsed, change_index, write_index
from .medicines import Medicine
from .sources import SOURCES, Problems, read_source
from .sources.essential import essential_sha256, read_essential

PROBLEMS_FILE = "problems.jsonl"


class Input(NamedTuple):
    """A source's name and where its data lies."""

    source: str
    path: Path


class Built(NamedTuple):
    """A finished build."""

    manifest: Manifest
    problems: Problems
    """Rows that were skipped; also in `problems.jsonl` beside the index."""


def pair_inputs(sources: Sequence[str], paths: Sequence[Path]) -> list[Input]:
    """Sources and paths given in pairs.

    Raises:
        UserError: not as many of one as of the other, an unknown source, a path that does not exist.
    """
    if not sources or len(sources) != len(paths):
        raise UserError(
            f"{len(sources)} `--source` and {len(paths)} `--input` were given: give them in pairs, one of each an input"
        )
    for source, path in zip(sources, paths, strict=True):
        if source not in SOURCES:
            raise UserError(f"unknown source `{source}`: take one of {', '.join(f'`{s}`' for s in SOURCES)}")
        if not path.exists():
            raise UserError(f"no such file: `{path}`")
    return [Input(s, p) for s, p in zip(sources, paths, strict=True)]


def build_corpus(
    inputs: Sequence[Input],
    out: Path,
    *,
    mapping: Path | None = None,
    shipped: bool = False,
    progress: Progress | None = None,
) -> Built:
    """Read `inputs` and write an index of all their medicines to `out`, replacing one that is there.

    With `shipped` the package's own medicines come after them.

    Raises:
        UserError: an input of which nothing could be read; `out` stays as it was.
    """
    reading = _Reading(inputs, mapping, shipped=shipped)
    manifest = write_index(out, reading.medicines(), sources=reading.used, progress=progress)
    return reading.finished(out, manifest)


def add_to_corpus(
    inputs: Sequence[Input], directory: Path, *, mapping: Path | None = None, progress: Progress | None = None
) -> Built:
    """Add the medicines of `inputs` to an index; those with an id it has already replace the old ones."""
    reading = _Reading(inputs, mapping)
    manifest = change_index(directory, add=reading.medicines(), sources=reading.used, progress=progress)
    return reading.finished(directory, manifest)


class _Reading:
    """Reads the inputs one after the other and keeps count."""

    def __init__(self, inputs: Sequence[Input], mapping: Path | None, *, shipped: bool = False) -> None:
        self._inputs = inputs
        self._mapping = mapping
        self._shipped = shipped
        self._used: list[SourceUsed] = []
        self.problems = Problems()

    def medicines(self) -> Iterator[Medicine]:
        for source, path in self._inputs:
            count, problems_before = 0, len(self.problems)
            for medicine in read_source(source, path, self.problems, mapping=self._mapping):
                count += 1
                yield medicine
            self._used.append(
                SourceUsed(
                    source=source,
                    path=str(path),
                    sha256=_digest(path),
                    medicines=count,
                    problems=len(self.problems) - problems_before,
                )
            )

        if self._shipped:
            medicines = list(read_essential())
            yield from medicines
            self._used.append(shipped_used(len(medicines)))

    def used(self) -> tuple[SourceUsed, ...]:
        return tuple(self._used)

    def finished(self, out: Path, manifest: Manifest) -> Built:
        self.problems.write_jsonl(out / PROBLEMS_FILE)
        return Built(manifest, self.problems)


def shipped_used(medicines: int) -> SourceUsed:
    """The shipped corpus as a source, for a manifest."""
    return SourceUsed(source="essential", path="shipped", sha256=essential_sha256(), medicines=medicines, problems=0)


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
