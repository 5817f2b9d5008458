"""Answers made of verbatim sentences: the default for weak models, and what a failed answer falls back to.

A sentence is quoted whole or not at all: cutting one can turn a warning round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from rapidfuzz.fuzz import ratio

from ..corpora.asking import RELATED, asked_attributes
from ..corpora.bm25 import RankBM25
from ..corpora.lay_words import label_words
from ..corpora.medicines import Attribute
from ..corpora.words import everyday_use, fold, has_chinese, terms
from .checking import EvidenceItem
from .sentences import split_sentences
from .turn import Call, DistilledBy

MOST_OFFERED: Final = 6
MOST_QUOTED: Final = 3
_SHORTEST, _LONGEST = 20, 600
_SHORTEST_ZH: Final = 6
_SAME: Final = 90.0
"""Likeness in per cent from which two labels' sentences say the same."""
_DECISIVE: Final = re.compile(r"\d+(?:[.,]\d+)*|\b(?:not?|never|without|cannot)\b|n't\b|[不无未禁忌]")
"""Where these differ, sentences say different things however alike they are."""
_TELLING: Final = 4.8
"""Zipf frequency below which a single shared word tells that a sentence has to do with a question."""
_WORDS_SHARED: Final = 2
"""Words a sentence off the asked subject must share with the question: one alone ("need") says nothing."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of a passage that may be quoted."""

    text: str
    n: int
    """Number of its passage in the evidence."""
    medicine: str
    attribute: Attribute
    score: float


def quotable(
    question: str, calls: Sequence[Call], evidence: Sequence[EvidenceItem], *, most: int = MOST_OFFERED
) -> list[Sentence]:
    """The sentences of the evidence nearest to a question, best first; none where nothing has to do with it.

    Ranked by BM25 among the sentences of the same medicine (so that its own name, which stands in most, counts
    little), for the question's and the calls' words. Other medicines asked about weigh most, then an asked attribute.
    A sentence with nothing of all this is left out. Each medicine and attribute keeps a place near the front.
    """
    asked: dict[Attribute, float] = {}
    told = asked_attributes(question)
    for place, call in enumerate(calls):
        if call.attribute:
            # A weak model's choice that no word of the question speaks for counts for little.
            sure = call.attribute in told or call.distilled_by in (DistilledBy.RULE, DistilledBy.FALLBACK)
            asked.setdefault(call.attribute, (0.6 if sure else 0.2) / (1 + place / 2))
    related = {r for attribute in asked for r in RELATED.get(attribute, ())} - set(asked)
    said = " ".join([question, *(c.search.keywords for c in calls)])
    wanted = terms(f"{said} {label_words(said)}")
    telling = {t for w in fold(said).split() if everyday_use(w) < _TELLING for t in terms(w)} | set(
        terms(label_words(said))
    )
    medicines_asked = [set(terms(" ".join(c.other_names))) for c in calls]
    found: dict[str, Sentence] = {}
    one_medicine = len(calls) == 1 and calls[0].medicine is not None
    for place_of_medicine, items in enumerate(_by_medicine(evidence)):
        further = place_of_medicine * 0.5 if one_medicine else 0.0  # another label of what was asked for
        own = set(terms(items[0].passage.medicine))
        others = {t for names in medicines_asked if not names & own for t in names}
        rows = [(item, " ".join(s.text.split())) for item in items for s in split_sentences(item.passage.text)]
        rows = [(item, text, terms(text)) for item, text in rows if _quotable_length(text)]
        if not rows:
            continue
        engine = RankBM25([words or ["-"] for _, _, words in rows])
        scores = engine.score(wanted, np.arange(len(rows), dtype=np.int32)).clip(min=0.0)
        top = float(scores.max(initial=0.0)) or 1.0
        for place, ((item, text, words), score) in enumerate(zip(rows, scores.tolist(), strict=True)):
            on_subject = asked.get(item.passage.attribute, 0.0)
            speaks_of_other = bool(others & set(words))
            near_subject = item.passage.attribute in related
            shared = (set(wanted) - own) & set(words)
            enough = 1 if near_subject or shared & telling else _WORDS_SHARED
            if not (on_subject or speaks_of_other or len(shared) >= enough):
                continue
            worth = (
                score / top
                + on_subject
                + near_subject * 0.2
                + speaks_of_other * 1.0
                + 0.3 / (1 + item.n)
                - 0.001 * place
                - further
            )
            sentence = Sentence(text, item.n, item.passage.medicine, item.passage.attribute, worth)
            if text not in found or found[text].score < worth:
                found[text] = sentence
    return _spread(sorted(found.values(), key=lambda s: -s.score))[:most]


def _by_medicine(evidence: Sequence[EvidenceItem]) -> list[list[EvidenceItem]]:
    groups: dict[str, list[EvidenceItem]] = {}
    for item in evidence:
        groups.setdefault(item.passage.medicine_id, []).append(item)
    return list(groups.values())


def _quotable_length(text: str) -> bool:
    return (_SHORTEST_ZH if has_chinese(text) else _SHORTEST) <= len(text.strip()) <= _LONGEST


def _spread(ranked: Sequence[Sentence]) -> list[Sentence]:
    """The best sentence of each medicine and attribute first, then the rest; of nearly equal ones the better."""
    if not ranked:
        return []
    first: dict[tuple[str, Attribute], Sentence] = {}
    for sentence in ranked:
        first.setdefault((sentence.medicine, sentence.attribute), sentence)
    heads = [s for s in first.values() if s.score >= ranked[0].score / 2]
    kept: list[Sentence] = []
    for sentence in [*heads, *(s for s in ranked if s not in heads)]:
        if not any(_say_the_same(sentence.text, other.text) for other in kept):
            kept.append(sentence)
    return kept


def _say_the_same(one: str, other: str) -> bool:
    """Whether two sentences hardly differ, and in no number and no negation."""
    one, other = one.lower(), other.lower()
    return ratio(one, other) >= _SAME and _DECISIVE.findall(one) == _DECISIVE.findall(other)


def quoted_sentence(sentence: Sentence, *, with_source: bool) -> str:
    """A sentence as it stands in an answer: quoted and numbered, with medicine and attribute before it if asked."""
    chinese = has_chinese(sentence.text)
    quote = f"“{sentence.text}” [{sentence.n}]"
    if not with_source:
        return quote
    label = sentence.attribute.label_zh if chinese else sentence.attribute.label
    return f"{sentence.medicine}，{label}：{quote}" if chinese else f"{sentence.medicine}, {label}: {quote}"


def quote_answer(chosen: Sequence[Sentence]) -> list[str]:
    """The sentences of a quote answer: chosen ones, kept together by passage."""
    lines: list[str] = []
    shown: tuple[str, Attribute] | None = None
    for sentence in sorted(chosen, key=lambda s: min(i for i, c in enumerate(chosen) if c.n == s.n)):
        source = (sentence.medicine, sentence.attribute)
        lines.append(quoted_sentence(sentence, with_source=source != shown))
        shown = source
    return lines
