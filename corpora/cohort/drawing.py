"""Simple drawn chest films that show the findings of a synthetic patient. They look like what they are, and say so.

The film is a field of brightness, built up from the body to the bones; a finding adds or takes away what it would on
film (fluid and consolidation white, air black). Pictures of two films of one patient differ in position and exposure
too, as real ones do.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import MissingExtra
from .anatomy import Build, Pose, towards
from .findings import SIDES, Side, side_of
from .patients import SyntheticPatient

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE: Final = 512
"""Pixels of either side of a film."""
LABEL: Final = "SYNTHETIC DRAWING - NOT A PATIENT"
Field = NDArray[np.floating[Any]]
_HEIGHTS: Final = (0.0, 0.055, 0.16, 0.31)
"""How high an effusion stands above the angle, by severity."""
_ZONE_Y: Final = {"apical zone": 0.18, "upper lung zone": 0.27, "mid lung zone": 0.44, "lower lung zone": 0.63}


def pose_of(who: SyntheticPatient, film: int, seed: int) -> Pose:
    """How a film was taken."""
    return Pose.of(random.Random(f"pose/{seed}/{who.id}/{film}"))  # noqa: S311 - reproducible, not secret


def draw(who: SyntheticPatient, film: int, seed: int) -> Image:
    """The film, `SIZE` pixels square, greyscale.

    Raises:
        MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("drawing films needs Pillow: run `pip install 'wardround[images]'`") from None
    build = Build.of(random.Random(f"build/{seed}/{who.id}"))  # noqa: S311
    canvas = _Canvas(build, pose_of(who, film, seed))
    elevated: dict[Side, int] = {side: who.severity("elevation", f"{side} hemidiaphragm", film) for side in SIDES}
    canvas.chest(elevated, heart=who.severity("cardiomegaly", "cardiac silhouette", film))
    canvas.mediastinum(who.severity("widening", "upper mediastinum", film))
    for track in who.tracks:
        severity = track.severities[film]
        side = side_of(track.region)
        if severity and side:
            place = track.region.removeprefix(f"{side} ")
            grain = random.Random(f"grain/{seed}/{who.id}/{track.region}")  # noqa: S311
            canvas.finding(track.kind, side, place, severity, grain)
    canvas.devices(who.films[film].devices, who.films[film].chest_tube)
    picture = Image.fromarray(canvas.pixels(random.Random(f"noise/{seed}/{who.id}/{film}")))  # noqa: S311
    _letter(picture)
    return picture


def _letter(picture: Image) -> None:
    """The side marker, and what this is."""
    from PIL import ImageDraw, ImageFont

    ink = ImageDraw.Draw(picture)
    font = cast("Any", ImageFont.load_default(size=SIZE // 18))
    small = cast("Any", ImageFont.load_default(size=SIZE // 34))
    ink.text((SIZE * 0.05, SIZE * 0.05), "R", fill=235, font=font)
    ink.text((SIZE * 0.5, SIZE * 0.972), LABEL, fill=225, font=small, anchor="mm")


class _Canvas:
    """The field of brightness of one film, 0 (black) to 1 (white)."""

    def __init__(self, build: Build, pose: Pose) -> None:
        self.build, self.pose = build, pose
        steps = ((np.arange(SIZE) + 0.5) / SIZE).astype(np.float32)
        across, down = np.meshgrid(steps - pose.right - 0.5, steps - pose.down - 0.5)
        cos, sin = np.cos(pose.turn), np.sin(pose.turn)
        self.x: Field = (cos * across + sin * down).astype(np.float32)
        """From the middle of the body, positive to the patient's left."""
        self.y: Field = (cos * down - sin * across + 0.5).astype(np.float32)
        self.light: Field = np.full((SIZE, SIZE), 0.03, np.float32)
        self.lungs: dict[Side, Field] = {}
        self.base: dict[Side, Field] = {}
        """How far above (negative) or below the diaphragm each point lies."""
        self.free: Field = np.ones_like(self.light)
        """0 where the heart lies before the lungs."""

    def chest(self, elevated: dict[Side, int], heart: int) -> None:
        """Soft tissue, lungs, bones, heart."""
        x, y, wide = self.x, self.y, self.build.width
        half = 0.36 * wide + 0.10 * _step(y, 0.05, 0.05) - 0.02 * y
        self._over(_below(np.abs(x) - half, 0.012) * _step(y, 0.035 + 0.25 * np.abs(x) ** 2, 0.02), 0.60)
        for side in SIDES:
            self._lung(side, elevated[side])
        self._bones()
        radius = 0.145 * self.build.heart * (1 + 0.17 * heart)
        oval = np.hypot((x - 0.055 - 0.018 * heart) / radius, (y - 0.615) / (0.135 + 0.010 * heart))
        self.free = 1 - _below(oval - 1, 0.045)
        self._over(1 - self.free, 0.78)
        self._stomach()

    def _lung(self, side: Side, elevated: int) -> None:
        out = self.x * towards(side)  # from the middle outwards
        wide = self.build.width
        lift = self.build.dome + 0.045 * elevated + (0.02 if side == "right" else 0.0)
        dome = 0.80 - lift * np.clip(1 - ((out - 0.185) / 0.20) ** 2, 0, None)
        depth = self.y - dome
        t = np.clip((self.y - 0.115) / 0.60, 0, 1)
        outer = wide * (0.115 + 0.265 * np.sin(np.clip(t, 0, 1) * 1.45) ** 0.8)
        inner = 0.050 + 0.020 * t + (0.075 if side == "left" else 0.02) * _step(self.y, 0.50, 0.05)
        mask = _below(out - outer, 0.006) * _below(inner - out, 0.010)
        mask = mask * _below(depth, 0.006) * _step(self.y, 0.115 + 0.9 * (out - 0.16) ** 2, 0.008)
        self.lungs[side], self.base[side] = mask, depth
        self._over(mask, 0.205 + 0.05 * t)
        self._vessels(side, mask)

    def _vessels(self, side: Side, mask: Field) -> None:
        """Branches from the hilum outwards, drawn as lines and blurred."""
        dice = random.Random(f"{self.build.vessels}/{side}")  # noqa: S311
        lines: list[tuple[list[tuple[float, float]], float]] = []
        for index in range(9):
            angle = -1.15 + index * 0.30 + dice.uniform(-0.08, 0.08)
            x, y = 0.075, 0.45
            points, bend = [(x, y)], dice.uniform(-0.10, 0.10)
            for _ in range(5):
                x += 0.055 * np.cos(angle)
                y += 0.062 * np.sin(angle)
                angle += bend
                points.append((float(x), float(y)))
            lines += [(points[:3], 3.0), (points[2:], 1.6)]
        tree = self._lines([([(towards(side) * x, y) for x, y in points], width) for points, width in lines], 1.4)
        self.light += 0.20 * tree * mask

    def _bones(self) -> None:
        x, y = np.abs(self.x), self.y
        inside = np.maximum(self.lungs["left"], self.lungs["right"])
        for index in range(9):
            middle = 0.13 + index * self.build.ribs * (1 + 0.012 * index)
            behind = y - (middle + 0.22 * (x - 0.05) - 0.75 * (x - 0.05) ** 2)
            self.light += 0.075 * _near(behind, 0.011) * (0.35 + 0.65 * inside) * _step(0.39 - x, 0.0, 0.01)
            front = y - (middle + 0.10 - 0.55 * (x - 0.10))
            self.light += 0.030 * _near(front, 0.011) * inside
        clavicle = y - (0.170 - 0.16 * (x - 0.04) + 0.10 * np.sin((x - 0.04) * 9))
        self.light += 0.16 * _near(clavicle, 0.011) * _step(x, 0.035, 0.006) * _below(x - 0.37, 0.01)

    def mediastinum(self, widened: int) -> None:
        """Great vessels, hila, spine, windpipe."""
        x, y = self.x, self.y
        half = 0.055 + 0.026 * widened * _below(y - 0.36, 0.03) * _step(y, 0.12, 0.03)
        self._over(_below(np.abs(x) - half, 0.012) * _step(y, 0.09, 0.02) * _below(y - 0.78, 0.03), 0.70)
        knob = np.hypot((x - 0.062 - 0.012 * widened) / 0.042, (y - 0.305) / 0.045)
        self._over(_below(knob - 1, 0.10), 0.72)
        for side in SIDES:
            self._hilum(side, 0)
        bodies = 0.5 + 0.5 * np.cos(y * 2 * np.pi / 0.052)
        self.light += 0.05 * _below(np.abs(x) - 0.030, 0.006) * (0.5 + 0.5 * bodies) * _below(y - 0.93, 0.02)
        pipe = _below(np.abs(x) - 0.017, 0.006) * _below(y - 0.355, 0.008)
        arms = [_near(y - 0.35 - 0.75 * np.abs(x), 0.012) * _below(np.abs(x) - 0.075, 0.01) * _step(y, 0.35, 0.005)]
        self.light -= 0.20 * np.maximum(pipe, arms[0])

    def _hilum(self, side: Side, congested: int) -> None:
        out = self.x * towards(side)
        spread = 0.030 + 0.012 * congested
        blob = np.hypot((out - 0.080) / spread, (self.y - 0.45) / (0.055 + 0.014 * congested))
        amount = 0.14 + 0.075 * congested
        self.light += amount * np.exp(-(blob**2)).astype(np.float32)

    def _stomach(self) -> None:
        bubble = np.hypot((self.x - 0.16) / 0.062, (self.y - 0.855) / 0.032)
        self.light -= 0.17 * _below(bubble - 1, 0.12)

    def finding(self, kind: str, side: Side, place: str, severity: int, dice: random.Random) -> None:
        """Add a finding that has a side."""
        if kind == "effusion":
            self._effusion(side, severity)
        elif kind == "pneumothorax":
            self._pneumothorax(side, severity)
        elif kind == "congestion":
            self._hilum(side, severity)
            haze = np.hypot((self.x * towards(side) - 0.11) / 0.12, (self.y - 0.47) / 0.17)
            self.light += 0.07 * severity * np.exp(-(haze**2)).astype(np.float32) * self.lungs[side]
        elif kind == "consolidation":
            self._consolidation(side, _ZONE_Y[place], severity, dice)
        elif kind == "atelectasis":
            self._bands(side, severity, dice)
        elif kind == "nodule":
            x, y = _inside(_ZONE_Y[place], dice)
            ball = np.hypot(self.x * towards(side) - x, self.y - y) / (0.013, 0.013, 0.024, 0.043)[severity]
            self._over(_below(ball - 1, 0.12) * self.lungs[side], 0.66)

    def _effusion(self, side: Side, severity: int) -> None:
        out = self.x * towards(side)
        wall = np.clip((out - 0.10) / 0.26, 0, 1)
        level = 0.80 - _HEIGHTS[severity] - 0.075 * wall**3 * (0.5 + 0.5 * severity) + 0.06 * (1 - wall)
        fluid = _step(self.y, level, 0.010) * _below(0.055 - out, 0.015)
        self._over(fluid * self.lungs[side], 0.72)

    def _pneumothorax(self, side: Side, severity: int) -> None:
        """Air between lung and chest wall: no vessels, and the white line of the lung's edge."""
        out = self.x * towards(side)
        fallen = 0.035 + 0.045 * severity
        edge = np.hypot((out - 0.13) / (0.235 - 0.55 * fallen), (self.y - 0.52) / (0.44 - fallen)) - 1
        reach = _below(self.y - (0.30 + 0.14 * severity), 0.03)
        air = _step(edge, 0.0, 0.006) * self.lungs[side] * reach
        self._over(air, 0.085)
        self.light += 0.30 * _near(edge, 0.010) * self.lungs[side] * reach

    def _consolidation(self, side: Side, y: float, severity: int, dice: random.Random) -> None:
        x, y = _inside(y, dice)
        out = self.x * towards(side)
        cloud = np.zeros_like(self.light)
        for _ in range(7):
            reach = 0.022 + 0.014 * severity
            cx, cy = x + dice.uniform(-1, 1) * reach * 1.3, y + dice.uniform(-1, 1) * reach * 1.2
            size = reach * dice.uniform(0.8, 1.3)
            cloud = np.maximum(cloud, np.exp(-(((out - cx) ** 2 + (self.y - cy) ** 2) / size**2)))
        self._over((cloud * (0.42, 0.42, 0.66, 0.90)[severity]).astype(np.float32) * self.lungs[side], 0.68)

    def _bands(self, side: Side, severity: int, dice: random.Random) -> None:
        out = self.x * towards(side)
        for index in range(severity + 1):
            y = 0.655 - 0.032 * index + dice.uniform(-0.006, 0.006)
            slope = dice.uniform(-0.10, 0.02)
            length = 0.05 + 0.02 * severity
            line = _near(self.y - y - slope * (out - 0.26), 0.0045 + 0.0014 * severity)
            self.light += 0.30 * line * _below(np.abs(out - 0.26) - length, 0.012) * self.lungs[side] * self.free

    def devices(self, names: tuple[str, ...], chest_tube: str | None) -> None:
        """Tubes, lines and leads: thin and bright."""
        ways: dict[str, list[tuple[float, float]]] = {
            "endotracheal tube": [(0.004, 0.0), (0.004, 0.29)],
            "nasogastric tube": [(-0.008, 0.0), (-0.006, 0.5), (0.03, 0.74), (0.10, 0.83), (0.17, 0.85)],
            "central venous catheter": [(-0.13, 0.05), (-0.085, 0.16), (-0.055, 0.30), (-0.052, 0.46)],
        }
        lines = [(ways[name], 2.2) for name in names if name in ways]
        if "pacemaker" in names:
            lead = [(0.27, 0.21), (0.10, 0.215), (-0.03, 0.27), (-0.05, 0.45)]
            lines += [([*lead, (-0.045, 0.58)], 1.8), ([*lead, (0.02, 0.62), (0.12, 0.69)], 1.8)]
            box = np.maximum(np.abs(self.x - 0.30) / 0.045, np.abs(self.y - 0.215) / 0.034)
            self._over(_below(box - 1, 0.06), 0.97)
        if chest_tube in SIDES:
            sign = towards("left" if chest_tube == "left" else "right")
            lines.append(([(sign * 0.44, 0.66), (sign * 0.30, 0.52), (sign * 0.19, 0.30), (sign * 0.15, 0.19)], 3.2))
        if lines:
            self._over(np.clip(self._lines(lines, 0.6), 0, 1), 0.96)

    def pixels(self, dice: random.Random) -> NDArray[np.uint8]:
        """The film as it is stored: exposed, with a little grain."""
        grain = np.random.Generator(np.random.PCG64(dice.randrange(2**63))).normal(0, 0.008, (SIZE // 2, SIZE // 2))
        coarse = np.kron(grain, np.ones((2, 2)))
        lit = np.clip(self.light, 0, 1) ** np.float32(1 / self.pose.exposure) + coarse
        return (np.clip(lit, 0, 1) * 250).round().astype(np.uint8)

    def _over(self, mask: Field, value: float | Field) -> None:
        """Lay something opaque over the field, as far as `mask` reaches."""
        self.light = (self.light * (1 - mask) + value * mask).astype(np.float32)

    def _lines(self, lines: list[tuple[list[tuple[float, float]], float]], blur: float) -> Field:
        """Lines through points (x from the middle, y), with widths in pixels of a 512-pixel film; 0 to 1."""
        from PIL import Image, ImageDraw, ImageFilter

        layer = Image.new("L", (SIZE, SIZE), 0)
        ink = ImageDraw.Draw(layer)
        for points, width in lines:
            placed = [self.pose.placed(0.5 + x, y) for x, y in points]
            ink.line([(x * SIZE, y * SIZE) for x, y in placed], fill=255, width=max(1, round(width)), joint="curve")
        blurred = layer.filter(ImageFilter.GaussianBlur(blur))
        return np.asarray(blurred, np.float32) / np.float32(255)


def _inside(y: float, dice: random.Random) -> tuple[float, float]:
    """A place within the zone around `y`: x from the middle outwards, y. The same on all films of a patient."""
    middle = 0.15 if y < 0.3 else 0.20 if y < 0.6 else 0.235
    return middle + dice.uniform(-0.03, 0.03), y + dice.uniform(-0.03, 0.03)


def _step(values: Field, at: Any, soft: float) -> Field:
    """0 below `at`, 1 above, with a soft edge."""
    return _below(at - values, soft)


def _below(values: Any, soft: float) -> Field:
    """1 where the value is below 0, 0 above, with a soft edge."""
    return (1 / (1 + np.exp(np.clip(np.asarray(values) / (0.4 * soft), -40, 40)))).astype(np.float32)


def _near(values: Field, width: float) -> Field:
    """1 at 0, falling off on both sides."""
    return np.exp(-((values / width) ** 2)).astype(np.float32)
