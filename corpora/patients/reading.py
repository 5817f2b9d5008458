"""A report from its plain text: sections, sentences, and what each of these is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from .assertions import assertions
from .records import Report, Section, SectionName, Sentence
from .region_words import regions_in
from .regions import Region
from .sections import sections_of
from .sentences import sentence_spans

TAGGER: Final = "1"
"""Raised when the same text would be split or tagged otherwise: an import then reads every report again."""
Tags = Mapping[str, frozenset[str]]
"""Names of regions by phrase, white space as single blanks."""
_TAGGED: Final = 2000  # of a sentence; one that is longer is no sentence, and tagging it would take very long
_SHORT_PHRASE: Final = 8  # such a phrase stands in many sentences by chance
ASSERTING: Final = frozenset({SectionName.FINDINGS, SectionName.IMPRESSION})
"""The sections that say what a film shows. Other sections are kept, but what they name isn't taken for a finding."""


def read_report(text: str, *, issued: datetime | None = None, tagged: Tags | None = None) -> Report:
    """The report that `text` is, with headings in it.

    `tagged` are the regions of phrases by a better source; a sentence that is one of them, or holds or is part of some,
    has their regions in place of those that its words name.
    """
    sections = sections_of(text)
    return Report(
        text=text, sections=sections, sentences=tuple(_sentences(text, sections, tagged or {})), issued=issued
    )


def report_of(
    parts: Mapping[SectionName, str], *, issued: datetime | None = None, tagged: Tags | None = None
) -> Report:
    """A report whose sections are already apart; its text gets plain headings. Empty sections are left out."""
    text = ""
    sections: list[Section] = []
    for name, part in parts.items():
        if part.strip():
            text += ("\n\n" if text else "") + f"{name.value.upper()}: "
            sections.append(Section(name=name, start=len(text), end=len(text) + len(part.strip())))
            text += part.strip()
    sentences = tuple(_sentences(text, sections, tagged or {}))
    return Report(text=text, sections=tuple(sections), sentences=sentences, issued=issued)


def _sentences(text: str, sections: Sequence[Section], tagged: Tags) -> Iterator[Sentence]:
    for section in sections:
        for start, end in sentence_spans(text, section.start, section.end):
            said = text[start:end]
            if section.name not in ASSERTING:
                yield Sentence(section=section.name, start=start, end=end, text=said)
                continue
            flat = " ".join(said.split())[:_TAGGED]  # line breaks stand anywhere in MIMIC's reports
            about = assertions(flat)
            yield Sentence(
                section=section.name,
                start=start,
                end=end,
                text=said,
                regions=_tagged_regions(flat, tagged) or regions_in(flat),
                compares=about.compares,
                negated=about.negated,
                uncertain=about.uncertain,
            )


def _tagged_regions(sentence: str, tagged: Tags) -> tuple[Region, ...]:
    names = tagged.get(sentence) or {
        name
        for phrase, names in tagged.items()
        if (len(phrase) > _SHORT_PHRASE and phrase in sentence) or sentence in phrase
        for name in names
    }
    return tuple(r for r in Region if r.value in names)
