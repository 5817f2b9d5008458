"""What a diagnostician comes to: ranked diagnoses, each with what speaks for and against it, quoted from the case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

MOST: Final = 5
"""Diagnoses in a differential."""
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | {"“": '"', "”": '"', "’": "'", "‘": "'"})


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Finding(_Record):
    """Something of the case that speaks for or against a diagnosis."""

    quote: str
    in_case: bool
    """Whether these very words stand in the case. False: the model made them up or worded them anew."""


class Diagnosis(_Record):
    """One diagnosis of a differential."""

    rank: int
    diagnosis: str
    supporting: tuple[Finding, ...] = Field(default=(), serialization_alias="for")
    opposing: tuple[Finding, ...] = Field(default=(), serialization_alias="against")
    confidence: float = Field(default=0.0, ge=0, le=1)
    """How firmly the samples agree: the mean over all samples of 1/rank, 0 in one that doesn't name it. Of a single
    sample it says no more than the rank. It is no probability."""
    also_called: tuple[str, ...] = ()
    """Other names that samples gave the same disease."""
    icd10cm: str | None = None
    """Its ICD-10-CM code, where the name is one of the classification's own."""


class Sample(_Record):
    """One reading of the case by one model."""

    number: int
    diagnoses: tuple[Diagnosis, ...] = ()
    reasoning: str = ""
    next_tests: tuple[str, ...] = ()
    red_flags: tuple[str, ...] = ()
    read_as: str = "form"
    """`form`: the reply was valid; `repair`: after one re-ask; else how names were read of a text that was not."""
    problem: str = ""
    """What was wrong with the reply, or why there is none."""
    output_tokens: int = 0


class Differential(_Record):
    """The answer to a case."""

    diagnoses: tuple[Diagnosis, ...] = ()
    next_tests: tuple[str, ...] = ()
    red_flags: tuple[str, ...] = ()


def in_case(quote: str, case: str) -> bool:
    """Whether a quote stands in the case, but for case, spacing, quotation marks, dashes and a cut with dots.

    Less than three letters or digits are no quote.
    """
    text = _plain(case)
    pieces = [piece for piece in (_plain(p) for p in re.split(r"\.\.\.|…|\[\s*\]", quote)) if piece]
    return bool(pieces) and all(len(re.sub(r"\W", "", piece)) >= 3 and piece in text for piece in pieces)


def _plain(text: str) -> str:
    same = unicodedata.normalize("NFKC", text).translate(_DASHES).casefold()
    return " ".join(same.split()).strip(" .,;:\"'")


def described(differential: Differential, *, flags: Sequence[str] = ()) -> str:
    """The differential as a person reads it. What is marked with (?) does not stand in the case."""
    lines = [f"**Red flag:** {text}" for text in differential.red_flags]
    for one in differential.diagnoses:
        code = f" (ICD-10-CM {one.icd10cm})" if one.icd10cm else ""
        lines.append(f"{one.rank}. {one.diagnosis}{code}")
        for word, findings in (("for", one.supporting), ("against", one.opposing)):
            if findings:
                said = "; ".join(f"“{f.quote}”{'' if f.in_case else ' (?)'}" for f in findings)
                lines.append(f"   - {word}: {said}")
    if not differential.diagnoses:
        lines.append("No diagnosis could be read of the model's replies.")
    lines += [f"Next: {text}" for text in differential.next_tests]
    lines += [f"Note: {text}" for text in flags]
    return "\n".join(lines)
