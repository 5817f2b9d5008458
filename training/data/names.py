"""Names of medicines for training dialogues: real ones that no benchmark asks about, invented ones, and misspelt ones.

A distiller must copy the name that a person used, whichever it is. Invented names (built of the syllables that real
ones are made of) keep it from learning a list by heart, and are in no benchmark.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from ...corpora.linking import Mention
from ...corpora.medicines import Hit, Medicine, SearchCall
from ...corpora.names import core
from ...corpora.words import everyday_use, fold

_PLAIN: Final = re.compile(r"[a-z][a-z-]+(?: [a-z]+)?")
_LONGEST: Final = 22
_EVERYDAY: Final = 3.2
"""Zipf frequency above which a brand is an ordinary word ("relief"), which no reader could tell for a name."""
_STARTS: Final = (
    "ab al am ar at az ba be bri bro ca ce cla clo co cy da de di do du el em en eri fa fi flu fo ga gli ha ibu in ir "
    "ju ka ke la le li lo lu ma me mi mo na ne ni no nu ol om or ox pa pe phe pi pra pro qua ra re ri ro ru sa se si "
    "so su ta te ti to tra tri tu ul va ve vi vo xa ye za ze zo"
).split()
_MIDDLES: Final = (
    "ba be bi bo ca ce ci co da de di do fa fe fi ga gli la le li lo lu ma me mi mo na ne ni no nu pa pe pi po pra ra "
    "re ri ro sa se si so ta te ti to tra tri va ve vi xa za ze zo"
).split()
_GENERIC_ENDS: Final = (
    "tinib mab zumab limab pril sartan statin gliptin gliflozin prazole cillin mycin floxacin azole vir dipine olol "
    "zepam zolam pine done tide parin xaban triptan setron lukast formin semide thiazide dronate cept stat fenac "
    "profen caine curium pam nazole terol sone ine ol ate ide one amide"
).split()
_BRAND_ENDS: Final = (
    "ra va za xa lia via tiq vo zo ris nex lor vis tal dex cor gen pro tec lan via qo zy ly o a is um ix ex on yx en"
).split()
_NEAR: Final = {
    "a": "e",
    "e": "i",
    "i": "y",
    "o": "a",
    "u": "o",
    "y": "i",
    "c": "k",
    "k": "c",
    "s": "z",
    "z": "s",
    "f": "ph",
}


class KnownNames:
    """A medicine database that knows names only: what `agents` need of one to find the names in a dialogue."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names`, folded."""
        self._names = sorted({name for name in names if name}, key=len, reverse=True)

    def mentions(self, text: str) -> list[Mention]:
        """The names in a text, in order."""
        folded = fold(text)
        found: list[Mention] = []
        for name in self._names:
            edge = r"\b" if name.isascii() else ""
            for match in re.finditer(rf"{edge}{re.escape(name)}{edge}", folded):
                if not any(m.start < match.end() and match.start() < m.end for m in found):
                    found.append(Mention(match.start(), match.end(), name, name.replace(" ", ""), (), corrected=False))
        return sorted(found, key=lambda m: m.start)

    def unknown_names(self, text: str) -> list[str]:
        """None: every name is known."""
        del text
        return []

    def search(self, query: str | SearchCall, k: int = 10) -> list[Hit]:
        """Nothing: there are no texts."""
        del query, k
        return []

    def medicine_of(self, mention: Mention) -> Medicine | None:
        """None: names only."""
        del mention
        return None

    def medicine(self, medicine_id: str) -> Medicine | None:
        """None: names only."""
        del medicine_id
        return None


class MedicineName(NamedTuple):
    """How one medicine is called."""

    name: str
    also: tuple[str, ...] = ()
    """Its other names: the brand of a substance, the substance of a brand."""
    invented: bool = False


def usable_names(medicines: Iterable[Medicine], *, held_out: Collection[str]) -> list[MedicineName]:
    """The names of `medicines` that a person would type, without those that share one with `held_out` (core names)."""
    found: dict[str, MedicineName] = {}
    for medicine in medicines:
        names = medicine.names
        every = [*names.brands, *names.generic, *names.substances]
        if any(core(name) in held_out for name in [*every, *names.aliases, names.display]) or len(names.substances) > 2:
            continue
        kept = list(dict.fromkeys(core(name) for name in every if _typed(core(name))))
        if kept and kept[0] not in found:
            found[kept[0]] = MedicineName(kept[0], tuple(kept[1:3]))
    return sorted(found.values())


def _typed(name: str) -> bool:
    return (
        4 <= len(name) <= _LONGEST
        and _PLAIN.fullmatch(name) is not None
        and all(everyday_use(word) < _EVERYDAY for word in name.split())
    )


def invented_name(rng: random.Random) -> MedicineName:
    """A name that no medicine bears, as far as chance may be trusted, with a brand of its own half of the time."""
    generic = rng.choice(_STARTS) + "".join(rng.choices(_MIDDLES, k=rng.randint(1, 2))) + rng.choice(_GENERIC_ENDS)
    brand = rng.choice(_STARTS) + "".join(rng.choices(_MIDDLES, k=rng.randint(0, 1))) + rng.choice(_BRAND_ENDS)
    if len(brand) < 5 or everyday_use(brand) > 0:
        return MedicineName(generic, (), invented=True)
    first, second = rng.sample([generic, brand], 2)
    return MedicineName(first, (second,), invented=True)


def misspelt(name: str, rng: random.Random) -> str:
    """The name as somebody writes it who has heard it: a letter lost, doubled, swapped or taken for one like it, or the
    word cut in two."""
    folded = fold(name)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(1, len(folded))
        kind = rng.randrange(6)
        if kind == 0:
            folded = folded[:at] + folded[at + 1 :]
        elif kind == 1:
            folded = folded[:at] + folded[at] + folded[at:]
        elif kind == 2 and at + 1 < len(folded):
            folded = folded[:at] + folded[at + 1] + folded[at] + folded[at + 2 :]
        elif kind == 5 and len(folded) >= 7 and " " not in folded:
            cut = rng.randint(3, len(folded) - 3)
            folded = f"{folded[:cut]} {folded[cut:]}"
        else:
            folded = folded[:at] + _NEAR.get(folded[at], folded[at]) + folded[at + 1 :]
    return folded if len(folded) > 3 else fold(name)


def in_a_persons_case(name: str, rng: random.Random) -> str:
    """The name with the capitals that people give it."""
    return rng.choice((name, name, name.capitalize(), name.capitalize(), name.upper() if len(name) < 9 else name))
