"""The text of a FHIR attachment or narrative: plain text, or HTML without its tags."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, Final

_BLOCKS: Final = frozenset("p div br tr li h1 h2 h3 h4 h5 h6 table ul ol pre".split())
_HIDDEN: Final = frozenset({"script", "style", "head", "template"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as the base class
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def narrative_text(html: str) -> str:
    """The words of XHTML or HTML; blocks become paragraphs."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = [" ".join(line.split()) for line in "".join(parser.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def attached_text(attachments: Sequence[Mapping[str, Any]]) -> str:
    """The first attachment whose data is text and stands in the resource itself; empty where none does.

    What an attachment only links to is not fetched.
    """
    for attachment in attachments:
        kind, _, rest = str(attachment.get("contentType", "")).lower().partition(";")
        data = attachment.get("data")
        if kind.strip() not in ("text/plain", "text/html", "application/xhtml+xml") or not isinstance(data, str):
            continue
        charset = rest.partition("charset=")[2].strip().strip('"') or "utf-8"
        try:
            text = base64.b64decode(data, validate=False).decode(charset)
        except (binascii.Error, UnicodeDecodeError, LookupError):
            continue
        text = text if kind.strip() == "text/plain" else narrative_text(text)
        if text.strip():
            return text
    return ""
