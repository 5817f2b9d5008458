"""Where things are in a drawn chest film, and which box each region has.

Coordinates are shares of the picture's width and height, (0, 0) at the top left. The patient's right is on the left, as
on every film.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from .findings import Side

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_ONE_SIDE: Final[dict[str, Box]] = {
    "lung": (0.10, 0.12, 0.47, 0.84),
    "apical zone": (0.18, 0.10, 0.45, 0.25),
    "upper lung zone": (0.15, 0.14, 0.46, 0.36),
    "mid lung zone": (0.12, 0.34, 0.45, 0.56),
    "lower lung zone": (0.10, 0.54, 0.46, 0.80),
    "hilar structures": (0.30, 0.34, 0.46, 0.56),
    "costophrenic angle": (0.08, 0.66, 0.28, 0.86),
    "hemidiaphragm": (0.10, 0.60, 0.46, 0.84),
    "clavicle": (0.12, 0.10, 0.48, 0.20),
}
"""On the patient's right; the left is its mirror image."""
_MIDDLE: Final[dict[str, Box]] = {
    "mediastinum": (0.36, 0.10, 0.66, 0.74),
    "upper mediastinum": (0.38, 0.08, 0.62, 0.36),
    "cardiac silhouette": (0.36, 0.44, 0.76, 0.76),
    "trachea": (0.45, 0.02, 0.55, 0.36),
    "carina": (0.44, 0.31, 0.56, 0.41),
    "aortic arch": (0.49, 0.24, 0.64, 0.38),
    "svc": (0.38, 0.24, 0.48, 0.48),
    "cavoatrial junction": (0.38, 0.44, 0.48, 0.54),
    "right atrium": (0.36, 0.48, 0.50, 0.70),
    "spine": (0.45, 0.06, 0.55, 0.94),
    "abdomen": (0.10, 0.74, 0.90, 0.96),
}
REGION_BOXES: Final[dict[str, Box]] = {
    **{f"right {name}": box for name, box in _ONE_SIDE.items()},
    **{f"left {name}": (1 - box[2], box[1], 1 - box[0], box[3]) for name, box in _ONE_SIDE.items()},
    **_MIDDLE,
}
"""The boxes of all 29 regions on a film that is neither turned nor shifted."""


@dataclass(frozen=True)
class Build:
    """How one patient is built, the same on all of that patient's films."""

    width: float
    heart: float
    ribs: float
    """Distance of neighbouring ribs."""
    dome: float
    """Height of the diaphragm."""
    vessels: int
    """Seed of the lungs' vessels."""

    @staticmethod
    def of(dice: random.Random) -> Build:
        """Somebody's build."""
        return Build(
            width=dice.uniform(0.94, 1.04),
            heart=dice.uniform(0.92, 1.04),
            ribs=dice.uniform(0.066, 0.076),
            dome=dice.uniform(0.095, 0.125),
            vessels=dice.randrange(2**32),
        )


@dataclass(frozen=True)
class Pose:
    """How one film was taken: no two are quite alike."""

    turn: float
    """Radians."""
    right: float
    down: float
    exposure: float

    @staticmethod
    def of(dice: random.Random) -> Pose:
        """Somehow."""
        return Pose(
            turn=dice.uniform(-0.022, 0.022),
            right=dice.uniform(-0.014, 0.014),
            down=dice.uniform(-0.012, 0.012),
            exposure=dice.uniform(0.93, 1.07),
        )

    def placed(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the body comes to lie on the film."""
        a, b = x - 0.5, y - 0.5
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return 0.5 + cos * a - sin * b + self.right, 0.5 + sin * a + cos * b + self.down


def box_on(region: str, pose: Pose, size: int) -> list[int]:
    """The box of a region on a film, in pixels: left, top, right, bottom."""
    left, top, right, bottom = REGION_BOXES[region]
    corners = [pose.placed(x, y) for x in (left, right) for y in (top, bottom)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    held = (min(xs), min(ys), max(xs), max(ys))
    return [round(max(0.0, min(1.0, value)) * size) for value in held]


def towards(side: Side) -> int:
    """+1 where x grows from the middle outwards (the patient's left), -1 on the right."""
    return 1 if side == "left" else -1
