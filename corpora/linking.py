"""Which medicines does a text name? Exact names first, then names with a word spelt wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .lookalikes import LOOK_ALIKES
from .names import NameKind, is_form
from .spelling import Spelling
from .store import Store
from .words import chinese_run, everyday_use, fold, plain_word, word_runs

_LONGEST_WORDS = 8
_LONGEST_CHARACTERS = 24
_LONGEST_KEY = 200
_LONGEST_WORD = 40
_MOST_UNITS = 4000
_MOST_CHARACTERS = 40_000
"""A longer text is linked in its last part only: what is asked stands at the end."""
_EVERYDAY = 4.2
"""Zipf frequency (log10 of uses in a billion words) from which a word is too common to be taken for a brand."""
_KNOWN_WORD = 3.0
_KNOWN_RARE_WORD = 2.0
"""The same in the large word list. Names of medicines and rare words begin about here, misspellings stay below."""
# With these beside it a Chinese name is another substance: 左西替利嗪 isn't 西替利嗪, 泼尼松龙 isn't 泼尼松.
_OTHER_BEFORE_ZH = re.compile(r"(?:左旋?|(?<!左)右旋?|地|氘|艾司|阿扑|氢化|二氯|羟|磷|去甲|乙酰|伪)$")
_OTHER_AFTER_ZH = "龙"


@dataclass(frozen=True)
class Mention:
    """A stretch of a text that names medicines."""

    start: int
    """Offset in the folded text, in characters."""
    end: int
    text: str
    """The words as they stand in the (folded) text."""
    key: str
    """The name's key as the index holds it, spelling corrected."""
    medicines: tuple[tuple[int, NameKind], ...]
    """Rows of the medicines it may mean, with how the name belongs to each."""
    corrected: bool
    """Whether a word was taken as a misspelling."""


@dataclass(frozen=True)
class _Unit:
    text: str
    start: int
    end: int
    chinese: bool
    corrected: bool = False


def link(text: str, store: Store, spelling: Spelling) -> list[Mention]:
    """The medicines that `text` names, in the order they are named; mentions don't overlap, the longest wins."""
    skipped = len(fold(text[:-_MOST_CHARACTERS]))
    folded = fold(text[-_MOST_CHARACTERS:])
    units = _units(folded)[-_MOST_UNITS:]
    found = _exact(units, store, folded)
    covered = {i for mention in found for i in range(mention.start, mention.end)}
    repaired = [u if u.start in covered else _corrected(u, spelling) for u in units]
    if repaired != units:
        found = _exact(repaired, store, folded)
    return [replace(m, start=m.start + skipped, end=m.end + skipped) for m in found] if skipped else found


def _units(folded: str) -> list[_Unit]:
    units: list[_Unit] = []
    for run, start, end in word_runs(folded):
        if chinese_run(run):
            units.extend(_Unit(c, start + i, start + i + 1, True) for i, c in enumerate(run))
        else:
            units.append(_Unit(plain_word(run), start, end, False))
    return units


def _exact(units: Sequence[_Unit], store: Store, folded: str) -> list[Mention]:
    spans: dict[tuple[int, int], str] = {}
    for first in range(len(units)):
        longest = _LONGEST_CHARACTERS if units[first].chinese else _LONGEST_WORDS
        name = ""
        for last in range(first, min(first + longest, len(units))):
            name += units[last].text.replace(".", "")
            if len(name) > _LONGEST_KEY:
                break
            if len(name) > 1:
                spans[first, last + 1] = name
    named = store.named(sorted(set(spans.values())))
    chosen: list[tuple[int, int]] = []
    taken: set[int] = set()
    for (first, last), name in sorted(spans.items(), key=lambda s: (-len(s[1]), s[0])):
        if name not in named or not taken.isdisjoint(range(first, last)):
            continue
        if _everyday(units[first:last], units) or _part_of_another(units[first:last], folded):
            continue
        chosen.append((first, last))
        taken.update(range(first, last))
    mentions: list[Mention] = []
    for first, last in sorted(chosen):
        own = units[first:last]
        name = spans[first, last]
        mentions.append(
            Mention(
                start=own[0].start,
                end=own[-1].end,
                text="".join(u.text for u in own) if own[0].chinese else " ".join(u.text for u in own),
                key=name,
                medicines=tuple(sorted(named[name])),
                corrected=any(u.corrected for u in own),
            )
        )
    return mentions


def _everyday(own: Sequence[_Unit], all_units: Sequence[_Unit]) -> bool:
    """Whether a name is made of everyday words ("today", "relief"), which name a medicine only when standing alone."""
    if len(own) == len(all_units):
        return False
    return all(not u.chinese and (is_form(u.text) or everyday_use(u.text) >= _EVERYDAY) for u in own)


def _part_of_another(own: Sequence[_Unit], folded: str) -> bool:
    """Whether a Chinese name stands inside the longer name of another substance. English names end where words do."""
    if not own[0].chinese:
        return False
    start, end = own[0].start, own[-1].end
    return bool(_OTHER_BEFORE_ZH.search(folded[max(0, start - 3) : start])) or folded[end : end + 1] == _OTHER_AFTER_ZH


def _real_word(word: str) -> bool:
    """Whether a word is one that people write on purpose, so that nothing is to be corrected."""
    from wordfreq import zipf_frequency

    if word in LOOK_ALIKES or everyday_use(word) >= _KNOWN_WORD:
        return True
    return zipf_frequency(word, "en", wordlist="large") >= _KNOWN_RARE_WORD


def _corrected(unit: _Unit, spelling: Spelling) -> _Unit:
    if unit.chinese or not unit.text.isalpha() or len(unit.text) > _LONGEST_WORD or is_form(unit.text):
        return unit
    if _real_word(unit.text):
        return unit
    closest = spelling.closest(unit.text)
    if not closest:
        return unit
    return _Unit(closest[0][0], unit.start, unit.end, unit.chinese, corrected=True)
