"""What the synthetic patients can have: findings, where they sit, how much of them, and how reports call them.

Regions bear the names of Chest ImaGenome. All wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Side = Literal["left", "right"]
SIDES: Final[tuple[Side, ...]] = ("left", "right")
WORST: Final = 3
"""Severities are 0 (not there) to 3."""


@dataclass(frozen=True)
class Kind:
    """A kind of finding."""

    name: str
    places: tuple[str, ...]
    """Regions where it may sit; `{side}` stands for left or right."""
    grades: tuple[str, str, str]
    """Adjectives of the severities 1 to 3."""
    nouns: tuple[str, ...]
    """How reports call it; `{side}`, `{zone}` ("left lower lung zone"). The first is the plainest."""
    more: tuple[str, ...]
    less: tuple[str, ...]
    """What is said of it when there is more or less of it than before: after the noun, before "since ..."."""
    short: str
    """Its name in options and questions; the region is told beside it."""
    counted: bool = True
    """Whether it takes an article."""


KINDS: Final = (
    Kind(
        "effusion",
        ("{side} costophrenic angle",),
        ("small", "moderate", "large"),
        ("{side} pleural effusion", "{side}-sided pleural effusion", "pleural effusion at the {zone}"),
        ("has increased", "is larger", "has enlarged"),
        ("has decreased", "is smaller", "has partly cleared"),
        "pleural effusion",
    ),
    Kind(
        "consolidation",
        ("{side} upper lung zone", "{side} mid lung zone", "{side} lower lung zone"),
        ("patchy", "moderate", "dense"),
        ("consolidation in the {zone}", "airspace opacity in the {zone}", "{zone} consolidation"),
        ("has progressed", "has worsened", "is more extensive"),
        ("has improved", "is less extensive", "has partly cleared"),
        "consolidation",
        counted=False,
    ),
    Kind(
        "pneumothorax",
        ("{side} apical zone",),
        ("small", "moderate", "large"),
        ("{side} apical pneumothorax", "pneumothorax in the {zone}"),
        ("has increased", "is larger", "has enlarged"),
        ("has decreased", "is smaller", "has partly resolved"),
        "pneumothorax",
    ),
    Kind(
        "atelectasis",
        ("{side} lower lung zone",),
        ("mild", "moderate", "marked"),
        ("{side} basilar atelectasis", "linear atelectasis in the {zone}"),
        ("has increased", "has worsened", "is more pronounced"),
        ("has decreased", "has improved", "is less pronounced"),
        "atelectasis",
        counted=False,
    ),
    Kind(
        "nodule",
        ("{side} upper lung zone", "{side} mid lung zone"),
        ("8 mm", "16 mm", "30 mm"),
        ("nodule in the {zone}", "rounded nodule in the {zone}", "{zone} nodule"),
        ("has grown", "is larger", "has increased in size"),
        ("has shrunk", "is smaller", "has decreased in size"),
        "nodule",
    ),
    Kind(
        "cardiomegaly",
        ("cardiac silhouette",),
        ("mild", "moderate", "severe"),
        ("enlargement of the cardiac silhouette", "cardiomegaly", "cardiac enlargement"),
        ("has increased", "has progressed", "is more pronounced"),
        ("has decreased", "is less pronounced", "has improved"),
        "cardiac enlargement",
        counted=False,
    ),
    Kind(
        "congestion",
        ("{side} hilar structures",),
        ("mild", "moderate", "marked"),
        ("vascular congestion of the {side} hilum", "{side} hilar vascular congestion"),
        ("has increased", "has worsened", "is more pronounced"),
        ("has decreased", "has improved", "is less pronounced"),
        "vascular congestion",
        counted=False,
    ),
    Kind(
        "widening",
        ("upper mediastinum",),
        ("mild", "moderate", "marked"),
        ("widening of the upper mediastinum", "upper mediastinal widening"),
        ("has increased", "has progressed", "is more pronounced"),
        ("has decreased", "has improved", "is less pronounced"),
        "widening",
        counted=False,
    ),
    Kind(
        "elevation",
        ("{side} hemidiaphragm",),
        ("mild", "moderate", "marked"),
        ("elevation of the {side} hemidiaphragm", "{side} hemidiaphragm elevation"),
        ("has increased", "is more pronounced", "has progressed"),
        ("has decreased", "is less pronounced", "has improved"),
        "elevation",
        counted=False,
    ),
)
BY_NAME: Final = {kind.name: kind for kind in KINDS}

NEVER_THERE: Final[dict[str, tuple[str, ...]]] = {
    "costophrenic angle": ("pleural thickening", "pleural calcification"),
    "lung zone": ("cavity", "interstitial thickening", "calcified granuloma"),
    "apical zone": ("apical scarring", "bulla"),
    "cardiac silhouette": ("pericardial calcification", "pneumopericardium"),
    "hilar structures": ("hilar lymphadenopathy", "hilar calcification"),
    "upper mediastinum": ("pneumomediastinum", "tracheal deviation"),
    "hemidiaphragm": ("free air below the diaphragm", "diaphragmatic calcification"),
}
"""By the end of a region's name: findings that no synthetic patient has, for distractors."""

DEVICES: Final[dict[str, tuple[str, ...]]] = {
    "endotracheal tube": ("Endotracheal tube tip lies 4 cm above the carina.", "The endotracheal tube is well placed."),
    "central venous catheter": (
        "Right internal jugular catheter ends in the lower SVC.",
        "Central venous catheter tip projects over the SVC.",
    ),
    "nasogastric tube": ("Nasogastric tube passes below the diaphragm.", "The nasogastric tube ends in the stomach."),
    "pacemaker": ("Left-sided pacemaker with leads in the right heart.", "Dual-lead pacemaker in place."),
    "chest tube": ("{Side} chest tube in place.", "A {side} chest tube ends at the apex."),
}


def side_of(region: str) -> Side | None:
    """The side that a region's name begins with."""
    return next((side for side in SIDES if region.startswith(f"{side} ")), None)
