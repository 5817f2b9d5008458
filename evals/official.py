"""Scores of the files that DiagnosisArena's official scripts write, with every case of the data set counted.

Judged files have `id`, `LLM Response` (the candidate) and `response` (the judge, one boxed score a diagnosis); answers
to multiple choice have `id` and `LLM Response`. What the official metric does with them (github.com/SPIRAL-MED/
DiagnosisArena): takes boxes by position, stops at the first that is no integer, and divides by the lines that happen to
be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from ..agents.differential_text import name_key, read_differential
from .letters import read_letter
from .reading import Row, read_rows, text_field
from .statistics import Figure, rate

_LINE: Final = re.compile(
    r"^[\s*_>#-]*(?:(?P<n>\d{1,2})[.)、:：]\s*)?(?P<name>.*?)[\s*_:：=-]*\\boxed\s*\{\s*(?P<score>[^{}]*)\}"
)
EXACT: Final = 2
"""The only score that counts as right."""


class FailedCase(BaseModel):
    """A case that is counted wrong because of how its record is."""

    model_config = ConfigDict(frozen=True)
    id: str
    cause: str


class OfficialScore(BaseModel):
    """What a file is worth."""

    model_config = ConfigDict(frozen=True)
    benchmark: str
    n: int
    """Cases of the data set."""
    top1: Figure | None = None
    top5: Figure | None = None
    accuracy: Figure | None = None
    missing: tuple[str, ...]
    """Cases without a record: counted wrong."""
    failed: tuple[FailedCase, ...]
    """Cases whose record can't be scored: counted wrong."""
    duplicates: tuple[str, ...]
    """Cases with several records; the last counts, once."""
    unknown: tuple[str, ...]
    """Records of cases that the data set doesn't have: not counted."""


class UnreadableScore(Exception):
    """A judge's reply does not give each diagnosis one score."""


def score_diagnosisarena(judged: Path, data: Path) -> OfficialScore:
    """Top-1 and Top-5 of a file that the official judge script wrote.

    A case is right at Top-1 if the first diagnosis has a 2, at Top-5 if any of the first five has. A score belongs to
    the diagnosis that its line names; where a line's name is not the candidate's, position decides, but only if there
    are as many scores as diagnoses.

    Raises:
        UserError: a file can't be read.
    """
    cases = {text_field(row, "id"): row for row in read_rows(data)}
    records, duplicates, unknown = _records(judged, cases)
    first: list[bool] = []
    any_of_five: list[bool] = []
    failed: list[FailedCase] = []
    for case in cases:
        scores: tuple[int, ...] = ()
        if case in records:
            try:
                scores = scores_of(_text(records[case], "LLM Response"), _text(records[case], "response"))
            except UnreadableScore as error:
                failed.append(FailedCase(id=case, cause=str(error)))
        first.append(scores[:1] == (EXACT,))
        any_of_five.append(EXACT in scores[:5])
    missing = tuple(case for case in cases if case not in records)
    bad = len(missing) + len(failed)
    return OfficialScore(
        benchmark="diagnosisarena",
        n=len(cases),
        top1=rate(first, failed=bad),
        top5=rate(any_of_five, failed=bad),
        missing=missing,
        failed=tuple(failed),
        duplicates=duplicates,
        unknown=unknown,
    )


def score_diagnosisarena_mcq(answers: Path, data: Path) -> OfficialScore:
    """Accuracy of a file that the official multiple-choice script wrote.

    Raises:
        UserError: a file can't be read.
    """
    cases = {text_field(row, "id"): row for row in read_rows(data)}
    records, duplicates, unknown = _records(answers, cases)
    right: list[bool] = []
    failed: list[FailedCase] = []
    for case, row in cases.items():
        reading = None
        if case in records:
            options = {str(letter): str(text) for letter, text in dict(row.data["Options"]).items() if text is not None}
            reading = read_letter(_text(records[case], "LLM Response"), options)
            if reading.letter is None:
                cause = f"ambiguous: {' and '.join(reading.candidates)}" if reading.ambiguous else "chooses no option"
                failed.append(FailedCase(id=case, cause=cause))
        right.append(reading is not None and reading.letter == text_field(row, "Right Option").strip().upper())
    missing = tuple(case for case in cases if case not in records)
    return OfficialScore(
        benchmark="diagnosisarena-mcq",
        n=len(cases),
        accuracy=rate(right, failed=len(missing) + len(failed)),
        missing=missing,
        failed=tuple(failed),
        duplicates=duplicates,
        unknown=unknown,
    )


def scores_of(candidate: str, judge: str) -> tuple[int, ...]:
    """The judge's scores in the order of the candidate's diagnoses.

    Raises:
        UnreadableScore: not every diagnosis has one score of 0, 1 or 2.
    """
    diagnoses = read_differential(candidate).diagnoses
    if not diagnoses:
        raise UnreadableScore("the candidate names no diagnosis")
    lines = list(_scored_lines(judge))
    if not lines:
        raise UnreadableScore("the judge gives no boxed score")
    wanted = [name_key(diagnosis) for diagnosis in diagnoses]
    by_name = {key: score for name, score in lines if (key := name_key(name)) in wanted}
    if len(by_name) == len(wanted):
        chosen = [by_name[key] for key in wanted]
    elif len(lines) == len(wanted):
        chosen = [score for _, score in lines]
    else:
        raise UnreadableScore(f"{len(lines)} scores for {len(wanted)} diagnoses, and names that do not agree")
    if bad := next((score for score in chosen if score not in ("0", "1", "2")), None):
        raise UnreadableScore(f"the score `{bad[:40]}` is none of 0, 1, 2")
    return tuple(int(score) for score in chosen if score)


def _scored_lines(judge: str) -> Iterator[tuple[str, str]]:
    """Each line's name and boxed score; of lines with one number (a list gone through twice) the last."""
    numbered: dict[str, tuple[str, str]] = {}
    for count, line in enumerate(judge.splitlines()):
        if match := _LINE.match(line):
            numbered[match["n"] or f"line {count}"] = (match["name"].strip(" *_;"), match["score"].strip() or "nothing")
    yield from numbered.values()


def _records(path: Path, cases: Mapping[str, Row]) -> tuple[dict[str, Row], tuple[str, ...], tuple[str, ...]]:
    """The last record of each case; the cases with several; the ids that no case has."""
    found: dict[str, Row] = {}
    duplicates: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for row in read_rows(path):
        case = text_field(row, "id")
        if case not in cases:
            unknown[case] = None
        elif case in found:
            duplicates[case] = None
        found[case] = row
    return {case: row for case, row in found.items() if case in cases}, tuple(duplicates), tuple(unknown)


def _text(row: Row, name: str) -> str:
    """A field's text; a failed call left null there."""
    value = row.data.get(name)
    return value if isinstance(value, str) else ""
