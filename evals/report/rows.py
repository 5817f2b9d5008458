"""What a report's list holds of every result, and where the examples stand; made in one pass, with no texts kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Final, Generic, TypeVar, cast

from pydantic import JsonValue

from ..benchmark import Example
from ..result import Result
from ..run_folder import Manifest

_SNIPPET: Final = 160
_THING = TypeVar("_THING", bound=Hashable)


class Examples:
    """The examples of a run by key, read from the file when asked for."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._at: dict[str, tuple[int, int]] = {}
        offset = 0
        for line in self._file:
            self._at[json.loads(line)["key"]] = (len(self._at), offset)
            offset += len(line)

    def __enter__(self) -> Examples:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def get(self, key: str) -> Example | None:
        """The example; None where the run has none with this key."""
        if key not in self._at:
            return None
        self._file.seek(self._at[key][1])
        return Example.model_validate_json(self._file.readline())

    def place(self, key: str) -> int:
        """Its place in the order of the data; after all others where there is none."""
        return self._at.get(key, (len(self._at), 0))[0]


class Numbered(Generic[_THING]):
    """Numbers for things that occur again and again, in the order in which they came."""

    def __init__(self) -> None:
        self._numbers: dict[_THING, int] = {}

    def number(self, thing: _THING) -> int:
        """The thing's number, a new one the first time."""
        return self._numbers.setdefault(thing, len(self._numbers))

    @property
    def things(self) -> list[_THING]:
        """All of them, by number."""
        return list(self._numbers)


class Rows:
    """A short row for every result; the page's list is drawn, filtered and sorted from these alone."""

    def __init__(self, manifest: Manifest, examples: Examples) -> None:
        self._metrics = [metric.name for metric in manifest.metrics]
        self._examples = examples
        self.rows: list[list[JsonValue]] = []
        """Each: id, sample, place, failed, question, values, groups, flags, seconds, tokens, cause."""
        self.groups: Numbered[tuple[str, str]] = Numbered()
        self.flags: Numbered[str] = Numbered()
        self.causes: Numbered[str] = Numbered()
        self.node_seconds: Counter[str] = Counter()
        """Of all results together."""

    def add(self, result: Result) -> None:
        """Take a result up; results come in the order in which their records are written later."""
        example = self._examples.get(result.key)
        groups = example.groups if example else {}
        for name, seconds in result.timings.items():
            if name != "total_s":
                self.node_seconds[name.removesuffix("_s")] += seconds  # pyright: ignore[reportArgumentType] - a float
        self.rows.append(
            [
                result.id,
                result.sample,
                self._examples.place(result.key),
                int(result.status == "failed"),
                _question(example),
                [_short(result.score.values.get(name)) for name in self._metrics],
                [self.groups.number((dimension, group)) for dimension, some in groups.items() for group in some],
                [self.flags.number(flag) for flag in result.score.flags],
                _short(result.timings.get("total_s")),
                sum(result.usage.get(kind, 0) for kind in ("input_tokens", "output_tokens")),
                self.causes.number(result.failure.type) if result.failure else None,
            ]
        )


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _question(example: Example | None) -> str:
    """The beginning of what was asked last."""
    for message in reversed(example.messages if example else ()):
        content = message.get("content")
        parts = content if isinstance(content, list) else [content]
        texts = [part if isinstance(part, str) else _text(part) for part in parts]
        if text := " ".join(" ".join(texts).split()):
            return text if len(text) <= _SNIPPET else text[: _SNIPPET - 1] + "…"
    return ""


def _text(part: JsonValue) -> str:
    text = cast("dict[str, JsonValue]", part).get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else ""
