"""Which medicines a conversation may be about: what a tuned distiller chooses from.

Wider than what search takes for a name: a name cut in two ("tami flu") and one that the database lacks are choices
too. The model decides; what it chose is then searched for as any other name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from langchain_core.messages import AnyMessage, HumanMessage

from ..corpora.words import everyday_use, fold
from .rules import named_medicines
from .turn import MedicineSearch

MOST_CHOICES: Final = 16
_JOINED: Final = (2, 3)
_SHORTEST_JOINED: Final = 6
_LONGEST_JOINED: Final = 24
_NEVER_PART: Final = 6.0
"""Zipf frequency from which a word is no part of a name cut in two ("the", "for", "and")."""


class Choice(NamedTuple):
    """One name."""

    said: str
    """As the model is told it, folded: a small model copies more surely than it corrects."""
    name: str
    """What is searched for."""


def medicine_choices(messages: Sequence[AnyMessage], medicines: MedicineSearch) -> list[Choice]:
    """The names that a conversation holds, the last mentioned first; at most `MOST_CHOICES`."""
    found = {m.name: m.name for m in named_medicines(messages, medicines)}
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            for said, name in _joined(message.text, medicines):
                found.setdefault(said, name)
            for name in medicines.unknown_names(message.text):
                found.setdefault(name, name)
    return [Choice(said, name) for said, name in found.items()][:MOST_CHOICES]


def _joined(text: str, medicines: MedicineSearch) -> list[Choice]:
    """Names that two or three neighbouring words make when they are written as one."""
    found: list[Choice] = []
    for clause in re.split(r"[^\w\s'-]+", fold(text)):
        words = re.findall(r"[a-z]+", clause)
        for many in _JOINED:
            for first in range(len(words) - many + 1):
                own = words[first : first + many]
                joined = "".join(own)
                if not _SHORTEST_JOINED <= len(joined) <= _LONGEST_JOINED:
                    continue
                if any(everyday_use(word) >= _NEVER_PART for word in own):
                    continue
                if medicines.mentions(" ".join(own)):
                    continue  # a name of several words, or one beside another word: found as it stands
                named = medicines.mentions(joined)
                if len(named) == 1 and named[0].end - named[0].start == len(joined):
                    found.append(Choice(" ".join(own), named[0].text))
    return found
