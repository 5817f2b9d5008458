"""From the events of a run to what a chat frontend shows: text, thinking, sources, and what becomes of a withdrawal.

Text that was streamed cannot be taken back. Where the check of a later sentence withdraws it, a line says so and the
answer follows; when the conversation comes back with the next request, everything up to that line is left out again,
and so is the list of sources.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..agents.checking import cited_numbers
from ..agents.sentences import CITATION_MARK
from ..graphs.events import Event

WITHDRAWN: Final = "\n\n---\n**Withdrawn:** what stands above did not pass the check. The answer:\n\n"
SOURCES: Final = "\n\n---\nSources\n"
_QUOTED: Final = 300
"""Characters of a passage in the list of sources."""


@dataclass(frozen=True)
class Piece:
    """Something to send: words of the answer, thinking, a progress line, or a source."""

    kind: Literal["content", "reasoning", "progress", "source"]
    text: str = ""
    source: Mapping[str, Any] | None = None


class Teller:
    """Keeps what was told of one turn; `content` is the answer as the client has it."""

    def __init__(self) -> None:
        self.content = ""
        self.sources: dict[int, Mapping[str, Any]] = {}
        self.quotes: dict[int, str] = {}
        self._last: Mapping[str, Any] | None = None
        self._lasting: list[str] = []
        self._to_withdraw = False
        self.progress = False
        """Whether there was a progress line."""

    def tell(self, event: Event) -> Generator[Piece]:
        """What an event adds."""
        data = event.data
        self.progress = self.progress or event.kind in ("tool_start", "hand_over")
        if event.kind == "text":
            yield self._say(data)
        elif event.kind == "withdrawn":
            if self._to_withdraw:
                self._to_withdraw = False
                # What holds in any case stands above the line, too: said again, lest it be read as withdrawn.
                again = WITHDRAWN + "\n\n".join(self._lasting)
                self._last = {"lasting": True} if self._lasting else None
                self.content += again
                yield Piece("content", again)
            yield Piece("reasoning", f"\nWithdrawn: {data['reason']}\n")
        elif event.kind == "reasoning":
            yield Piece("reasoning", str(data["text"]))
        elif event.kind == "tool_start":
            yield Piece("progress", f"{_named(data['tool'])}: {_wanted(data.get('arguments'))}")
        elif event.kind == "tool_end":
            found = data.get("hits")
            yield Piece("progress", f"{_named(data['tool'])}: {'done' if found is None else _count(found)}")
        elif event.kind == "hand_over":
            yield Piece("progress", f"Handed to {data['to']}")
        elif event.kind == "source":
            self.sources[data["n"]] = data
            yield Piece("source", source=data)
        elif event.kind == "final":
            yield from self._rest(data)

    def whole(self, final: Mapping[str, Any]) -> str:
        """The answer at once: without what was withdrawn on the way to it."""
        return final_text(final) or self.content

    def sources_text(self, content: str) -> str:
        """The cited sources as a numbered list, for frontends that draw no annotations; empty where none is cited."""
        cited = [self.sources[n] for n in cited_numbers(content) if n in self.sources]
        return SOURCES + "\n".join(f"- {self._source(one)}" for one in cited) if cited else ""

    def annotations(self, content: str) -> list[dict[str, Any]]:
        """The citation marks of the answer as `url_citation`, for sources that have an address."""
        found: list[dict[str, Any]] = []
        for mark in CITATION_MARK.finditer(content):
            for n in cited_numbers(mark.group()):
                source = self.sources.get(n)
                if source is None or not source.get("url"):
                    continue
                span = {"start_index": mark.start(), "end_index": mark.end()}
                about = {"url": source["url"], "title": f"[{n}] {source['title']}", **span}
                found.append({"type": "url_citation", "url_citation": about})
        return found

    def _say(self, data: Mapping[str, Any]) -> Piece:
        before = self._last
        if before is None:
            apart = ""
        elif before.get("lasting") or data.get("lasting"):
            apart = "\n\n"
        elif data.get("token"):
            apart = ""
        else:
            apart = "\n" if data.get("line") else " "
        self._last = data
        if data.get("lasting"):
            self._lasting.append(str(data["text"]))
        else:
            self._to_withdraw = True
        text = apart + str(data["text"])
        self.content += text
        return Piece("content", text)

    def _rest(self, final: Mapping[str, Any]) -> Generator[Piece]:
        """What the answer holds that was not streamed: all of it, for graphs that stream nothing."""
        for part in (final.get("answer"), final.get("reading")):
            for citation in getattr(part, "citations", ()):
                self.quotes.setdefault(citation.n, citation.quote)
        answer = final_text(final)
        if not answer or answer.strip() in self.content:
            return
        if self._last is not None and not self._last.get("token"):
            return  # ours: the answer was told sentence by sentence
        text = ("\n\n" if self.content else "") + answer
        self.content += text
        yield Piece("content", text)

    def _source(self, source: Mapping[str, Any]) -> str:
        quote = " ".join(self.quotes.get(source["n"], "").split())
        cut = quote if len(quote) <= _QUOTED else quote[:_QUOTED] + "…"
        said = f": “{cut}”" if cut else ""
        about = f"[{source['n']}] {source['title']}{said} ({source['source']}, {source['date'] or 'date unknown'})"
        return f"{about} <{source['url']}>" if source.get("url") else about


def final_text(final: Mapping[str, Any]) -> str:
    """The answer in a graph's final state: its last message."""
    messages = final.get("messages") or ()
    return str(getattr(messages[-1], "text", "")) if messages else ""


def without_trimmings(said: str) -> str:
    """An answer of ours as it comes back in the history, without what was withdrawn and the list of sources."""
    answer = said.rpartition(WITHDRAWN.strip())[2] if WITHDRAWN.strip() in said else said
    answer = answer.partition(SOURCES.strip("\n"))[0] if SOURCES.strip("\n") in answer else answer
    return re.sub(r"<details[^>]*>.*?</details>", "", answer, flags=re.DOTALL).strip() or said


def _named(tool: str | None) -> str:
    return (tool or "tool").replace("_", " ").capitalize()


def _wanted(arguments: object) -> str:
    values = list(arguments.values()) if isinstance(arguments, dict) else [arguments]
    return " · ".join(str(value)[:200] for value in values if value)


def _count(hits: object) -> str:
    return "1 passage" if hits == 1 else f"{hits} passages"
