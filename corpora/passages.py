"""Cutting a medicine's texts into passages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .medicines import Attribute, Medicine, Passage, SourceRef

MAX_CHARACTERS: Final = 1600
"""A longer text is cut. Long enough for a whole section of a leaflet, short enough that six fit a small model."""
_BREAKS: Final = (re.compile(r"\n"), re.compile(r"[.!?。！？；]['\")\]]?\s+|[。！？；]"), re.compile(r"\s"))


def spans(text: str, limit: int = MAX_CHARACTERS) -> Iterator[tuple[int, int]]:
    """Cut `text` into pieces of at most `limit` characters; (start, end) of each, without the white space around it.

    Cuts fall at a paragraph, else after a sentence, else between words, as late as the limit allows but not in the
    first half of a piece; only text without any of them is cut at the limit itself.
    """
    start, size = 0, len(text)
    while start < size:
        if text[start].isspace():
            start += 1
            continue
        end = size if size - start <= limit else _cut(text, start, limit)
        stop = end
        while text[stop - 1].isspace():
            stop -= 1
        yield start, stop
        start = end


def _cut(text: str, start: int, limit: int) -> int:
    for pattern in _BREAKS:
        last = None
        for match in pattern.finditer(text, start + limit // 2, start + limit):
            last = match.end()
        if last is not None:
            return last
    return start + limit


def source_of(medicine: Medicine, attribute: Attribute) -> SourceRef:
    """The document that a medicine's text on `attribute` was taken from."""
    return medicine.text_sources.get(attribute, medicine.source)


def passage_id(medicine_id: str, attribute: Attribute, part: int) -> str:
    """`<medicine id>#<attribute>`, with `.2`, `.3` ... from the second part on (`part` counts from 0)."""
    return f"{medicine_id}#{attribute}" + (f".{part + 1}" if part else "")


def passages_of(medicine: Medicine) -> Iterator[Passage]:
    """All passages of a medicine, by attribute and then by offset."""
    for attribute, text in medicine.texts.items():
        for part, (start, end) in enumerate(spans(text)):
            yield Passage(
                id=passage_id(medicine.id, attribute, part),
                medicine_id=medicine.id,
                medicine=medicine.names.display,
                attribute=attribute,
                text=text[start:end],
                start=start,
                end=end,
                source=source_of(medicine, attribute),
                source_label=medicine.source_labels.get(attribute),
            )
