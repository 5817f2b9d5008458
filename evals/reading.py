"""Reading data files: JSONL, a JSON list, gzipped or not, and parquet."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UserError
from .statistics import needed


class Row(NamedTuple):
    """One record and where it stands."""

    data: dict[str, Any]
    where: str
    """`FILE:LINE` of JSONL, `FILE, record N` else; for error messages."""


def read_rows(path: Path) -> list[Row]:
    """All records of a file.

    Raises:
        UserError: it can't be read, is empty, or holds something that is no record; named with its line.
        MissingExtra: it is parquet, and pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        return list(_parquet(path))
    text = _text(path)
    if text.lstrip().startswith("["):
        try:
            records = json.loads(text)
        except ValueError as error:
            raise UserError(f"`{path}` is no JSON ({error}): mend it") from None
        rows = [Row(_record(item, where := f"{path}, record {n}"), where) for n, item in enumerate(records, start=1)]
    else:
        rows = list(_lines(path, text))
    if not rows:
        raise UserError(f"`{path}` holds no records: is it the right file?")
    return rows


def sha256_of(path: Path) -> str:
    """The hash of a file's content.

    Raises:
        UserError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"`{path}` cannot be read ({error.strerror}): check its name") from None


def text_field(row: Row, *names: str) -> str:
    """The first of the fields that is there, as text.

    Raises:
        UserError: none is there, or it is no text.
    """
    for name in names:
        value = row.data.get(name)
        if value is not None:
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                return str(value)
            raise UserError(f"{row.where}: `{name}` is no text")
    raise UserError(f"{row.where}: there is no `{names[0]}`; the fields are {', '.join(map(repr, row.data))[:200]}")


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
        return raw.decode("utf-8-sig")
    except (OSError, EOFError) as error:
        raise UserError(f"`{path}` cannot be read ({error}): check its name") from None
    except UnicodeDecodeError as error:
        raise UserError(f"`{path}` is not UTF-8 text (byte {error.start})") from None


def _lines(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{path}:{number}"
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{where} is no JSON ({error}): mend or remove the line") from None
            yield Row(_record(value, where), where)


def _record(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{where} is no record: a record is a JSON object")
    return value


def _parquet(path: Path) -> Iterator[Row]:
    parquet: Any = needed("pyarrow.parquet")
    arrow: Any = needed("pyarrow")
    try:
        table = parquet.ParquetFile(path)
        number = 0
        for batch in table.iter_batches(batch_size=64):
            for record in batch.to_pylist():
                number += 1
                yield Row(record, f"{path}, record {number}")
    except (OSError, arrow.ArrowException) as error:
        raise UserError(f"`{path}` cannot be read as parquet ({str(error).splitlines()[0]})") from None
