"""The shipped corpus: essential medicines that the project describes in its own words, facts from US labels."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from ..medicines import Medicine


def read_essential() -> Iterator[Medicine]:
    """The shipped medicines, one a file in `corpora/essential/`, by file name. Text in them is trusted: a file
    that is no valid Medicine raises pydantic's ValidationError."""
    folder = files("wardround.corpora") / "essential"
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".json"):
            yield Medicine.model_validate_json(file.read_bytes())
