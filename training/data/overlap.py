"""No benchmark text in training data: shared runs of words, and nearness in meaning.

A row is refused whose dialogue shares `RUN` words in a row with any text of a benchmark, or lies within `NEAR` of one
by the vectors of an encoder, where one was pulled. What was refused, and why, is part of the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict

from ...corpora.words import fold
from ...evals.reading import read_rows, sha256_of
from ...models.encoders import Encoder
from .rows import PreferenceRow, SftRow

RUN: Final = 8
"""Words in a row that two independent texts do not share; of a shorter text, all of it."""
NEAR: Final = 0.95
"""Cosine from which two texts say the same."""
_SHORTEST: Final = 5
"""Words of a text below which it says nothing of its own ("what are the side effects")."""
_LONGEST: Final = 300
"""Characters at the end of a text whose meaning is compared: there the question stands, and vectors take time."""
_BATCH: Final = 64
_T = TypeVar("_T")
_WORD: Final = re.compile(r"[a-z0-9']+|[\u4e00-\u9fff]")


class Refused(BaseModel):
    """A row that is too like a benchmark's text."""

    model_config = ConfigDict(frozen=True)

    row: str
    benchmark: str
    """`FILE: id`."""
    why: str


class OverlapReport(BaseModel):
    """What was compared and what was refused."""

    model_config = ConfigDict(frozen=True)

    rows: int
    benchmarks: dict[str, str]
    """Files (folder and name) and the first digits of their sha256."""
    texts: int
    """Texts of the benchmarks that were compared with."""
    run_words: int
    encoder: str | None
    """Whose vectors told nearness in meaning; None where no encoder was at hand."""
    nearest: float | None
    """The largest cosine of a row that was kept."""
    refused: tuple[Refused, ...]


def benchmark_texts(files: Iterable[Path]) -> dict[str, str]:
    """What is asked in benchmark files: `FILE: id` -> text. Of a dialogue the person's turns, joined and one by one.

    Raises:
        UserError: a file can't be read.
    """
    found: dict[str, str] = {}
    for path in files:
        for number, row in enumerate(read_rows(path), start=1):
            name = f"{path.name}: {row.data.get('id', number)}"
            for part, text in enumerate(_asked(row.data)):
                found[f"{name}#{part}" if part else name] = text
    return found


def _asked(data: Mapping[str, Any]) -> Iterator[str]:
    dialogue = data.get("dialogue")
    if isinstance(dialogue, list):
        said = [
            str(turn.get("content", "")) for turn in dialogue if isinstance(turn, dict) and turn.get("role") == "user"
        ]
        yield " ".join(said)
        yield from said
    else:
        for field in ("question", "Case Information", "text"):
            if isinstance(data.get(field), str):
                yield str(data[field])


def asked_in(row: SftRow | PreferenceRow) -> str:
    """What a training row says besides its targets and its system prompt: the turns of the person."""
    turns = row.messages[:-1] if isinstance(row, SftRow) else row.prompt
    return " ".join(m.content for m in turns if m.role in ("user", "tool"))


def _question(row: SftRow | PreferenceRow) -> str:
    """The end of what is asked, without the hints behind it."""
    lines = [line for line in asked_in(row).splitlines() if not line.startswith("names: ")]
    return lines[-1].removeprefix("question: ")[-_LONGEST:] if lines else ""


def words(text: str) -> list[str]:
    """The words that count for shared runs; of Chinese each character is one."""
    return _WORD.findall(fold(text))


def without_overlap(
    rows: Sequence[SftRow], benchmarks: Sequence[Path], *, encoder: Encoder | None = None
) -> tuple[list[SftRow], OverlapReport]:
    """The rows that no benchmark has, and the report of those that one does.

    Raises:
        UserError: a benchmark file can't be read.
    """
    texts = benchmark_texts(benchmarks)
    runs: dict[tuple[str, ...], str] = {}
    for name, text in texts.items():
        own = words(text)
        if len(own) >= _SHORTEST:
            for at in range(max(1, len(own) - RUN + 1)):
                runs.setdefault(tuple(own[at : at + RUN]), name)
    short = {run for run in runs if len(run) < RUN}
    refused = {row.id: found for row in rows if (found := _shares_run(row, runs, short)) is not None}
    kept = [row for row in rows if row.id not in refused]
    nearest: float | None = None
    if encoder is not None and texts and kept:
        near, nearest = _near(kept, texts, encoder)
        refused |= near
        kept = [row for row in kept if row.id not in near]
    report = OverlapReport(
        rows=len(rows),
        benchmarks={f"{path.parent.name}/{path.name}": sha256_of(path)[:16] for path in benchmarks},
        texts=len(texts),
        run_words=RUN,
        encoder=encoder.name if encoder is not None else None,
        nearest=nearest,
        refused=tuple(refused.values()),
    )
    return kept, report


def _shares_run(row: SftRow, runs: Mapping[tuple[str, ...], str], short: set[tuple[str, ...]]) -> Refused | None:
    own = words(asked_in(row))
    for at in range(len(own) - RUN + 1):
        run = tuple(own[at : at + RUN])
        if run in runs:
            return Refused(row=row.id, benchmark=runs[run], why=f"shares {json.dumps(' '.join(run))}")
    asked = words(_question(row))
    for whole in short:  # a short benchmark question, asked as a whole
        if tuple(asked[-len(whole) :]) == whole:
            return Refused(row=row.id, benchmark=runs[whole], why=f"asks {json.dumps(' '.join(whole))}")
    return None


def _near(rows: Sequence[SftRow], texts: Mapping[str, str], encoder: Encoder) -> tuple[dict[str, Refused], float]:
    import numpy as np

    names = [name for name, text in texts.items() if len(words(text)) >= _SHORTEST]
    asked = [texts[name][-_LONGEST:] for name in names]
    of_texts = np.vstack([encoder.encode(part, kind="query") for part in _parts(asked)])
    refused: dict[str, Refused] = {}
    nearest = 0.0
    for part in _parts(list(rows)):
        likeness = encoder.encode([_question(row) for row in part], kind="query") @ of_texts.T
        for row, found in zip(part, likeness, strict=True):
            at = int(found.argmax())
            if found[at] >= NEAR:
                why = f"cosine {found[at]:.3f}"
                refused[row.id] = Refused(row=row.id, benchmark=names[at], why=why)
            else:
                nearest = max(nearest, float(found[at]))
    return refused, nearest


def _parts(items: list[_T]) -> Iterator[list[_T]]:
    for at in range(0, len(items), _BATCH):
        yield items[at : at + _BATCH]
