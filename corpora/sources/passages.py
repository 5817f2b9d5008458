"""A pool of passages: JSONL, one a line: `{"medicine": ..., "attribute": ..., "text": ...}`.

The shape in which question sets such as MedicineQA (arXiv 2404.17897) publish what their questions refer to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..medicines import Attribute, Medicine, Names, SourceRef
from .attributes import resolve
from .cleaning import clean, clean_line
from .forms import form_of_chinese_name, form_of_label
from .problems import Problems
from .rows import json_rows

_FIELDS = ("medicine", "attribute", "text")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def read(path: Path, problems: Problems) -> Iterator[Medicine]:
    """The medicines in `path` with id `passages:<name>`, in the order in which their names first occur.

    Rows of one medicine may stand anywhere in the file, so the file's texts are held in memory. Several texts
    for one attribute are joined by a blank line, equal ones once. A row whose attribute has an unknown name is
    kept under `other`, with that name as its source label.
    """
    texts: dict[str, dict[Attribute, list[str]]] = {}
    labels: dict[str, dict[Attribute, list[str]]] = {}
    for line, row in json_rows(path, problems):
        missing = [field for field in _FIELDS if not isinstance(row.get(field), str)]
        if missing:
            problems.add(path, line, f"no text in field: `{missing[0]}`")
            continue
        name, label, text = clean_line(str(row["medicine"])), clean_line(str(row["attribute"])), clean(str(row["text"]))
        empty = [field for field, value in zip(_FIELDS, (name, label, text), strict=True) if not value]
        if empty:
            problems.add(path, line, f"empty field: `{empty[0]}`")
            continue
        attribute = resolve(label) or Attribute.OTHER
        for table, value in ((texts, text), (labels, label)):
            values = table.setdefault(name, {}).setdefault(attribute, [])
            if value not in values:
                values.append(value)
    for name, by_attribute in texts.items():
        key = re.sub(r"[\s#]+", "_", name)
        yield Medicine(
            id=f"passages:{key}",
            names=Names(display=name, generic=(name,)),
            form=form_of_chinese_name(name) if _CHINESE.search(name) else form_of_label((), (name,)),
            source=SourceRef(name="passages", id=key),
            texts={attribute: "\n\n".join(parts) for attribute, parts in by_attribute.items()},
            source_labels={attribute: " + ".join(parts) for attribute, parts in labels[name].items()},
        )
