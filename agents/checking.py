"""Checking an answer against the passages that were retrieved, by code alone.

"Checked" means words, numbers and existence: every cited number was shown to the reader, every longer quotation
stands verbatim in a cited passage, every quantity stands in a cited passage as it is written, and a sentence about a
medicine cites a passage of that medicine. It does not mean that the passage supports the claim.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from ..corpora.medicines import Attribute, Passage
from ..corpora.words import CHINESE, fold, has_chinese
from .exempt import needs_no_citation
from .quantities import missing_quantities, quantities
from .sentences import CITATION_MARK, split_sentences

_QUOTED_WORDS = 4
_QUOTED_CHARACTERS = 6
_LONGEST_RANGE = 50
_SHORTEST_NAME = 3
# Passages that by their nature speak of other medicines too.
_ABOUT_OTHERS = frozenset(
    {Attribute.INTERACTIONS, Attribute.PRECAUTIONS, Attribute.CONTRAINDICATIONS, Attribute.BOXED_WARNING}
)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EvidenceItem(_Record):
    """A passage with the number under which the reader saw it."""

    n: int = Field(ge=1)
    passage: Passage


class Citation(_Record):
    """What a cited number points to, for people to look up."""

    n: int
    passage_id: str
    medicine: str
    attribute: Attribute
    quote: str
    """The passage's own sentence that the citing sentence repeats or comes nearest to."""
    date: str | None = None
    """ISO date of the source; None where it has none (to be shown as "date unknown")."""


class Problem(StrEnum):
    """All that can be wrong with a sentence."""

    NO_CITATION = "no_citation"
    UNKNOWN_CITATION = "unknown_citation"
    QUOTE_NOT_FOUND = "quote_not_found"
    QUANTITY_NOT_FOUND = "quantity_not_found"
    WRONG_MEDICINE = "wrong_medicine"
    WRONG_DATE = "wrong_date"


class Finding(_Record):
    """A problem with what it is about."""

    problem: Problem
    detail: str = ""
    """The number, quotation, quantity or name in question."""

    @property
    def explanation(self) -> str:
        """One clause for people and for a model that is asked to mend it."""
        return _EXPLANATIONS[self.problem].format(detail=self.detail)


_EXPLANATIONS = {
    Problem.NO_CITATION: "no passage is cited",
    Problem.UNKNOWN_CITATION: "there is no passage `[{detail}]`",
    Problem.QUOTE_NOT_FOUND: "`{detail}` does not stand verbatim in a cited passage",
    Problem.QUANTITY_NOT_FOUND: "`{detail}` does not stand in a cited passage",
    Problem.WRONG_MEDICINE: "`{detail}` is spoken of, but only passages of other medicines are cited",
    Problem.WRONG_DATE: "`{detail}` is the date of nothing that is cited",
}


class SentenceCheck(_Record):
    """One sentence and what is wrong with it."""

    sentence: str
    cited: tuple[int, ...] = ()
    """The numbers in the order of the sentence, each once, unknown ones among them."""
    problems: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class AnswerCheck(_Record):
    """All sentences of an answer, in order."""

    sentences: tuple[SentenceCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with any sentence."""
        return all(sentence.ok for sentence in self.sentences)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is wrong, over all sentences."""
        return tuple(finding for sentence in self.sentences for finding in sentence.problems)


def check_answer(
    answer: str, evidence: Sequence[EvidenceItem], *, names: Mapping[str, Sequence[str]] | None = None
) -> AnswerCheck:
    """`check_sentence` for every sentence of an answer."""
    return AnswerCheck(
        sentences=tuple(check_sentence(span.text, evidence, names=names) for span in split_sentences(answer))
    )


def check_sentence(
    sentence: str, evidence: Sequence[EvidenceItem], *, names: Mapping[str, Sequence[str]] | None = None
) -> SentenceCheck:
    """What is wrong with one sentence, with its citation marks, as `split_sentences` gives it.

    A sentence needs a citation unless it is a question, a heading, a pure referral or says that nothing was found
    (`exempt.py`), and holds no quantity and no quotation. Quantities may also stand in the display name of a cited
    passage's medicine. `names`: medicine id to its names; without it `wrong_medicine` is not looked for.
    """
    cited = cited_numbers(sentence)
    known = {item.n: item.passage for item in evidence}
    passages = [known[n] for n in cited if n in known]
    words = CITATION_MARK.sub(" ", sentence)
    quotes = _quotes(words)
    if not cited:
        every_name = [name for known_names in (names or {}).values() for name in known_names]
        exempt = not quotes and not quantities(words) and needs_no_citation(words, names=every_name)
        return SentenceCheck(sentence=sentence, problems=() if exempt else (Finding(problem=Problem.NO_CITATION),))
    findings = [Finding(problem=Problem.UNKNOWN_CITATION, detail=str(n)) for n in cited if n not in known]
    if passages:
        findings += word_findings(words, [p.text for p in passages], [p.medicine for p in passages])
        findings += _medicine_findings(words, passages, evidence, names or {})
    return SentenceCheck(sentence=sentence, cited=cited, problems=tuple(findings))


def cited_numbers(text: str) -> tuple[int, ...]:
    """The numbers of all citation marks in order, each once; `[1-3]` is 1, 2, 3."""
    numbers: dict[int, None] = {}
    for mark in CITATION_MARK.finditer(text):
        for part in re.split(r"[,，、;]", mark.group()[1:-1]):
            ends = [int(digits) for digits in re.findall(r"\d+", part)]
            if len(ends) == 2 and ends[0] < ends[1] <= ends[0] + _LONGEST_RANGE:
                ends = list(range(ends[0], ends[1] + 1))
            numbers.update(dict.fromkeys(ends))
    return tuple(numbers)


def citations_of(answer: str, evidence: Sequence[EvidenceItem]) -> list[Citation]:
    """A `Citation` for every cited number and quote, in order of appearance; unknown numbers give none.

    The quote is the passage's sentence that the citing sentence repeats verbatim, otherwise the one that shares the
    most words with it (the shorter, then the earlier, of equals). A number that several sentences cite for the same
    quote comes once, for different quotes once each.
    """
    known = {item.n: item.passage for item in evidence}
    citations: dict[tuple[int, str], Citation] = {}
    for span in split_sentences(answer):
        for n in cited_numbers(span.text):
            if n not in known:
                continue
            passage = known[n]
            quote = _supporting(CITATION_MARK.sub(" ", span.text), passage.text)
            citations.setdefault(
                (n, quote),
                Citation(
                    n=n,
                    passage_id=passage.id,
                    medicine=passage.medicine,
                    attribute=passage.attribute,
                    quote=quote,
                    date=passage.source.date,
                ),
            )
    return list(citations.values())


def word_findings(words: str, texts: Sequence[str], also: Sequence[str] = ()) -> list[Finding]:
    """Longer quotations and quantities of a sentence (without its citation marks) that stand in none of `texts`.

    Quantities may also stand in `also`: names, dates.
    """
    plain = [_plain(text) for text in texts]
    findings: list[Finding] = []
    rest = words
    for quote in _quotes(words):
        if all(_stands(part, plain) for part in re.split(r"\.{3,}|…+", quote)):
            # Its numbers were found with it.
            rest = rest.replace(quote, " ", 1)
        else:
            findings.append(Finding(problem=Problem.QUOTE_NOT_FOUND, detail=quote.strip()))
    if not _stands(rest, plain):
        missing = dict.fromkeys(quantity.label for quantity in missing_quantities(rest, [*texts, *also]))
        findings += [Finding(problem=Problem.QUANTITY_NOT_FOUND, detail=label) for label in missing]
    return findings


def _quotes(words: str) -> list[str]:
    """Quotations long enough to be held to their words."""
    found: list[str] = []
    for pattern in ("“([^“”]+)”", "「([^「」]+)」", "『([^『』]+)』", "＂([^＂]+)＂", '"([^"]+)"'):
        found += re.findall(pattern, words)
        words = re.sub(pattern, " ", words)
    return [quote for quote in found if _is_long(quote)]


def _is_long(quote: str) -> bool:
    characters = len(re.findall(f"[{CHINESE}]", quote))
    return characters >= _QUOTED_CHARACTERS or len(quote.split()) >= _QUOTED_WORDS


_QUOTE_MARKS = re.compile(r"[“”„\"「」『』＂]")
_WHITE = re.compile(r"\s+")
_BESIDE_CHINESE = re.compile(rf"(?<=[{CHINESE}，。；：、]) | (?=[{CHINESE}，。；：、])")


@lru_cache(maxsize=8192)  # the passages and names of a turn are compared again for every sentence
def _plain(text: str) -> str:
    """Case, width, quotation marks and white space made alike; no white space beside Chinese characters."""
    text = _QUOTE_MARKS.sub('"', fold(text)).replace("’", "'").replace("‘", "'")
    return _BESIDE_CHINESE.sub("", _WHITE.sub(" ", text).strip())


def _stands(piece: str, plain_texts: Sequence[str]) -> bool:
    """Whether `piece` stands verbatim in a text: as whole words and numbers ("5 mg" does not stand in "0.5 mg")."""
    wanted = _plain(piece).strip(" \"'.,;:!?。，；：！？")
    if not wanted:
        return True
    before = r"(?<![a-z0-9])(?<!\d[.,])" if wanted[0].isascii() and wanted[0].isalnum() else ""
    after = r"(?![a-z0-9])(?![.,]\d)" if wanted[-1].isascii() and wanted[-1].isalnum() else ""
    pattern = re.compile(before + re.escape(wanted) + after)
    return any(pattern.search(text) for text in plain_texts)


def _medicine_findings(
    words: str, passages: Sequence[Passage], evidence: Sequence[EvidenceItem], names: Mapping[str, Sequence[str]]
) -> list[Finding]:
    present = {item.passage.medicine_id for item in evidence}
    owners: dict[str, set[str]] = {}
    for medicine_id in present & names.keys():
        for name in names[medicine_id]:
            if len(name) >= _SHORTEST_NAME or has_chinese(name):
                owners.setdefault(_plain(name), set()).add(medicine_id)
    spoken_of = _names_in(_plain(words), owners)
    if not spoken_of:
        return []
    cited = {passage.medicine_id for passage in passages}
    if any(owners[name] & cited for name in spoken_of):
        return []
    if any(p.attribute in _ABOUT_OTHERS and _names_in(_plain(p.text), spoken_of) for p in passages):
        return []
    return [Finding(problem=Problem.WRONG_MEDICINE, detail=spoken_of[0])]


def _names_in(plain: str, names: Mapping[str, object] | Sequence[str]) -> list[str]:
    """Which of `names` stand in a text, the longer one where two overlap, in order."""
    if not names:
        return []
    longest_first = sorted(names, key=len, reverse=True)
    pattern = "|".join(re.escape(name) for name in longest_first)
    found = re.findall(rf"(?:(?<![a-z0-9])|(?<=[{CHINESE}]))(?:{pattern})(?![a-z0-9])", plain)
    return list(dict.fromkeys(found))


def _supporting(sentence: str, passage: str) -> str:
    return nearest_sentence(sentence, [span.text for span in split_sentences(passage)] or [passage])


def nearest_sentence(claim: str, sentences: Sequence[str]) -> str:
    """Which of `sentences` (at least one) a claim repeats verbatim, otherwise the one that shares most words with it
    (the shorter, then the earlier, of equals).
    """
    for piece in (*_quotes(claim), claim):
        for sentence in sentences:
            if _stands(piece, [_plain(sentence)]):
                return sentence
    wanted = _word_set(claim)
    return min(sentences, key=lambda sentence: (-len(wanted & _word_set(sentence)), len(sentence)))


def _word_set(text: str) -> set[str]:
    plain = _plain(text)
    words = set(re.findall(r"\d+(?:\.\d+)?|[a-z]{2,}", plain))
    chinese = re.findall(f"[{CHINESE}]+", plain)
    return words | {run[i : i + 2] for run in chinese for i in range(max(1, len(run) - 1))}
