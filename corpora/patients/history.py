"""What is known of a patient before the current study: the query behind the tool `patient_history`.

The rule of time: a study counts as earlier only where the last moment that it may have happened at lies before the
first moment of the current one. So of two studies that are only dated, the one of the same day is left out, and one
that is a second earlier is in. A report that was signed after the current study began is left out, and so are addenda,
wet readings and notices in a report, whose own time is unknown. The rule of place: a sentence concerns a region if it
names it, what holds it, or what lies in it (`Region.related`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from ...errors import AccessDenied, UserError
from .access import Grant
from .moments import clock_difference, parse_moment
from .reading import ASSERTING
from .records import History, HistoryRecord, Scope, SectionName, Sentence
from .regions import Region
from .store import PatientStore, StudyRow

CHARS_PER_TOKEN: Final = 4
"""For the budget only; English reports have between 3.5 and 5."""
_SHOWN: Final = (SectionName.INDICATION, SectionName.COMPARISON, SectionName.FINDINGS, SectionName.IMPRESSION)
_NO_STUDY: Final = "no study of this patient is known to be earlier than the current one"


class Comparisons(StrEnum):
    """What to do with sentences that compare with a still earlier film; models repeat them as if they were about the
    films in question (MAG, arXiv 2502.11651)."""

    MARK = "mark"
    """Leave them in; they are marked where the record is shown."""
    PLAIN = "plain"
    """Leave them in without a mark: as the paper does."""
    LEAVE_OUT = "leave_out"


@dataclass(frozen=True)
class HistoryQuery:
    """What is asked for. Who and before when are not part of it: those come from a `Grant`."""

    scope: Scope = Scope.GLOBAL
    regions: Collection[Region] = ()
    """What REGIONAL and BOTH ask for."""
    limit: int = 3
    """Earlier studies at most."""
    tokens: int = 1500
    """Of text at most, roughly."""
    comparisons: Comparisons = Comparisons.MARK


def history(store: PatientStore, grant: Grant, query: HistoryQuery) -> History:
    """The records of the granted patient before the granted moment, newest first.

    Raises:
        AccessDenied: the grant is for another store.
        UserError: a regional query without a region, or a limit or budget below 1.
    """
    if type(grant) is not Grant or grant.store != store.id:
        raise AccessDenied("this grant is not for these patient records: `issue` one for this store")
    if query.limit < 1 or query.tokens < 1:
        raise UserError("a history needs a limit and a token budget of at least 1")
    if query.scope is not Scope.GLOBAL and not query.regions:
        raise UserError(f"the scope `{query.scope.value}` needs a region: name one, or take the scope `global`")
    earlier, unclear = _earlier(store, grant)
    return _Collecting(store, grant, query, earlier, unclear).collect()


def _earlier(store: PatientStore, grant: Grant) -> tuple[list[StudyRow], int]:
    """The studies that are provably earlier, last first, and how many may or may not be."""
    earlier: list[StudyRow] = []
    unclear = 0
    for study in store.studies_before(grant.patient, grant.before):
        slack = clock_difference(study.zoned, grant.zoned)
        if study.id == grant.study:
            continue
        if study.last + slack < grant.before:
            earlier.append(study)
        elif study.first - slack <= grant.before:
            unclear += 1
    return earlier, unclear


class _Collecting:
    """Walks back through the earlier studies until limit or budget is reached."""

    def __init__(
        self, store: PatientStore, grant: Grant, query: HistoryQuery, earlier: Sequence[StudyRow], unclear: int
    ) -> None:
        self._store, self._grant, self._query, self._earlier = store, grant, query, earlier
        self._unclear = unclear
        self._concerned = frozenset(r for region in query.regions for r in region.related)
        self._comparing_left_out = 0
        self._reports = 0

    def collect(self) -> History:
        """The history."""
        records: list[HistoryRecord] = []
        left = self._query.tokens * CHARS_PER_TOKEN
        used = 0
        more = False
        for study in self._earlier:
            own = list(self._records(study))
            used += bool(own)
            if used > self._query.limit:
                more = True
                break
            for record in own:
                fitting = record if len(record.text) <= left else None if records else _cut(record, left)
                more = more or fitting is not record
                if fitting is None:
                    break
                records.append(fitting)
                left -= len(fitting.text)
            if more:
                break
        return History(
            records=tuple(records),
            regions=tuple(r for r in Region if r in self._query.regions),
            earlier=len(self._earlier),
            more=more,
            comparing_left_out=self._comparing_left_out,
            unclear_order=self._unclear,
            empty_because=None if records else self._why_empty(more),
        )

    def _records(self, study: StudyRow) -> Iterator[HistoryRecord]:
        issued = self._store.issued(study.row)
        if issued and issued[0] + clock_difference(issued[1], self._grant.zoned) >= self._grant.before:
            self._unclear += 1
            return
        report = self._store.report(study.row)
        if report is None:
            return
        self._reports += 1
        if self._query.scope is not Scope.GLOBAL:
            said = [s for s in report.sentences if s.section in ASSERTING and self._concerned.intersection(s.regions)]
            yield from self._record(study, Scope.REGIONAL, said)
        if self._query.scope is not Scope.REGIONAL:
            said = [s for s in report.sentences if s.section in _SHOWN]
            yield from self._record(study, Scope.GLOBAL, said)

    def _record(self, study: StudyRow, scope: Scope, said: Sequence[Sentence]) -> Iterator[HistoryRecord]:
        kept = [s for s in said if not (s.compares and self._query.comparisons is Comparisons.LEAVE_OUT)]
        self._comparing_left_out += len(said) - len(kept)
        if not any(s.section in ASSERTING for s in kept):
            return
        time = parse_moment(study.time)[0]
        until = parse_moment(study.until)[0] if study.until else None
        yield record_of(study.id, (time, until), (self._grant.date - time.date()).days, scope, kept)

    def _why_empty(self, more: bool) -> str:
        if not self._earlier:
            return _NO_STUDY
        n = f"{len(self._earlier)} earlier {'study' if len(self._earlier) == 1 else 'studies'}"
        if not self._reports:
            return f"of {n}, none has a report that was known by then"
        if more:
            return f"the token budget of {self._query.tokens} is too small for any record"
        if self._comparing_left_out:
            return f"of {n}, reports hold only sentences that compare with still earlier films, and these are left out"
        if self._query.scope is Scope.REGIONAL:
            names = ", ".join(r.value for r in Region if r in self._query.regions)
            return f"of {n}, no report says anything of: {names}"
        return f"of {n}, no report has findings or an impression"


def record_of(
    study: str, when: tuple[datetime, datetime | None], days_before: int, scope: Scope, sentences: Sequence[Sentence]
) -> HistoryRecord:
    """A record of these sentences, its text joined by section and without line breaks inside sentences.

    `when` is `time` and `until` of the study.
    """
    parts: list[str] = []
    last: SectionName | None = None
    for sentence in sentences:
        flat = " ".join(sentence.text.split())
        if sentence.section is last:
            parts[-1] += f" {flat}"
        else:
            parts.append(f"{sentence.section.value.capitalize()}: {flat}")
        last = sentence.section
    named = {r for s in sentences for r in s.regions}
    return HistoryRecord(
        id=f"{study}/{scope.value}",
        study_id=study,
        time=when[0],
        until=when[1],
        days_before=days_before,
        scope=scope,
        text="\n".join(parts),
        sentences=tuple(sentences),
        regions=tuple(r for r in Region if r in named),
        compares=any(s.compares for s in sentences),
    )


def _cut(record: HistoryRecord, chars: int) -> HistoryRecord | None:
    """The record, or as many of its first sentences as fit; None where not even one does."""
    for count in range(len(record.sentences), 0, -1):
        shorter = (
            record
            if count == len(record.sentences)
            else record_of(
                record.study_id, (record.time, record.until), record.days_before, record.scope, record.sentences[:count]
            )
        )
        if len(shorter.text) <= chars:
            return shorter
    return None
