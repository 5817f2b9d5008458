"""The shipped corpus: essential medicines that the project describes in its own words, facts from US labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from ..medicines import Medicine


def read_essential() -> Iterator[Medicine]:
    """The shipped medicines, one a file in `corpora/essential/`, by file name. Text in them is trusted: a file
    that is no valid Medicine raises pydantic's ValidationError."""
    for file in _files():
        yield Medicine.model_validate_json(file.read_bytes())


def essential_sha256() -> str:
    """One hash over all of their files."""
    whole = hashlib.sha256()
    for file in _files():
        whole.update(file.read_bytes())
    return whole.hexdigest()


def _files() -> list[Traversable]:
    folder = files("wardround.corpora") / "essential"
    return sorted((e for e in folder.iterdir() if e.name.endswith(".json")), key=lambda each: each.name)
