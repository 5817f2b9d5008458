"""Pages to look at: the films of one synthetic patient with their reports below, so that a person can see that they
agree."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, cast

from .questions import Reported

if TYPE_CHECKING:
    from PIL.Image import Image

_FILM: Final = 340
_TEXT: Final = 230
_COLUMNS: Final = 3
_MARGIN: Final = 10
_LETTERS: Final = 58
"""Characters of a line below a film."""


def sheet(one: Reported, films: Sequence[Image]) -> Image:
    """The page of one patient: up to six films, three a row, each over its date and the text of its report."""
    from PIL import Image, ImageDraw, ImageFont

    rows = -(-len(films) // _COLUMNS)
    columns = min(len(films), _COLUMNS)
    page = Image.new("L", (columns * (_FILM + _MARGIN) + _MARGIN, rows * (_FILM + _TEXT) + 2 * _MARGIN), 255)
    ink = ImageDraw.Draw(page)
    font = cast("Any", ImageFont.load_default(size=11))
    for number, (film, taken, report) in enumerate(zip(films, one.who.films, one.reports, strict=True)):
        left = _MARGIN + number % _COLUMNS * (_FILM + _MARGIN)
        top = _MARGIN + number // _COLUMNS * (_FILM + _TEXT)
        page.paste(film.resize((_FILM, _FILM)), (left, top))
        findings = " ".join(sentence.text for sentence in report.findings)
        impression = " ".join(sentence.text for sentence in report.impression)
        lines = [f"{one.who.id}  {taken.at:%Y-%m-%d}  study {taken.study}"]
        lines += wrap(f"FINDINGS: {findings}", _LETTERS) + wrap(f"IMPRESSION: {impression}", _LETTERS)
        ink.multiline_text((left, top + _FILM + 4), "\n".join(lines), fill=0, font=font, spacing=2)
    return page
