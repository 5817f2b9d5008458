"""Where medicines come from: one module a source, each with its mapping and a `read(path, problems)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from ...errors import UserError
from ..medicines import Medicine
from . import monographs_zh, openfda, passages, table
from .problems import Problem, Problems

__all__ = ["SOURCES", "Problem", "Problems", "read_source"]

Reader = Callable[[Path, Problems], Iterator[Medicine]]

SOURCES: Mapping[str, Reader] = {
    "openfda": openfda.read,
    "monographs-zh": monographs_zh.read,
    "passages": passages.read,
    "table": table.read,
}
"""The readers by the names that the command line takes."""

_SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".json.gz", ".jsonl.gz", ".csv.gz", ".tsv.gz", ".zip")


def read_source(name: str, path: Path, problems: Problems, *, mapping: Path | None = None) -> Iterator[Medicine]:
    """The medicines in `path`, a file or a folder of files, read as source `name`; ids are unique.

    `mapping` is the table's mapping file where it does not lie beside the table. Rows that cannot be read are
    added to `problems`. UserError where the source is unknown, the path is missing, or not one row of a file
    could be read.
    """
    if name not in SOURCES:
        raise UserError(f"unknown source `{name}`: take one of {', '.join(f'`{each}`' for each in SOURCES)}")
    if mapping and name != "table":
        raise UserError(f"source `{name}` takes no mapping file `{mapping}`: only `table` does")
    reader = partial(table.read, mapping=mapping) if mapping else SOURCES[name]
    return _read(name, reader, _files(path), problems)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if _is_data(file))
        if not files:
            raise UserError(f"no file in `{path}` ends with one of {', '.join(_SUFFIXES)}")
        return files
    if not path.exists():
        raise UserError(f"no such file: `{path}`")
    return [path]


def _is_data(file: Path) -> bool:
    return file.is_file() and file.name.endswith(_SUFFIXES) and not file.name.endswith(table.MAPPING_SUFFIX)


def _read(name: str, reader: Reader, files: list[Path], problems: Problems) -> Iterator[Medicine]:
    seen: set[str] = set()
    for file in files:
        before, any_read = len(problems), False
        for medicine in reader(file, problems):
            any_read = True
            if medicine.id in seen:
                problems.add(file, 0, f"second medicine of the same id: {medicine.id}")
                continue
            seen.add(medicine.id)
            yield medicine
        if not any_read:
            reason = problems.first_since(before) or "it holds no rows"
            raise UserError(f"no medicine could be read from `{file}` as source `{name}`: {reason}")
