"""Cleaning of source texts: the same characters for the same words, and none that a reader cannot see."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import cast

# Control, zero-width, soft-hyphen, bidirectional and tag characters, and halves of surrogate pairs: none can
# be seen, all can hide words from a reader or break an encoder. White space is not among them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """`text` in Unicode NFC with runs of spaces collapsed. Line breaks stay, blank lines become one blank line."""
    lines = [" ".join(_seen(line).split()) for line in text.splitlines()]
    return unicodedata.normalize("NFC", _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip())


def _seen(line: str) -> str:
    # Nearly every line is printable throughout, and asking costs a tenth of the substitution.
    return line if line.isprintable() else _UNSEEN.sub("", line)


def clean_line(text: str) -> str:
    """`text` cleaned as by `clean`, in one line: for names and codes."""
    return " ".join(clean(text).split())


def strings(value: object) -> tuple[str, ...]:
    """The non-empty strings of a JSON value (a string, a number or a list of them), cleaned, each once."""
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    kept = (str(item) for item in items if isinstance(item, str | int) and not isinstance(item, bool))
    return unique(line for line in map(clean_line, kept) if line)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names in order, each once, letter case ignored."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(name.casefold(), name)
    return tuple(kept.values())
