"""Reading ranked diagnoses out of a candidate's reply.

JSON, else a numbered list (the last one in the reply: what stands before is often reasoning), a box, bullets, sentences
such as "the most likely diagnosis is". At most five, in order, each once; reasons behind a dash, a colon or in the next
sentence are dropped. Nothing of the reply but these names ever reaches a judge.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict

from ..corpora.words import fold
from ..models.structured import find_object

MOST: Final = 5
_TAIL: Final = 60_000
"""Characters of the end of a reply that are read."""
_LONGEST: Final = 200
"""Characters of a diagnosis; what is longer is an explanation and is cut at its first clause."""
_THINKING: Final = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_NUMBERED: Final = re.compile(
    r"^[\s>*_#]*(?:(?:diagnosis|differential|dx|disease|诊断|no\.?)\s*)?[(\[]?(?P<n>[1-9]\d?)[)\].:、：)]+[\s*_]*(?P<rest>\S.*)$",
    re.IGNORECASE,
)
_BULLET: Final = re.compile(r"^[ \t]*[-*•–·]\s+(?P<rest>\S.*)$")
_BOXED: Final = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\}){1,2000})\}")
_WRAPPED: Final = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\{([^{}]*)\}")
_SAID: Final = re.compile(
    r"(?:most likely|final|leading|primary|working|likely|first)\s+(?:diagnosis|dx)\s*(?:is|would be|remains|:)\s*"
    r"(?P<rest>[^\n.;]{3,200})"
    r"|(?:最可能的?诊断|首先考虑|最终诊断|诊断)\s*(?:是|为|考虑|:|：)\s*(?P<zh>[^\n。；;]{2,100})",
    re.IGNORECASE,
)
_REASON: Final = re.compile(
    r"\s*\\boxed|\s+[-–—]+\s+|\s*[:：;；]\s*|[。]|\.\s+(?=[A-Z])"
    r"|\s*\(\s*(?:score|probability|likelihood|confidence|most likely|~?\d{1,3}\s*%)[^)]*\)"
    r"|,?\s+(?:because|given|due to the|supported by|as evidenced|based on|considering)\b"
    r"|，(?:因为|由于|依据)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(
    r"^(?:(?:most likely|likely|possible|probable|primary|first|second|third|fourth|fifth)?\s*"
    r"(?:diagnosis|differential|dx|disease|condition)(?:\s*(?:name|\d))?|most likely|less likely|likely|诊断|疾病)"
    r"\s*[:：]\s*",
    re.IGNORECASE,
)
_KEYS: Final = ("differential", "diagnoses", "diagnosis", "differential_diagnosis", "answer", "top5", "top_5")


class ReadDifferential(BaseModel):
    """The diagnoses that a reply names."""

    model_config = ConfigDict(frozen=True)
    diagnoses: tuple[str, ...]
    """At most five, the most likely first."""
    how: str
    """`numbered`, `json`, `bullets`, `boxed`, `said`, `lines`, `nothing`."""


def read_differential(text: str) -> ReadDifferential:
    """The ranked diagnoses in a reply; none where it names none."""
    plain = unicodedata.normalize("NFKC", _THINKING.sub("\n", text[-_TAIL:]))
    for how, found in (
        ("json", _from_json(plain)),
        ("numbered", _last_list(plain)),
        ("boxed", _from_boxes(plain)),
        ("bullets", [m["rest"] for line in plain.splitlines() if (m := _BULLET.match(line))]),
        ("said", [m["rest"] or m["zh"] for m in _SAID.finditer(plain)][-1:]),
        ("lines", _short_lines(plain)),
    ):
        if diagnoses := _distinct(found):
            return ReadDifferential(diagnoses=diagnoses, how=how)
    return ReadDifferential(diagnoses=(), how="nothing")


def same_name(a: str, b: str) -> bool:
    """Whether two names of a diagnosis are one, by their words alone: case, punctuation and brackets don't count."""
    return name_key(a) == name_key(b)


def name_key(name: str) -> str:
    """A name as names are compared."""
    return " ".join(re.findall(r"\w+", fold(name)))


def _last_list(text: str) -> list[str]:
    """The entries of the last numbered list that begins with 1."""
    lists: list[list[str]] = []
    for line in text.splitlines():
        match = _NUMBERED.match(line)
        if match is None:
            continue
        if match["n"] == "1":
            lists.append([])
        if lists and int(match["n"]) == len(lists[-1]) + 1:
            lists[-1].append(match["rest"])
    return lists[-1] if lists else []


def _from_json(text: str) -> list[str]:
    if "{" not in text and "[" not in text:
        return []
    found: Any = None
    if any(f'"{key}"' in text for key in _KEYS):
        found = find_object(text)
    elif text.strip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
    if isinstance(found, dict):
        held = cast("dict[str, Any]", found)
        found = next((held[key] for key in _KEYS if key in held), None)
    if isinstance(found, str):
        return [found]
    if not isinstance(found, list):
        return []
    return [name for item in cast("list[Any]", found) if (name := _name_in(item))]


def _name_in(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        held = cast("dict[str, Any]", item)
        return next((str(held[key]) for key in ("diagnosis", "name", "disease", "condition") if held.get(key)), "")
    return ""


def _from_boxes(text: str) -> list[str]:
    boxes = [_WRAPPED.sub(r"\1", box) for box in _BOXED.findall(text)]
    named = [box for box in boxes if re.search(r"[^\W\d]{3,}|[\u4e00-\u9fff]{2,}", box)]
    if not named:
        return []
    parts = re.split(r"[;；\n]|\s*\d[.)]\s*", named[-1])
    return [part for part in parts if part.strip()] if len(named) == 1 or len(parts) > 1 else named


def _short_lines(text: str) -> list[str]:
    """A reply of nothing but names, one a line."""
    lines = [line for line in text.splitlines() if line.strip()]
    most = 8 if len(lines) > 1 else 6
    names = 0 < len(lines) <= MOST and all(len(line.split()) <= most and line[-1:] not in "?？" for line in lines)
    return lines if names else []


def _distinct(found: Sequence[str]) -> tuple[str, ...]:
    names: dict[str, str] = {}
    for name in _cleaned(found):
        names.setdefault(name_key(name), name)
        if len(names) == MOST:
            break
    return tuple(names.values())


def _cleaned(found: Sequence[str]) -> Iterator[str]:
    for entry in found:
        bare = _LABEL.sub("", re.sub(r"[*_`#]+", "", entry).strip())
        name = _REASON.split(bare, maxsplit=1)[0] if bare else ""
        name = name.strip(" .,;:，。；：\"'“”").strip()[:_LONGEST]
        if name_key(name) and re.search(r"[^\W\d_]{2,}", name):
            yield name
