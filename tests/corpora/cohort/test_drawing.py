"""The drawn films show what the course says: each finding changes its own region, more where there is more of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from wardround.corpora.cohort.anatomy import box_on
from wardround.corpora.cohort.drawing import SIZE, draw, pose_of
from wardround.corpora.cohort.findings import DEVICES, KINDS
from wardround.corpora.cohort.patients import SyntheticPatient, Track, patient

SEED = 3


def shown(who: SyntheticPatient) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.asarray(draw(who, 0, SEED), np.int16)


def with_track(kind: str, region: str, severity: int) -> SyntheticPatient:
    who = patient(SEED, 1)
    film = replace(who.films[0], devices=(), chest_tube=None)
    track = Track(kind, region, (severity,) * len(who.films))
    return replace(who, films=(film, *who.films[1:]), tracks=(track,))


PLACES = [(kind.name, place) for kind in KINDS for place in kind.places]
SIDED = sorted((name, place.format(side=("left", "right")[n % 2])) for n, (name, place) in enumerate(PLACES))


@pytest.mark.parametrize(("kind", "region"), SIDED)
def test_a_finding_is_seen_in_its_region_and_more_of_it_is_seen_more(kind: str, region: str) -> None:
    bare = shown(with_track(kind, region, 0))
    left, top, right, bottom = box_on(region, pose_of(patient(SEED, 1), 0, SEED), SIZE)
    changed = [np.abs(shown(with_track(kind, region, severity)) - bare) for severity in (1, 2, 3)]
    inside = [int((difference[top:bottom, left:right] > 12).sum()) for difference in changed]
    whole = [int((difference > 12).sum()) for difference in changed]
    assert 30 < whole[0] < whole[1] < whole[2]
    assert inside[0] >= 0.5 * whole[0]


@pytest.mark.parametrize("device", [name for name in DEVICES if name != "chest tube"])
def test_a_device_is_seen(device: str) -> None:
    who = with_track("nodule", "left mid lung zone", 0)
    fitted = replace(who, films=(replace(who.films[0], devices=(device,)), *who.films[1:]))
    assert int((shown(fitted) - shown(who) > 40).sum()) > 60


def test_a_film_says_what_it_is() -> None:
    foot = shown(patient(SEED, 2))[int(SIZE * 0.955) :, SIZE // 4 : -SIZE // 4]
    assert int((foot > 200).sum()) > 150
