"""Any table of medicines: CSV, TSV or JSONL, with a small JSON file that says which column is what."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import UserError
from ..medicines import Attribute, Codes, Medicine, Names, SourceRef
from .cleaning import clean, clean_line, unique
from .problems import Problems, RowError
from .rows import Row, json_rows, lines, medicines, opened

MAPPING_SUFFIX = ".mapping.json"


class TableMapping(BaseModel):
    """Which column of a table holds what. Columns are named as in the header (JSONL: as the keys)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The name shown to people. Required in every row."""
    id: str | None = None
    """A stable, unique id. Without it the id is made of name and form, which then must be unique together."""
    generic: str | None = None
    """Generic names. Unset: the name counts as the generic name."""
    substances: str | None = None
    brands: str | None = None
    aliases: str | None = None
    separator: str = Field(default=";", min_length=1)
    """Stands between several names, codes, routes or classes in one cell."""
    form: str | None = None
    route: str | None = None
    classes: str | None = None
    rxcui: str | None = None
    unii: str | None = None
    atc: str | None = None
    version: str | None = None
    date: str | None = None
    """The day of the text. A cell that does not follow `date_format` makes the row a problem."""
    date_format: str = "%Y-%m-%d"
    """As for Python's `strptime`."""
    attributes: dict[Attribute, str | tuple[str, ...]] = Field(min_length=1)
    """Attribute -> its column, or several columns whose texts are joined by a blank line."""
    encoding: Literal["utf-8", "gb18030", "cp1252"] = "utf-8"
    """Of CSV and TSV. JSONL is UTF-8."""

    def columns(self) -> tuple[str, ...]:
        """Every column that is named, once."""
        single = (self.name, self.id, self.generic, self.substances, self.brands, self.aliases, self.form)
        more = (self.route, self.classes, self.rxcui, self.unii, self.atc, self.version, self.date)
        texts = (column for value in self.attributes.values() for column in _several(value))
        return tuple(dict.fromkeys(column for column in (*single, *more, *texts) if column))


def read(path: Path, problems: Problems, mapping: Path | None = None) -> Iterator[Medicine]:
    """The medicines in `path`, one a row, with id `table:<id>`.

    `mapping` is the file with the `TableMapping`; unset, it is `<name of the table>.mapping.json` beside it.
    The table's kind follows from its name: `.csv`, `.tsv`, `.jsonl`, each also with `.gz`. A CSV cell may hold
    128 KiB; longer texts need JSONL. UserError where the mapping is missing, wrong, or names no column of the
    table.
    """
    names = read_mapping(mapping or path.with_name(path.name + MAPPING_SUFFIX))
    kind = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    if kind in ("csv", "tsv"):
        rows = _cells(path, names, "," if kind == "csv" else "\t", problems)
    elif kind == "jsonl":
        rows = json_rows(path, problems)
    else:
        raise UserError(f"`{path}` is no table: give a .csv, .tsv or .jsonl file (each may be gzipped)")
    return medicines(path, rows, _maker(names), problems)


def read_mapping(path: Path) -> TableMapping:
    """The mapping in the JSON file `path`; UserError where it is missing or wrong."""
    try:
        return TableMapping.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"cannot read the table's mapping `{path}` ({error.strerror}): docs/sources.md shows one"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"`{path}`: `{place}`: {first['msg']} (docs/sources.md shows a mapping)") from error


def _cells(path: Path, mapping: TableMapping, delimiter: str, problems: Problems) -> Iterator[Row]:
    with opened(path, problems) as file:
        numbered = lines(path, file, problems, mapping.encoding)
        at = 0

        def texts() -> Iterator[str]:
            nonlocal at
            for at, line in numbered:  # noqa: B007
                yield line

        reader = csv.reader(texts(), delimiter=delimiter, strict=True)
        header: list[str] | None = None
        while True:
            begin = at + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                problems.add(path, begin, f"not a row of cells: {error}")
                continue
            if row is None:
                return
            if header is None:
                header = [clean_line(cell) for cell in row]
                _check_columns(path, mapping, header)
            elif row and len(row) != len(header):
                problems.add(path, begin, f"wrong number of cells: {len(row)} under a header of {len(header)}")
            elif row:
                yield Row(begin, dict(zip(header, row, strict=True)))


def _check_columns(path: Path, mapping: TableMapping, header: list[str]) -> None:
    if missing := [column for column in mapping.columns() if column not in header]:
        raise UserError(
            f"`{path}` has no column `{missing[0]}` that its mapping names; it has {', '.join(header)[:500]}"
        )


def _maker(mapping: TableMapping) -> Callable[[dict[str, object]], Medicine]:
    def cell(row: dict[str, object], column: str | None) -> str:
        value = row.get(column) if column else None
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def listed(row: dict[str, object], column: str | None) -> tuple[str, ...]:
        value = row.get(column) if column else None
        parts = cast("list[object]", value) if isinstance(value, list) else cell(row, column).split(mapping.separator)
        return unique(name for part in parts if (name := clean_line(str(part))))

    def make(row: dict[str, object]) -> Medicine:
        if not (name := clean_line(cell(row, mapping.name))):
            raise RowError(f"no name in column: `{mapping.name}`")
        form = clean_line(cell(row, mapping.form)) or None
        key = clean_line(cell(row, mapping.id)) if mapping.id else "-".join(filter(None, (name, form)))
        if not key:
            raise RowError(f"no id in column: `{mapping.id}`")
        key = re.sub(r"[\s#]+", "_", key)
        texts = {
            attribute: text
            for attribute, columns in mapping.attributes.items()
            if (text := "\n\n".join(filter(None, (clean(cell(row, column)) for column in _several(columns)))))
        }
        if not texts:
            raise RowError("no text in any mapped column")
        return Medicine(
            id=f"table:{key}",
            names=Names(
                display=name,
                generic=listed(row, mapping.generic) or (name,),
                substances=listed(row, mapping.substances),
                brands=listed(row, mapping.brands),
                aliases=listed(row, mapping.aliases),
            ),
            form=form,
            route=listed(row, mapping.route),
            classes=listed(row, mapping.classes),
            codes=Codes(rxcui=listed(row, mapping.rxcui), unii=listed(row, mapping.unii), atc=listed(row, mapping.atc)),
            source=SourceRef(
                name="table",
                id=key,
                version=clean_line(cell(row, mapping.version)) or None,
                date=_date(clean_line(cell(row, mapping.date)), mapping.date_format),
            ),
            texts=texts,
            source_labels={attribute: " + ".join(_several(mapping.attributes[attribute])) for attribute in texts},
        )

    return make


def _date(text: str, form: str) -> str | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007
    except ValueError:
        raise RowError(f"not a date as `{form}`: {text[:40]}") from None


def _several(columns: str | tuple[str, ...]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else columns
