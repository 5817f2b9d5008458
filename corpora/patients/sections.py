"""The sections of a report, by its headings as MIMIC-CXR and other hospitals write them.

A heading stands at the start of a line and ends with a colon. Reports often have no FINDINGS heading: what stands
unheaded in a paragraph of its own after the comparison (or at the start) is read as findings.
"""

from __future__ import annotations

import re
from typing import Final

from .records import Section, SectionName

_HEADING: Final = re.compile(
    r"^[ \t]*(?P<name>[A-Z][A-Z0-9 ,/&().'-]{2,60}|(?:Examination|Exam|Indication|History|Clinical [Hh]istory|"
    r"Technique|Comparison|Findings|Impression|Conclusion|Recommendations?))[ \t]*:",
    re.MULTILINE,
)
_TITLE: Final = re.compile(r"^[ \t]*(?:FINAL|PRELIMINARY|INTERIM) (?:REPORT|ADDENDUM)[^\n]*$", re.MULTILINE)
_NAMES: Final[tuple[tuple[str, SectionName], ...]] = (  # the first word that a heading holds decides
    (r"WET READ|ADDENDUM|NOTIFICATION|RECOMMENDATION", SectionName.OTHER),
    (r"IMPRESSION|CONCLUSION|OPINION", SectionName.IMPRESSION),
    (r"FINDING", SectionName.FINDINGS),
    (r"COMPARISON|PRIOR", SectionName.COMPARISON),
    (r"INDICATION|HISTORY|REASON|CLINICAL|SYMPTOM", SectionName.INDICATION),
    (r"TECHNIQUE|PROCEDURE", SectionName.TECHNIQUE),
    (r"EXAM|STUDY", SectionName.EXAMINATION),
    (r"CHEST|VIEW|RADIOGRAPH|FRONTAL|PORTABLE|LATERAL|LUNGS?|HEART|PLEURA|MEDIASTINUM|BONES", SectionName.FINDINGS),
)
_BREAK: Final = re.compile(r"\n[ \t]*\n")
_SHORT: Final = frozenset(
    {SectionName.EXAMINATION, SectionName.INDICATION, SectionName.TECHNIQUE, SectionName.COMPARISON}
)
"""Sections of one paragraph: an unheaded one that follows is findings."""


def sections_of(text: str) -> tuple[Section, ...]:
    """The sections of a report in their order, without headings, titles and outer white space; empty ones left out."""
    marks: list[tuple[int, int, SectionName]] = [
        *((m.start(), m.end(), _name(m["name"])) for m in _HEADING.finditer(text)),
        *((m.start(), m.end(), SectionName.EXAMINATION) for m in _TITLE.finditer(text)),
    ]
    marks.sort()
    if not marks or text[: marks[0][0]].strip():
        marks.insert(0, (0, 0, SectionName.FINDINGS))
    found: list[Section] = []
    for n, (_, start, name) in enumerate(marks):
        end = marks[n + 1][0] if n + 1 < len(marks) else len(text)
        for part_name, part_start, part_end in _paragraphs(text, start, end, name):
            section = _trimmed(text, part_name, part_start, part_end)
            if section:
                found.append(section)
    return tuple(found)


def _paragraphs(text: str, start: int, end: int, name: SectionName) -> list[tuple[SectionName, int, int]]:
    """The section itself and, where it holds one paragraph by nature, what follows as findings."""
    if name not in _SHORT:
        return [(name, start, end)]
    first = re.compile(r"\S").search(text, start, end)
    gap = _BREAK.search(text, first.start(), end) if first else None
    if gap is None:
        return [(name, start, end)]
    return [(name, start, gap.start()), (SectionName.FINDINGS, gap.end(), end)]


def _trimmed(text: str, name: SectionName, start: int, end: int) -> Section | None:
    body = text[start:end]
    if not body.strip():
        return None
    return Section(name=name, start=start + len(body) - len(body.lstrip()), end=start + len(body.rstrip()))


def _name(heading: str) -> SectionName:
    upper = heading.upper()
    return next((name for words, name in _NAMES if re.search(rf"\b(?:{words})", upper)), SectionName.OTHER)
