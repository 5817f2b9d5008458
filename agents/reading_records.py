"""What the historian found and said, and the check of its words against the records that were fetched.

"Checked" means: every cited number was shown, every longer quotation stands verbatim in a cited record, every quantity
and date of a sentence that cites stands in what it cites, and a sentence that tells what a report said cites one. It
does not mean that the record supports the claim, and nothing is checked about what a model sees in an image.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from ..corpora.patients import HistoryRecord
from .checking import Finding, Problem, cited_numbers, nearest_sentence, word_findings
from .sentences import CITATION_MARK, split_sentences
from .turn import AnsweredBy

_TELLS_OF_RECORD: Final = re.compile(
    r"\b(?:earlier|prior|previous|last|old)\s+(?:written\s+)?(?:report|record|note)s?\b|\b(?:report|record)s?\s+"
    r"(?:\[?\d|of\b|from\b|say|said|state|describe|mention|note)|\baccording to\b|"
    r"\b(?:was|were) (?:reported|recorded)\b",
    re.IGNORECASE,
)
_ISO_DATE: Final = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NumberedRecord(_Record):
    """A record with the number under which the historian saw it."""

    n: int = Field(ge=1)
    record: HistoryRecord


class RecordCitation(_Record):
    """What a cited number points to, for people to look up."""

    n: int
    record_id: str
    study_id: str
    date: str
    """ISO date of the study."""
    days_before: int
    """Whole days before the current study."""
    quote: str
    """The record's own sentence that the citing sentence repeats or comes nearest to."""
    compares: bool = False
    """Whether that sentence compares with a still earlier film, and so tells nothing about the change asked for."""


class Reading(_Record):
    """What the historian says."""

    text: str
    letter: str | None = None
    citations: tuple[RecordCitation, ...] = ()
    answered_by: AnsweredBy


def check_reading(text: str, records: Sequence[NumberedRecord]) -> list[tuple[str, tuple[Finding, ...]]]:
    """Every sentence of `text` with what is wrong with it."""
    return [(span.text, _problems(span.text, records)) for span in split_sentences(text)]


def _problems(sentence: str, records: Sequence[NumberedRecord]) -> tuple[Finding, ...]:
    known = {item.n: item.record for item in records}
    cited = cited_numbers(sentence)
    words = CITATION_MARK.sub(" ", sentence)
    found = [Finding(problem=Problem.UNKNOWN_CITATION, detail=str(n)) for n in cited if n not in known]
    held = [known[n] for n in cited if n in known]
    if held:
        dates = [record.date for record in held]
        days = [f"{record.days_before} days" for record in held]
        texts = [record.text for record in held]
        wrong = [date for date in _ISO_DATE.findall(words) if date not in dates and not any(date in t for t in texts)]
        found += [Finding(problem=Problem.WRONG_DATE, detail=date) for date in wrong]
        found += word_findings(_ISO_DATE.sub(" ", words), texts, days)
    elif not cited:
        quoted = [f for f in word_findings(words, [], [words]) if f.problem is Problem.QUOTE_NOT_FOUND]
        if quoted or _TELLS_OF_RECORD.search(words) or _ISO_DATE.search(words):
            found.append(Finding(problem=Problem.NO_CITATION))
    return tuple(found)


def record_citations(text: str, records: Sequence[NumberedRecord]) -> tuple[RecordCitation, ...]:
    """A citation for every cited number and quote, in order of appearance; unknown numbers give none."""
    known = {item.n: item.record for item in records}
    found: dict[tuple[int, str], RecordCitation] = {}
    for span in split_sentences(text):
        for n in cited_numbers(span.text):
            if n not in known:
                continue
            record = known[n]
            nearest = nearest_sentence(CITATION_MARK.sub(" ", span.text), [s.text for s in record.sentences])
            found.setdefault((n, nearest), citation(known[n], n, nearest))
    return tuple(found.values())


def citation(record: HistoryRecord, n: int, quote: str) -> RecordCitation:
    """The citation of one sentence of a record."""
    return RecordCitation(
        n=n,
        record_id=record.id,
        study_id=record.study_id,
        date=record.date,
        days_before=record.days_before,
        quote=" ".join(quote.split()),
        compares=any(sentence.compares for sentence in record.sentences if sentence.text == quote),
    )


def quoted(records: Sequence[NumberedRecord], *, most: int = 4) -> tuple[str, tuple[RecordCitation, ...]]:
    """What the records say, verbatim and dated, newest first: the answer where a model's own can't be used.

    Sentences that compare with a still earlier film come last.
    """
    lines: list[str] = []
    cited: list[RecordCitation] = []
    for item in records:
        stating = sorted(item.record.sentences, key=lambda s: s.compares)
        for sentence in stating:
            if len(lines) == most or not sentence.regions:
                continue
            one = citation(item.record, item.n, sentence.text)
            if any(before.quote == one.quote and before.n == one.n for before in cited):
                continue
            ago = f"{one.days_before} days before" if one.days_before != 1 else "1 day before"
            still = ", compared with a still earlier film" if one.compares else ""
            lines.append(f"{one.date} ({ago}{still}): “{one.quote}” [{one.n}]")
            cited.append(one)
    return "\n".join(lines), tuple(cited)
