"""The courses of the synthetic patients: who has what, and how it develops from film to film. No text, no pictures."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from .findings import DEVICES, KINDS, SIDES, WORST

_FIRST_ID: Final = 99_000_000
"""Subject ids of MIMIC-CXR begin with 1; these begin with 99, so that nobody takes one for the other."""
_FIRST_DAY: Final = datetime(2140, 1, 1)  # noqa: DTZ001 - shifted dates have no zone
_STEPS: Final = (-1, 0, 1)
_LEAST_TRACKS, _MOST_TRACKS = 2, 4
_REASONS: Final = ("Cough and fever.", "Shortness of breath.", "Chest pain.", "Hypoxia.", "Follow-up.", "Fatigue.")


class Track(NamedTuple):
    """One finding of one patient, at one place, over all films."""

    kind: str
    region: str
    severities: tuple[int, ...]
    """One a film, 0 to 3."""


@dataclass(frozen=True)
class Film:
    """When and why a film was taken, and the devices on it."""

    study: str
    image: str
    """Path below the cohort's folder, laid out as MIMIC-CXR-JPG is."""
    at: datetime
    reason: str
    devices: tuple[str, ...]
    chest_tube: str | None
    """The side of a chest tube."""


@dataclass(frozen=True)
class SyntheticPatient:
    """A patient that never was."""

    id: str
    sex: str
    age: int
    films: tuple[Film, ...]
    tracks: tuple[Track, ...]

    def severity(self, kind: str, region: str, film: int) -> int:
        """How much of a finding is at a place on a film."""
        return next((t.severities[film] for t in self.tracks if (t.kind, t.region) == (kind, region)), 0)


def patient(seed: int, number: int) -> SyntheticPatient:
    """The patient `number` of the cohort with this seed; independent of how many others there are."""
    dice = random.Random(f"course/{seed}/{number}")  # noqa: S311 - reproducible, not secret
    subject = f"{_FIRST_ID + number:08d}"
    count = dice.randint(2, 6)
    tracks = _tracks(dice, count)
    day = _FIRST_DAY + timedelta(days=dice.randrange(3000), minutes=dice.randrange(1440))
    films: list[Film] = []
    devices = {name for name in ("pacemaker", "central venous catheter") if dice.random() < 0.2}
    for index in range(count):
        for name in ("endotracheal tube", "nasogastric tube", "central venous catheter"):
            if dice.random() < 0.15:
                devices ^= {name}
        study = f"5{number % 10_000_000:07d}{index}"
        drained = next((t for t in tracks if t.kind == "pneumothorax" and t.severities[index] == WORST), None)
        films.append(
            Film(
                study=study,
                image=f"files/p{subject[:2]}/p{subject}/s{study}/film.png",
                at=day,
                reason=dice.choice(_REASONS),
                devices=tuple(name for name in DEVICES if name in devices),
                chest_tube=drained.region.split()[0] if drained else None,
            )
        )
        day += timedelta(days=dice.choice((1, 1, 2, 3, 5, 9, 30, 90)), minutes=dice.randrange(600))
    return SyntheticPatient(subject, dice.choice("FM"), dice.randint(20, 89), tuple(films), tuple(tracks))


def _tracks(dice: random.Random, count: int) -> list[Track]:
    """Findings at different places; never two in one region, so that a question about a region has one answer."""
    found: dict[str, Track] = {}
    for _ in range(dice.randint(_LEAST_TRACKS, _MOST_TRACKS)):
        kind = dice.choice(KINDS)
        side = dice.choice(SIDES)
        region = dice.choice(kind.places).format(side=side)
        if region not in found:
            found[region] = Track(kind.name, region, _course(dice, count))
    return [found[region] for region in sorted(found)]


def _course(dice: random.Random, count: int) -> tuple[int, ...]:
    """Severities that go up, down or stay from film to film by one or two grades; at least one film shows something."""
    while True:
        now = dice.randint(0, WORST)
        course = [now]
        while len(course) < count:
            step = dice.choice(_STEPS) * (2 if dice.random() < 0.2 else 1)
            if 0 <= now + step <= WORST:
                now += step
                course.append(now)
        if any(course):
            return tuple(course)
