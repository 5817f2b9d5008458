"""Is every dialogue its own, taken from nobody, about nobody? Each function gives one line a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from ...corpora.words import fold, word_runs
from ...errors import UserError
from ...models.encoders import Encoder
from .items import Dialogue

RUN: Final = 8
"""Two texts that share so many words in a row are not independent."""
_OPENING: Final = 5
"""Words at the start of a dialogue that no other starts with."""
_SHORT: Final = 4
"""A real question of so many words or more must not stand in a dialogue as a whole."""
NEAR: Final = 0.93
"""Dialogues with a larger cosine of their vectors tell the same story."""


def _words(text: str) -> list[str]:
    return [run for run, _, _ in word_runs(fold(text))]


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def repeat_faults(dialogues: Sequence[Dialogue]) -> Iterator[str]:
    """Two dialogues that open alike or share a run of words."""
    opened: dict[tuple[str, ...], str] = {}
    said: dict[tuple[str, ...], str] = {}
    for d in dialogues:
        opening = tuple(_words(d.dialogue[0].content)[:_OPENING])
        if (other := opened.setdefault(opening, d.id)) != d.id:
            yield f"{d.id}: opens as {other} does: `{' '.join(opening)}`"
        runs = {run for turn in d.dialogue for run in _runs(turn.content)}
        shared = {said[run]: run for run in sorted(runs) if run in said}
        for other, run in shared.items():
            yield f"{d.id}: shares with {other}: `{' '.join(run)}`"
        for run in runs:
            said.setdefault(run, d.id)


def near_faults(dialogues: Sequence[Dialogue], encoder: Encoder) -> Iterator[str]:
    """Two dialogues whose vectors are nearly the same."""
    import numpy as np

    vectors = encoder.encode([d.text for d in dialogues], kind="passage")
    likeness = np.triu(vectors @ vectors.T, 1)
    for i, j in np.argwhere(likeness > NEAR).tolist():
        yield f"{dialogues[j].id}: as near to {dialogues[i].id} as {likeness[i, j]:.3f} (`{encoder.name}`)"


def overlap_faults(dialogues: Sequence[Dialogue], real: Path) -> Iterator[str]:
    """A dialogue that holds a real question, or shares a run of words with one.

    `real` is a folder with question sets: all texts in its JSON, JSONL and text files count.

    Raises:
        UserError: there is no such folder, or no text in it.
    """
    texts = list(_texts(real))
    if not texts:
        raise UserError(f"`{real}` holds no .json, .jsonl or .txt file with text: name a folder with question sets")
    runs: set[tuple[str, ...]] = set()
    whole: set[str] = set()
    for text in texts:
        words = _words(text)
        runs |= _runs(text)
        if _SHORT <= len(words) < RUN:
            whole.add(" ".join(words))
    for d in dialogues:
        for turn in d.dialogue:
            words = _words(turn.content)
            for run in sorted(_runs(turn.content) & runs)[:1]:
                yield f"{d.id}: shares with a real question: `{' '.join(run)}`"
            spans = (words[i : i + n] for n in range(_SHORT, RUN) for i in range(len(words) - n + 1))
            for text in sorted({" ".join(span) for span in spans} & whole):
                yield f"{d.id}: holds a real question: `{text}`"


def _texts(real: Path) -> Iterator[str]:
    for path in sorted(real.rglob("*")) if real.is_dir() else ():
        if path.suffix in (".jsonl", ".json", ".txt") and path.is_file():
            content = path.read_text(encoding="utf-8", errors="replace")
            for piece in [content] if path.suffix == ".json" else content.split("\n"):
                try:
                    yield from _strings(json.loads(piece))
                except ValueError:  # plain text
                    yield piece


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        inner: Iterable[object] = value.values() if isinstance(value, dict) else value
        for each in inner:
            yield from _strings(each)


_SURNAMES: Final = (
    "Adams Ahmed Ali Allen Anderson Andersson Bailey Bakker Bennett Brooks Campbell Carter Chen Clarke Collins Cooper "
    "Cox Davies Davis Diaz Edwards Evans Fernandez Fischer Flores Garcia Gomez Gonzalez Green Griffiths Gupta Hall "
    "Hansen Harris Hernandez Hoffmann Hughes Ivanov Jackson James Johnson Jones Kelly Khan Kim Kowalski Kumar Lee "
    "Lewis Li Lopez Martin Martinez Meyer Miller Mitchell Moore Morgan Morris Muller Müller Murphy Murray Nelson "
    "Nguyen Novak O'Brien O'Connor Patel Perez Peterson Phillips Ramirez Reyes Richardson Rivera Roberts Robinson "
    "Rodriguez Rogers Rossi Ryan Sanchez Schmidt Schneider Scott Sharma Silva Singh Smith Stewart Sullivan Taylor "
    "Thomas Thompson Torres Turner Walker Wang Watson Weber Williams Wilson Wong Wood Wright Yang Young Zhang".split()
)
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_PERSONAL: Final = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.\w{2,}"),
    "a web address": re.compile(r"(?i)\bhttps?://|\bwww\.\w"),
    "a phone number": re.compile(r"(?<![\w.])\+?\(?\d{2,5}\)?[ ./-]?\d{3,4}[ ./-]?\d{3,6}(?!\w|%|[.]\d)"),
    "an address": re.compile(
        r"\b\d{1,5}[a-z]?,? (?:[A-Z][a-z]+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Close|Way|Blvd|Court)\b"
        r"|\b[A-Z][a-zß]+(?:straße|strasse|weg) \d{1,4}\b|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b[A-Z]{2} \d{5}\b"
    ),
    "a date of birth": re.compile(
        r"(?i)\b(?:born|dob|date of birth|birthday)\b.{0,20}\d{4}"
        rf"|\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d{{1,2}}[./]\d{{1,2}}[./](?:19|20)\d\d\b"
        rf"|\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH},? (?:19|20)\d\d\b|\b{_MONTH} \d{{1,2}},? (?:19|20)\d\d\b"
    ),
    "a number of a person": re.compile(r"\b\d{3}-\d{2}-\d{4}\b|\b(?:MRN|NHS (?:no|number))\W{0,3}\d"),
    "a full name": re.compile(rf"\b(?!Mrs?\b|Ms\b|Dr\b)[A-Z][a-z]+ (?:{'|'.join(_SURNAMES)})\b"),
}


def personal_faults(dialogues: Iterable[Dialogue]) -> Iterator[str]:
    """What looks like a person's data: addresses, numbers, dates of birth, first and last name together."""
    for d in dialogues:
        for text in (*(turn.content for turn in d.dialogue), d.answer_note):
            for what, pattern in _PERSONAL.items():
                if found := pattern.search(text):
                    yield f"{d.id}: looks like {what}: `{found.group()}`"
