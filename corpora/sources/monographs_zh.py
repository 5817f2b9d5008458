"""Chinese medicine monographs: JSONL, one medicine a line: `{"name": ..., "sections": {"适应证": ..., ...}}`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from ..medicines import Attribute, Medicine, Names, SourceRef
from .attributes import resolve
from .cleaning import clean, clean_line, unique
from .forms import form_of_chinese_name, forms_listed
from .problems import Problems, RowError
from .rows import json_rows, medicines

_ENGLISH, _ALIASES, _CLASS, _FORMS = "英文名", "别名", "药品类型", "剂型"
_SEPARATOR = re.compile(r"\s*[；;、，\n]\s*")


def read(path: Path, problems: Problems) -> Iterator[Medicine]:
    """The monographs in `path`, one Medicine each.

    The id is `monographs-zh:<name>-<hash>`, with a short hash of the row's content: several monographs share a
    name, and an id must not depend on which rows stand before it.
    """
    return medicines(path, json_rows(path, problems), _medicine, problems)


def _medicine(row: dict[str, object]) -> Medicine:
    name = clean_line(str(row.get("name") or ""))
    if not name:
        raise RowError("no `name`")
    raw = row.get("sections")
    if not isinstance(raw, dict):
        raise RowError(f"`sections` is not an object: {type(raw).__name__}")
    sections = {
        clean_line(key): clean(value)
        for key, value in cast("Mapping[str, object]", raw).items()
        if isinstance(value, str) and clean(value)
    }
    parts: dict[Attribute, list[str]] = {}
    labels: dict[Attribute, list[str]] = {}
    for key, text in sections.items():
        if key in (_ENGLISH, _ALIASES, _CLASS):
            continue
        attribute = resolve(key) or Attribute.OTHER
        parts.setdefault(attribute, []).append(text)
        labels.setdefault(attribute, []).append(key)
    if not parts:
        raise RowError("no text in any section")
    digest = hashlib.sha256(json.dumps([name, sections], ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    key = re.sub(r"[\s#]+", "_", name) + "-" + digest[:8]
    form = form_of_chinese_name(name) or _only(forms_listed(sections.get(_FORMS, "")))
    bare = re.sub(r"[\[\]【】]", "", name)
    others = _SEPARATOR.split(sections.get(_ENGLISH, "")) + _SEPARATOR.split(sections.get(_ALIASES, ""))
    return Medicine(
        id=f"monographs-zh:{key}",
        names=Names(
            display=name,
            generic=unique((name, bare)),
            aliases=tuple(each for each in unique(clean_line(o) for o in others) if each and each not in (name, bare)),
        ),
        form=form,
        classes=tuple(each for each in _SEPARATOR.split(sections.get(_CLASS, "")) if each),
        source=SourceRef(name="monographs-zh", id=key),
        texts={attribute: "\n\n".join(texts) for attribute, texts in parts.items()},
        source_labels={attribute: " + ".join(keys) for attribute, keys in labels.items()},
    )


def _only(forms: tuple[str, ...]) -> str | None:
    return forms[0] if len(forms) == 1 else None
