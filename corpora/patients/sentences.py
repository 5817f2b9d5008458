"""Sentences of radiology reports, with offsets.

Our own rules: `docs/decisions/0010-sentences.md` says which libraries were tried on real reports and why not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_END: Final = re.compile(
    r"""(?P<mark>[.!?]+)(?P<closing>["')\]]*)(?=\s|$)   # a full stop and what closes with it
      | (?<=[a-z)])(?P<tight>[.])(?=[A-Z][a-z])         # "effusion.The heart"
      | (?P<gap>\n[ \t]*\n\s*)                          # a paragraph ends
      | (?P<item>\n)(?=[ \t]*(?:\d{1,2}[.)]|[-*•])[ \t]) # the next item of a list
    """,
    re.VERBOSE,
)
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(])(?:dr|drs|mr|mrs|ms|st|vs|approx|e\.g|i\.e|no|fig|cf|resp|incl|pt|wt|ca|prof|[ap]\.m(?=\.?\s*$))$",
    re.I,
)
_LETTER: Final = re.compile(r"[^\W\d_]")
_BULLET: Final = re.compile(r"\s*(?:\(?\d{1,2}[.)]\s+|[-*•]\s+)?")


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence in `text[start:end]`, without outer white space.

    The numbers and bullets of lists are left out, and so is what holds no letter.
    """
    end = len(text) if end is None else end
    begin = start
    for match in _END.finditer(text, start, end):
        if match["mark"] and _goes_on(text, begin, match.start("mark"), match, end):
            continue
        stop = match.start() if match["gap"] or match["item"] else match.end()
        yield from _span(text, begin, stop)
        begin = match.end()
    yield from _span(text, begin, end)


def _goes_on(text: str, begin: int, stop: int, match: re.Match[str], end: int) -> bool:
    """Whether a full stop is not the end of a sentence."""
    if match["mark"] != "." or match["closing"]:
        return False
    before = text[max(begin, stop - 12) : stop]
    if not _ABBREVIATION.search(before):
        return False
    after = text[match.end() : end].lstrip()
    if before.lower().endswith("no"):  # "No. 3", but also "Effusion: no. The heart"
        return after[:1].isdigit()
    if before.lower().endswith(".m"):
        return not (after[:1].isupper() and after[1:2].islower())
    return bool(after)


def _span(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if _LETTER.search(text, start, end):
        bullet = _BULLET.match(text, start, end)
        assert bullet is not None  # noqa: S101 - it matches the empty text
        yield bullet.end(), start + len(text[start:end].rstrip())
