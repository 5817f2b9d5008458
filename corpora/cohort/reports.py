"""Reports of the synthetic films, in the several ways in which radiologists word the same thing.

Each sentence knows what it is about, so that questions can be made from the report as the paper makes them from real
ones, and so that what a splitter or tagger finds can be compared with what was meant.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from .findings import BY_NAME, DEVICES, Kind, side_of
from .patients import SyntheticPatient, Track

_SAME: Final = ("is unchanged", "is stable", "is not significantly changed", "has not changed")
_STATES: Final = ("There is {a}{grade} {noun}.", "{grade} {noun}.", "{a}{grade} {noun} is seen.")
_ABSENT: Final = ("No {noun}.", "There is no {noun}.", "No {noun} is seen.")
_CLEAR: Final = {
    "left lung": ("The left lung is clear.",),
    "right lung": ("The right lung is clear.",),
    "spine": ("Mild degenerative changes of the spine.", "The bones are unremarkable."),
    "aortic arch": ("The aortic arch is unremarkable.", "The aorta is mildly tortuous."),
}
_MONTHS: Final = "January February March April May June July August September October November December".split()
_COMPARATIVES: Final = ("is larger", "is smaller", "is more", "is less")
_MERGED: Final = 0.25
"""How often state and change stand in one sentence."""
_EARLIER: Final = 0.12
"""How often a report compares with the film before the last one, where there is one."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of a report."""

    text: str
    region: str | None
    kind: str | None
    compares: int | None = None
    """The index of the film that it compares with; None where it compares with nothing."""
    static: bool = False
    """About a device or something that does not change: no ground for a question."""


@dataclass(frozen=True)
class SyntheticReport:
    """One film's report."""

    indication: str
    comparison: str
    findings: tuple[Sentence, ...]
    impression: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The report with its headings, as it lies in a file."""
        findings = " ".join(sentence.text for sentence in self.findings)
        impression = " ".join(sentence.text for sentence in self.impression)
        return (
            f"INDICATION: {self.indication}\n\nCOMPARISON: {self.comparison}\n\nFINDINGS: {findings}\n\n"
            f"IMPRESSION: {impression}\n"
        )

    def about(self, region: str) -> str:
        """The sentences of the findings that concern a region."""
        return " ".join(sentence.text for sentence in self.findings if sentence.region == region)


def report(who: SyntheticPatient, film: int, seed: int) -> SyntheticReport:
    """The report of one film. It says of every finding how much there is, and of most how it has changed."""
    dice = random.Random(f"report/{seed}/{who.id}/{film}")  # noqa: S311 - reproducible, not secret
    against = _compared_with(dice, film)
    findings: list[Sentence] = []
    impression: list[Sentence] = []
    for track in dice.sample(who.tracks, len(who.tracks)):
        noun = _noun(dice, BY_NAME[track.kind], track.region)
        said = _about(dice, who, track, noun, film, against)
        findings += said
        if said and dice.random() < 0.6:
            impression.append(_summed_up(track, noun, film, against))
    devices = _devices(dice, who, film)
    clear = [Sentence(dice.choice(texts), region, None, static=True) for region, texts in _clear(dice, who)]
    findings = [*devices, *findings, *clear]
    if not impression:
        worst = max(who.tracks, key=lambda track: track.severities[film])
        impression = [_summed_up(worst, _noun(dice, BY_NAME[worst.kind], worst.region), film, against)]
    before = [who.films[index].at for index in range(film if against is None else against, film)]
    compared = " and ".join(f"{_day(at)} {at.year}" for at in before)
    compared = f"Chest radiograph of {compared}." if before else "None."
    age = f"{who.age}-year-old {'woman' if who.sex == 'F' else 'man'}."
    return SyntheticReport(f"{age} {who.films[film].reason}", compared, tuple(findings), tuple(impression))


def _summed_up(track: Track, noun: str, film: int, against: int | None) -> Sentence:
    """A line of the impression."""
    now = track.severities[film]
    if against is None or now == track.severities[against] == 0:
        text = f"{BY_NAME[track.kind].grades[now - 1]} {noun}" if now else f"No {noun}"
        return Sentence(f"{_capital(text)}.", track.region, track.kind)
    change = now - track.severities[against]
    word = "Resolved" if now == 0 else "Stable" if change == 0 else "Worsening" if change > 0 else "Improving"
    return Sentence(f"{word if now != change else 'New'} {noun}.", track.region, track.kind, against)


def _compared_with(dice: random.Random, film: int) -> int | None:
    if film == 0:
        return None
    return film - 2 if film >= 2 and dice.random() < _EARLIER else film - 1


def _noun(dice: random.Random, kind: Kind, region: str) -> str:
    return dice.choice(kind.nouns).format(side=side_of(region) or "", zone=region)


def _about(
    dice: random.Random, who: SyntheticPatient, track: Track, noun: str, film: int, against: int | None
) -> list[Sentence]:
    kind, now = BY_NAME[track.kind], track.severities[film]
    if against is None:
        return [Sentence(_state(dice, kind, noun, now), track.region, track.kind)]
    at, back, change = who.films[against].at, film - against, now - track.severities[against]
    if change == 0 and now == 0:
        return [Sentence(_state(dice, kind, noun, 0), track.region, track.kind)]
    state = Sentence(_state(dice, kind, noun, now), track.region, track.kind)
    if now == 0:
        verb = dice.choice(("has resolved", "is no longer seen", "has cleared"))
        text = f"The {noun} {verb} {_since(dice, verb, at, back)}."
        return [Sentence(text, track.region, track.kind, against)]
    if now == change:
        text = f"The {noun} is new {_since(dice, 'is new', at, back)}."
    else:
        verb = dice.choice(_SAME if change == 0 else kind.more if change > 0 else kind.less)
        since = _since(dice, verb, at, back)
        text = f"The {noun} {verb} {since}."
        if dice.random() < _MERGED:
            merged = verb.removeprefix("is ").removeprefix("has ")
            text = f"{_capital(kind.grades[now - 1])} {noun}, {merged} {since}."
            return [Sentence(text, track.region, track.kind, against)]
    return [state, Sentence(text, track.region, track.kind, against)]


def _state(dice: random.Random, kind: Kind, noun: str, severity: int) -> str:
    if severity == 0:
        return dice.choice(_ABSENT).format(noun=noun)
    grade = kind.grades[severity - 1]
    article = "" if not kind.counted else "an " if grade[0] in "aeio8" else "a "
    return _capital(dice.choice(_STATES).format(a=article, grade=grade, noun=noun))


def _since(dice: random.Random, verb: str, at: datetime, back: int) -> str:
    """ "since 3 May", "than on 3 May" after a comparative; without a date only where the last film is meant."""
    if verb.startswith(_COMPARATIVES):
        ways = [f"than on {_day(at)}", f"than on the film of {_day(at)}"]
        return dice.choice([*ways, "than on the prior film"] if back == 1 else ways)
    ways = [f"since {_day(at)}", f"compared with {_day(at)}", f"since the film of {_day(at)}"]
    return dice.choice([*ways, "since the prior study", "compared with the prior film"] if back == 1 else ways)


def _devices(dice: random.Random, who: SyntheticPatient, film: int) -> list[Sentence]:
    found: list[Sentence] = []
    now, before = who.films[film], who.films[film - 1] if film else None
    for name in now.devices:
        text = dice.choice(DEVICES[name])
        if before and name in before.devices and dice.random() < 0.5:
            text = f"The {name} is unchanged in position since the prior study."
        found.append(Sentence(text, None, None, static=True))
    if before and (gone := [name for name in before.devices if name not in now.devices]):
        found.append(Sentence(f"The {gone[0]} has been removed since the prior study.", None, None, static=True))
    if now.chest_tube:
        text = dice.choice(DEVICES["chest tube"])
        said = text.format(side=now.chest_tube, Side=now.chest_tube.capitalize())
        found.append(Sentence(said, None, None, static=True))
    return found


def _clear(dice: random.Random, who: SyntheticPatient) -> list[tuple[str, Sequence[str]]]:
    """One or two things that are said of the rest; of no lung that has a finding."""
    free = [
        (region, texts)
        for region, texts in _CLEAR.items()
        if not any(side_of(track.region) == region.split()[0] for track in who.tracks)
    ]
    return dice.sample(free, min(len(free), dice.randint(1, 2)))


def _day(at: datetime) -> str:
    """ "3 May", in English whatever the locale."""
    return f"{at.day} {_MONTHS[at.month - 1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
