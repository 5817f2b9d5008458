"""Chest ImaGenome's silver scene graphs (https://physionet.org/content/chest-imagenome/1.0.0/).

They say where the regions lie in a film, and which phrases of its report speak of them.

One file a film, `silver_dataset/scene_graph/<dicom_id>_SceneGraph.json`. Read are `objects` (`bbox_name` and the box in
pixels of the original film, `original_x1` ... `original_y2`) and `attributes` (`bbox_name` and `phrases`). Names that
have no box (such as "left chest wall") are no `Region` and are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ...sources.problems import Problems
from ..records import Box
from ..regions import Region

_KNOWN = {r.value: r for r in Region}


@dataclass(frozen=True)
class SceneGraph:
    """What is used of a scene graph."""

    boxes: dict[Region, Box] = field(default_factory=dict[Region, Box])
    phrases: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Phrases of the report, white space as single blanks, with the names of their regions."""


def find(path: Path) -> Path | None:
    """The folder of scene graphs in or below `path`, None where there is none."""
    inner = (
        "",
        "scene_graph",
        "scene_graph/scene_graph",
        "silver_dataset/scene_graph",
        "silver_dataset/scene_graph/scene_graph",
    )
    for root in (path, *sorted(path.glob("chest-imagenome*")), *sorted(path.glob("chest-imagenome*/*"))):
        for name in inner:
            if next((root / name).glob("*_SceneGraph.json"), None):
                return root / name
    return None


def read(
    folder: Path | None, dicom: str, *, subject: str, size: tuple[int, int] | None, problems: Problems
) -> SceneGraph:
    """The scene graph of a film, empty where there is none.

    One that names another patient, or that cannot be read, is reported and left out. `size` is the film's columns and
    rows; boxes are cut to it.
    """
    file = folder / f"{dicom}_SceneGraph.json" if folder else None
    if file is None or not file.is_file():
        return SceneGraph()
    try:
        data: object = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        problems.add(file, 0, f"not JSON: {error}")
        return SceneGraph()
    if not isinstance(data, dict):
        problems.add(file, 0, "not a scene graph")
        return SceneGraph()
    graph = cast("dict[str, Any]", data)
    named = str(graph.get("patient_id", subject)).removeprefix("p")
    if named != subject or str(graph.get("image_id", dicom)) != dicom:
        problems.add(file, 0, "a scene graph of another patient or film: left out")
        return SceneGraph()
    return SceneGraph(_boxes(_objects(graph.get("objects")), size), _phrases(_objects(graph.get("attributes"))))


def _boxes(objects: Sequence[Mapping[str, Any]], size: tuple[int, int] | None) -> dict[Region, Box]:
    found: dict[Region, Box] = {}
    for each in objects:
        region = _KNOWN.get(str(each.get("bbox_name")))
        try:
            left, top, right, bottom = (round(float(each[f"original_{side}"])) for side in ("x1", "y1", "x2", "y2"))
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        if size:
            right, bottom = min(right, size[0]), min(bottom, size[1])
        left, top = max(left, 0), max(top, 0)
        if region and right > left and bottom > top:
            found[region] = Box(left=left, top=top, right=right, bottom=bottom)
    return found


def _phrases(attributes: Sequence[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for each in attributes:
        name, phrases = str(each.get("bbox_name")), each.get("phrases")
        if name in _KNOWN and isinstance(phrases, list):
            for phrase in cast("list[object]", phrases):
                flat = " ".join(str(phrase).split())
                found[flat] = found.get(flat, frozenset()) | {name}
    return {phrase: names for phrase, names in found.items() if phrase}


def _objects(value: object) -> list[Mapping[str, Any]]:
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, Any]", each) for each in listed if isinstance(each, dict)]
