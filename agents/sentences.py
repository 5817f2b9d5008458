"""Sentences of answers and label texts, with exact offsets, whole or as a stream.

Our own rules rather than a library: the same decisions must come out whatever the chunks of a stream, a citation
mark after the full stop must stay with its sentence, English and Chinese stand in one text, and a label of 100,000
characters must take milliseconds. pysbd (last release 2021) rewrites the text it splits and does none of these.

What ends a sentence: `.` `!` `?` before white space, a capital or Chinese text; the Chinese marks 。！？； anywhere;
a line break unless the next line goes on in lower case or with a number; the place before a bullet. What does not:
known abbreviations, decimals, section references such as (5.1), a list number at the beginning.
"""

from __future__ import annotations

import re
from typing import NamedTuple

CITATION_MARK = re.compile(
    r"[\[［【]\s*\d{1,3}(?:\s*[,，、;\-–—~～至]\s*\d{1,3})*\s*[\]］】]",
)
"""`[1]`, `[1, 3]`, `[1-3]`, `［1］`, `【1】`: numbers the reader was shown, up to three digits."""


class Span(NamedTuple):
    """A piece of a text: `text[span.start:span.end] == span.text`."""

    text: str
    start: int
    end: int


_BULLETS = "•●▪◦‣■◆"
_CJK = r"\u3400-\u9fff\uf900-\ufaff"
_CANDIDATE = re.compile(rf"\.+|…+|[!?！？。；]+|\n|[{_BULLETS}]")
# A reference to a label's section, `(5.1)` or `( 5.3 , 7 )`; `(1)` may be a list number and is none.
_SECTION_MARK = re.compile(r"\(\s*\d{1,2}\.\d{1,2}(?:\s*,\s*\d{1,2}(?:\.\d{1,2})?)*\s*\)")
# The part of a mark that may still be arriving in a stream.
_OPEN_MARK = re.compile(r"(?:[\[［【][\s\d,，、;\-–—~～至]*|\([\s\d,.]*)\Z")
_CLOSERS = "\"'”’）)」』》"
_LIST_MARK = re.compile(r"(?:[\(（]?(?:\d{1,3}|[A-Za-z])[\.．\)）、]|[-*–—]|#{1,6})\s*\Z")
_LINE_ITEM = re.compile(rf"(?:[\(（]?(?:\d{{1,3}}|[a-z])[\.．\)）、](?!\d)|[-*–—#|>]|[{_BULLETS}])")
_LINE_ITEM_OPEN = re.compile(r"[\(（]?(?:\d{1,3}|[a-z])?[\.．\)）、]?\Z")
_WORD_BEFORE = re.compile(r"(?:[^\W\d_]\.)*[^\W_]+\Z")
# The longest name looked at before a full stop; longer words are no abbreviations.
_LOOK_BACK = 24

# Never the end of a sentence: something always follows.
_NEVER = frozenset(
    "e.g i.e eg ie dr mr mrs ms prof vs viz cf approx ca fig figs incl excl resp u.s u.k st sect ref refs ver".split()
)
# The end of a sentence only before a capital or Chinese text.
_MAYBE = frozenset(
    "etc al i.v i.m s.c p.o p.r b.i.d t.i.d q.i.d q.d q.h.s h.s p.r.n a.m p.m bid tid qid prn max min hr hrs wk wks mo "
    "yr yrs tab tabs cap caps inj sol susp conc inc co ltd corp tsp tbsp oz lb spp subsp var vol ed dept est temp "
    "ph.d m.d r.n".split()
)
# `No. 5` is a number, `No. You should not.` is an answer.
_BEFORE_NUMBER = frozenset("no nos nr art pp p".split())
# A single letter that is a name's end: "hepatitis B. Patients ..."
_LETTERED = re.compile(
    r"(?:hepatitis|vitamin|category|class|type|group|influenza|schedule|factor|complex|stage|pugh|grade|part)\s\w\Z",
    re.IGNORECASE,
)


def split_sentences(text: str) -> list[Span]:
    """The sentences of `text` in order; only white space lies outside them.

    Linear in the length of the text. Raises nothing: any text has a division.
    """
    spans: list[Span] = []
    start = _skip_space(text, 0)
    while start < len(text):
        end, _ = _find_end(text, start, start, final=True)
        piece = text[start:end].rstrip()
        spans.append(Span(piece, start, start + len(piece)))
        start = _skip_space(text, end)
    return spans


class SentenceBuffer:
    """The same sentences from a stream: whatever the chunks, the outcome is that of `split_sentences`.

    A sentence comes out as soon as nothing that follows can change where it ends, which takes the next word.
    """

    def __init__(self) -> None:
        self._text = ""
        self._resume = 0

    def feed(self, chunk: str) -> list[str]:
        """Take in the next piece of the stream; returns the sentences that are complete with it."""
        self._text += chunk
        return self._take(final=False)

    def close(self) -> list[str]:
        """The stream is over: returns what is left. The buffer is empty afterwards and may be used again."""
        sentences = self._take(final=True)
        self._text, self._resume = "", 0
        return sentences

    def _take(self, *, final: bool) -> list[str]:
        sentences: list[str] = []
        start = _skip_space(self._text, 0)
        position = max(start, self._resume)
        while start < len(self._text):
            end, resume = _find_end(self._text, start, position, final=final)
            if end < 0:
                self._text, self._resume = self._text[start:], resume - start
                return sentences
            sentences.append(self._text[start:end].rstrip())
            start = position = _skip_space(self._text, end)
        self._text, self._resume = "", 0
        return sentences


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _find_end(text: str, start: int, position: int, *, final: bool) -> tuple[int, int]:
    """Where the sentence that begins at `start` ends, looking from `position` on.

    Returns (end, end), or (-1, where to look again) where more text could change the decision.
    """
    for mark in _CANDIDATE.finditer(text, position):
        if mark.end() == len(text) and not final and mark.group() not in _BULLETS:
            return -1, mark.start()
        end = _end_at(text, start, mark, final=final)
        if end == _UNDECIDED:
            return -1, mark.start()
        if end != _NO_END:
            return end, end
    return (len(text), len(text)) if final else (-1, len(text))


_NO_END = -1
_UNDECIDED = -2


def _end_at(text: str, start: int, mark: re.Match[str], *, final: bool) -> int:  # noqa: PLR0911 - one a rule
    sign = mark.group()
    if sign in _BULLETS:
        return mark.start() if mark.start() > start else _NO_END
    if _LIST_MARK.match(text[start : mark.end()][:8]) and mark.end() - start <= 8:
        return _NO_END
    if sign == "\n":
        return _end_at_line(text, mark.end(), final=final)
    after, cited = _after_marks(text, mark.end(), final=final)
    if after == _UNDECIDED:
        return _UNDECIDED
    following = _skip_space(text, after)
    if following == len(text):
        return len(text) if final else _UNDECIDED
    if sign[0] in "。！？；" or cited:
        return after
    return after if _ends_before(text, start, mark, after, following) else _NO_END


def _after_marks(text: str, position: int, *, final: bool) -> tuple[int, bool]:
    """Behind closing quotes and citation marks on the same line, and whether there were citation marks."""
    while position < len(text) and text[position] in _CLOSERS:
        position += 1
    cited = False
    while True:
        ahead = position
        while ahead < len(text) and text[ahead] in " \t\u3000":
            ahead += 1
        if ahead == len(text):
            return (position, cited) if final else (_UNDECIDED, cited)
        found = CITATION_MARK.match(text, ahead)
        section = None if found else _SECTION_MARK.match(text, ahead)
        if section:
            position = section.end()
        elif found:
            position, cited = found.end(), True
        elif not final and _OPEN_MARK.match(text, ahead):
            return _UNDECIDED, cited
        else:
            break
    # "...tablets. [1]." leaves a lone full stop that belongs to the mark.
    while cited and position < len(text) and text[position] in ".。":
        position += 1
    if cited and position == len(text) and not final:
        return _UNDECIDED, cited
    return position, cited


def _end_at_line(text: str, position: int, *, final: bool) -> int:
    following = _skip_space(text, position)
    if following == len(text):
        return position if final else _UNDECIDED
    if "\n" in text[position:following]:
        return position
    if not final and _LINE_ITEM_OPEN.match(text, following):
        return _UNDECIDED
    if _LINE_ITEM.match(text, following):
        return position
    first = text[following]
    goes_on = first.islower() or first.isdigit() or first in "(（,.;:，、。；：)）%"
    return _NO_END if goes_on else position


def _ends_before(  # noqa: PLR0911 - one return a rule
    text: str, start: int, mark: re.Match[str], after: int, following: int
) -> bool:
    """Whether `.`, `!`, `?` or an ellipsis ends the sentence, given the first character that follows."""
    first = text[following]
    spaced = following > after
    capital = first.isupper() or _is_cjk(first) or first in '"“「『([【*#•-'
    before = text[max(start, mark.start() - _LOOK_BACK) : mark.start()]
    if mark.group()[0] in "!?":
        return spaced or _is_cjk(first)
    if len(mark.group()) > 1 or mark.group()[0] == "…":
        return capital and (spaced or _is_cjk(first))
    if before and _is_cjk(before[-1]):
        return True
    if not spaced:
        glued = first.isupper() and re.search(r"[a-z]{3}[\)\]]?\Z|[\)\]]\Z", before) and not before.endswith("www")
        return bool(glued) or (_is_cjk(first) and not before[-1:].isdigit())
    if after > mark.end() and not capital:
        return False
    word = _WORD_BEFORE.search(before)
    name = word.group().lower() if word else ""
    if name in _NEVER:
        return False
    if name in _BEFORE_NUMBER:
        return not first.isdigit()
    if name in _MAYBE:
        return capital
    if len(name) == 1 and name.isalpha():
        return capital or bool(_LETTERED.search(before))
    return True


def _is_cjk(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff"
