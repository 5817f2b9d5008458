"""Which option does a reply choose?

The last answer wins: a statement ("the answer is B"), a box, a line that is an answer by itself. A reply that names two
letters in its final statement is ambiguous, and wrong. Letters inside words, options that are only gone through, and
the article "A" are no answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict

from ..corpora.words import fold
from ..models.structured import find_object

_TAIL: Final = 20_000
"""Characters of the end of a reply that are read; an answer stands at the end."""
_BOXES: Final = 20
_LONGEST_BOX: Final = 500
"""Of a reply that is nothing but boxes, the last ones, as far as an answer reaches."""
_L: Final = r"(?P<l>[A-Ja-j])"
_OPEN: Final = r"[\s*_`\"'“(\[{$\\]*"
_CLOSE: Final = r"(?![A-Za-z0-9'’])"
_THINKING: Final = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_BOXED: Final = re.compile(r"\\boxed\s*\{")
_WRAPPED: Final = re.compile(r"\\(?:text|textbf|mathrm|mathbf|boldsymbol)\s*\{([^{}]*)\}")
_STATED: Final = re.compile(
    r"(?:"
    r"(?:answer|choice|option|letter)(?: choice| option| letter)?(?: to (?:the|this) question)?"
    r"\s*(?:is|would be|should be|must be|[:=])+"
    r"|\bi (?:would )?(?:choose|pick|select|go with)"
    r"|(?:答案|选项|应选|故选|选择|选)\s*(?:是|为|[:：])*"
    rf"){_OPEN}(?:(?:option|choice|letter|the answer)\s+{_OPEN})?{_L}{_CLOSE}",
    re.IGNORECASE,
)
_LINE: Final = re.compile(
    rf"^{_OPEN}(?:(?:option|choice)\s+{_OPEN})?{_L}(?:[\s*_`\"'”)\]}}$.。:：,-].*)?$", re.IGNORECASE
)
_AND_OTHER: Final = re.compile(
    r"^[\s*_`\"'”)\]}$.]*(?:or|and|/|,|&|或|和|、)\s*(?:(?:option|choice)\s+)?[\s*_`\"'“(\[]*"
    r"(?P<l>[A-Ja-j])(?![A-Za-z0-9'’])",
    re.IGNORECASE,
)
_REST: Final = re.compile(r"[\s*_`\"'”)\]}$.。:：,-]*")


class LetterReading(BaseModel):
    """What was read of a reply."""

    model_config = ConfigDict(frozen=True)
    letter: str | None
    """None where the reply chooses nothing, or more than one."""
    how: str
    """`stated`, `boxed`, `json`, `line`, `option text`, `nothing`, `ambiguous`."""
    ambiguous: bool = False
    candidates: tuple[str, ...] = ()
    """All letters that compete for being the answer."""


def read_letter(text: str, options: Mapping[str, str]) -> LetterReading:
    """The letter that `text` chooses among `options` (letter -> text)."""
    plain = unicodedata.normalize("NFKC", _THINKING.sub(" ", text[-_TAIL:])).strip()
    if not plain:
        return LetterReading(letter=None, how="nothing")
    found = find_object(plain, required=("answer",)) if '"answer"' in plain else None
    if found and isinstance(found.get("answer"), str):
        inner = _bare(str(found["answer"]), options)
        return _reading(inner, "json") if inner else LetterReading(letter=None, how="nothing")
    placed = [*_boxed(plain, options), *_stated(plain, options)]
    if placed:
        # A statement and a box may be the same words ("the answer is \\boxed{B}"): the last place decides.
        _, letters, how = max(placed, key=lambda found: found[0])
        return _reading(letters, how)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    for line in (lines[-1], lines[0]):
        if letters := _bare(line, options):
            return _reading(letters, "line" if _LINE.match(line) else "option text")
    return LetterReading(letter=None, how="nothing")


def _reading(letters: tuple[str, ...], how: str) -> LetterReading:
    if len(set(letters)) == 1:
        return LetterReading(letter=letters[0], how=how, candidates=letters[:1])
    return LetterReading(letter=None, how="ambiguous", ambiguous=True, candidates=letters)


def _stated(text: str, options: Mapping[str, str]) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """Statements that name a letter, with where they end."""
    for match in _STATED.finditer(text):
        letter = match["l"].upper()
        if letter not in options:
            continue
        after = text[match.end() : match.end() + 40].split("\n", maxsplit=1)[0]
        if match["l"] == "a" and not _REST.fullmatch(after):
            continue  # "the answer is a matter of ..."
        if match["l"] == "A" and _is_article(after):
            continue
        yield match.end("l"), (letter, *_others(text, match.end(), options)), "stated"


def _is_article(after: str) -> bool:
    """Whether a capital A goes on like an article: "A patient with ..."."""
    return re.match(r" [a-z]{3,}", after) is not None and not re.match(r" (?:and|or|because|since|as|is|with)\b", after)


def _others(text: str, end: int, options: Mapping[str, str]) -> tuple[str, ...]:
    """Further letters in the same breath: "A or B", "A, C and D"."""
    found: list[str] = []
    while match := _AND_OTHER.match(text[end : end + 30]):
        if match["l"].upper() not in options or match["l"] == "a":
            break
        found.append(match["l"].upper())
        end += match.end()
    return tuple(found)


def _boxed(text: str, options: Mapping[str, str]) -> Iterator[tuple[int, tuple[str, ...], str]]:
    for match in list(_BOXED.finditer(text))[-_BOXES:]:
        depth, end = 1, match.end()
        while end < min(len(text), match.end() + _LONGEST_BOX) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        inside = text[match.end() : end - (depth == 0)]
        while (unwrapped := _WRAPPED.sub(r"\1", inside)) != inside:
            inside = unwrapped
        if letters := _bare(inside.strip(), options):
            yield end, letters, "boxed"


def _bare(text: str, options: Mapping[str, str]) -> tuple[str, ...]:
    """The letters of a text that is an answer by itself: "B", "(B)", "B: name", the option's own words."""
    text = text.strip()
    words = _words(text)
    by_text = tuple(letter for letter, option in options.items() if words and words == _words(option))
    if by_text:
        return by_text
    stated = list(_stated(text, options))
    if stated:
        return stated[-1][1]
    match = _LINE.match(text)
    if match is None or match["l"].upper() not in options:
        return ()
    letter, rest = match["l"].upper(), text[match.end("l") :]
    others = _others(text, match.end("l"), options)
    if others:
        return (letter, *others)
    after = _words(_REST.sub("", rest, count=1))
    marked = rest[: len(rest) - len(rest.lstrip(" *_`\"'”)]}$.。:：,-"))].strip()
    if not after or after == _words(options[letter]) or marked:
        return (letter,)
    # "A patient ..." is a sentence; "B because ..." is an answer.
    is_word = (letter == "A" and _is_article(rest)) or match["l"].islower()
    return () if is_word else (letter,)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))
