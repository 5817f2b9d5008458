"""When are two medicines the same, for scoring? Brand, salt and dosage form are resolved before comparing.

The rule. A medicine of the corpus is its set of active substances, each without its salt. A name stands for every
medicine of the corpus that has it as a brand, generic, substance or other name, once salt and dosage-form words are
dropped on both sides. Two are the same if they have the same set: "Advil" and "ibuprofen tablets" are, "amoxicillin"
and "amoxicillin and clavulanate" are not. Where substances are not given, as in Chinese monographs, the name without
salt and dosage form decides. Where the gold names a label, that label's substances are meant.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from ..corpora.medicines import Medicine
from ..corpora.names import core

Identity = frozenset[str]
"""Substances without salts; of a medicine without any, its name without salt and form."""
_AND: Final = re.compile(r"\s+and\s+|\s*[/+,;]\s*")


class SameMedicine:
    """Tells which medicines of a corpus a name, a label or an id stands for."""

    def __init__(self, medicines: Iterable[Medicine]) -> None:
        """Reads the names of all `medicines` once."""
        self._by_id: dict[str, Identity] = {}
        self._by_label: dict[str, set[Identity]] = defaultdict(set)
        self._by_name: dict[str, set[Identity]] = defaultdict(set)
        for medicine in medicines:
            names = medicine.names
            identity = frozenset(filter(None, map(core, names.substances))) or frozenset({core(names.display)})
            self._by_id[medicine.id] = identity
            self._by_label[medicine.source.id].add(identity)
            for name in (names.display, *names.brands, *names.generic, *names.aliases):
                self._by_name[core(name)].add(identity)
            if len(names.substances) == 1:
                self._by_name[core(names.substances[0])].add(identity)

    def of_id(self, medicine_id: str) -> Identity | None:
        """The medicine with this id; None where the corpus has none."""
        return self._by_id.get(medicine_id)

    def of_label(self, set_id: str) -> frozenset[Identity]:
        """The medicines of one label; empty where the corpus has none."""
        return frozenset(self._by_label.get(set_id, ()))

    def of_name(self, name: str) -> frozenset[Identity]:
        """Every medicine that a name may stand for; of a name that the corpus lacks, what the name itself says."""
        known = self._by_name.get(core(name))
        return frozenset(known) if known else frozenset({identity_of(name)})

    def knows(self, name: str) -> bool:
        """Whether the corpus has a medicine of this name."""
        return core(name) in self._by_name


def identity_of(name: str) -> Identity:
    """What a name says by itself: its substances, where it joins several."""
    return frozenset(filter(None, (core(part) for part in _AND.split(name)))) or frozenset({core(name)})
