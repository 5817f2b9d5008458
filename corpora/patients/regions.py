"""The 29 regions of Chest ImaGenome (arXiv 2108.00316): their names, how they lie in one another, and their words.

`regions_in` in `region_words.py` finds them in a sentence, `asked_regions` in a question.
"""

from __future__ import annotations

from enum import StrEnum


class Region(StrEnum):
    """A region of a chest radiograph, by its name in Chest ImaGenome."""

    RIGHT_LUNG = "right lung"
    RIGHT_UPPER_LUNG_ZONE = "right upper lung zone"
    RIGHT_MID_LUNG_ZONE = "right mid lung zone"
    RIGHT_LOWER_LUNG_ZONE = "right lower lung zone"
    RIGHT_HILAR_STRUCTURES = "right hilar structures"
    RIGHT_APICAL_ZONE = "right apical zone"
    RIGHT_COSTOPHRENIC_ANGLE = "right costophrenic angle"
    RIGHT_HEMIDIAPHRAGM = "right hemidiaphragm"
    LEFT_LUNG = "left lung"
    LEFT_UPPER_LUNG_ZONE = "left upper lung zone"
    LEFT_MID_LUNG_ZONE = "left mid lung zone"
    LEFT_LOWER_LUNG_ZONE = "left lower lung zone"
    LEFT_HILAR_STRUCTURES = "left hilar structures"
    LEFT_APICAL_ZONE = "left apical zone"
    LEFT_COSTOPHRENIC_ANGLE = "left costophrenic angle"
    LEFT_HEMIDIAPHRAGM = "left hemidiaphragm"
    TRACHEA = "trachea"
    SPINE = "spine"
    RIGHT_CLAVICLE = "right clavicle"
    LEFT_CLAVICLE = "left clavicle"
    AORTIC_ARCH = "aortic arch"
    MEDIASTINUM = "mediastinum"
    UPPER_MEDIASTINUM = "upper mediastinum"
    SVC = "svc"
    CARDIAC_SILHOUETTE = "cardiac silhouette"
    CAVOATRIAL_JUNCTION = "cavoatrial junction"
    RIGHT_ATRIUM = "right atrium"
    CARINA = "carina"
    ABDOMEN = "abdomen"

    @property
    def side(self) -> str | None:
        """`right`, `left`, or None in the middle. The right atrium lies in the middle."""
        first = self.value.split()[0]
        return first if first in ("right", "left") and self is not Region.RIGHT_ATRIUM else None

    @property
    def parent(self) -> Region | None:
        """The next larger region that holds this one, None for the largest."""
        return _PARENTS.get(self)

    @property
    def ancestors(self) -> tuple[Region, ...]:
        """All larger regions that hold this one, nearest first."""
        parent = self.parent
        return () if parent is None else (parent, *parent.ancestors)

    @property
    def descendants(self) -> tuple[Region, ...]:
        """All regions inside this one, in the order of `Region`."""
        return tuple(r for r in Region if self in r.ancestors)

    @property
    def related(self) -> frozenset[Region]:
        """The region itself, what holds it and what lies in it: a sentence about any of them concerns it."""
        return frozenset((self, *self.ancestors, *self.descendants))


_LUNG_PARTS = {
    "upper lung zone": "lung",
    "mid lung zone": "lung",
    "lower lung zone": "lung",
    "apical zone": "upper lung zone",
    "hilar structures": "lung",
    "costophrenic angle": "lower lung zone",  # where effusions are; a question about a base means them too
}
_PARENTS: dict[Region, Region] = {
    **{Region(f"{s} {part}"): Region(f"{s} {whole}") for s in ("right", "left") for part, whole in _LUNG_PARTS.items()},
    Region.UPPER_MEDIASTINUM: Region.MEDIASTINUM,
    Region.TRACHEA: Region.UPPER_MEDIASTINUM,
    Region.AORTIC_ARCH: Region.UPPER_MEDIASTINUM,
    Region.SVC: Region.UPPER_MEDIASTINUM,
    Region.CARINA: Region.MEDIASTINUM,
    Region.CARDIAC_SILHOUETTE: Region.MEDIASTINUM,
    Region.CAVOATRIAL_JUNCTION: Region.CARDIAC_SILHOUETTE,
    Region.RIGHT_ATRIUM: Region.CARDIAC_SILHOUETTE,
}
