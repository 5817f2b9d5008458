"""The hand-written pieces that training dialogues are composed of: `fragments/*.json` and `complaints.txt`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from ...corpora.medicines import Attribute


class Question(NamedTuple):
    """A question about one medicine."""

    text: str
    """With slots: `{med}`, and perhaps `{other}`, `{condition}`, `{age}`, `{person}`."""
    attributes: tuple[Attribute, ...]
    """What answers it, the first above all."""
    pronoun: bool
    """Whether it says "it" and needs the conversation to tell which medicine."""


class Pair(NamedTuple):
    """A question about two medicines."""

    text: str
    med: tuple[Attribute, ...]
    other: tuple[Attribute, ...]


class Complaint(NamedTuple):
    """What somebody wants a medicine against."""

    keywords: str
    """As one would type it into a search box, in the words of leaflets."""
    names: tuple[str, ...]
    """As people call it, for the slot `{complaint}`."""
    stories: tuple[str, ...] = ()
    """As people tell it."""


class Middle(NamedTuple):
    """A turn between the opening and the question."""

    text: str
    kind: str
    """`answer`, `story`, `digress`, `feeling`, `refuse`, `mention`, `distraction`, `earlier` or `back`."""


def _read(name: str) -> list[dict[str, Any]]:
    text = (files("wardround.training.data") / "fragments" / f"{name}.json").read_text(encoding="utf-8")
    return [entry if isinstance(entry, dict) else {"text": entry} for entry in json.loads(text)]


def _attributes(names: list[str]) -> tuple[Attribute, ...]:
    return tuple(a for a in map(Attribute, names) if a is not Attribute.OTHER)


@cache
def questions() -> tuple[Question, ...]:
    """Questions about one medicine, by attribute."""
    return tuple(
        Question(q["text"], wanted, bool(q["pronoun"]))
        for q in _read("questions")
        if (wanted := _attributes(q["attributes"]))
    )


@cache
def long_turns() -> tuple[Question, ...]:
    """Last turns of several sentences: an answer to the adviser and the question in one."""
    return tuple(
        Question(q["text"], wanted, bool(q["pronoun"]))
        for q in _read("long_turns")
        if (wanted := _attributes(q["attributes"]))
    )


@cache
def chinese() -> tuple[dict[str, Any], ...]:
    """All Chinese pieces, by `kind`."""
    return tuple(_read("zh"))


@cache
def pairs() -> tuple[Pair, ...]:
    """Questions about two medicines."""
    return tuple(
        Pair(p["text"], _attributes(p["med_attributes"]), _attributes(p["other_attributes"])) for p in _read("switches")
    )


@cache
def complaints() -> tuple[Complaint, ...]:
    """Complaints, with the words that leaflets use."""
    told = [Complaint(c["condition"], (c["words"],)) for c in _read("complaints")]
    text = (files("wardround.training.data") / "complaints.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            keywords, names, stories = (part.strip() for part in line.split("|"))
            told.append(Complaint(keywords, _parts(names), _parts(stories)))
    return tuple(told)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


@cache
def which() -> tuple[str, ...]:
    """Questions for a medicine against `{complaint}`."""
    return tuple(w["text"] for w in _read("which_medicine"))


@cache
def which_later() -> tuple[str, ...]:
    """Questions for a medicine once the complaint was told."""
    return tuple(w["text"] for w in _read("which_later"))


@cache
def which_tried() -> tuple[tuple[str, str, str], ...]:
    """First turns that tell a complaint, last turns that ask for a medicine, most with another one named; keywords."""
    return tuple((w["opening"], w["text"], w["keywords"]) for w in _read("which_tried"))


@cache
def referring() -> tuple[tuple[str, Pair], ...]:
    """First turns with two medicines, and questions about the one or both by what was said of them."""
    return tuple(
        (r["opening"], Pair(r["text"], _attributes(r["med_attributes"]), _attributes(r.get("other_attributes", []))))
        for r in _read("referring")
    )


@cache
def openings() -> tuple[str, ...]:
    """First turns, each with `{med}`."""
    return tuple(o["text"] for o in _read("openings"))


@cache
def adviser_turns() -> tuple[str, ...]:
    """What the adviser says in between."""
    return tuple(a["text"] for a in _read("adviser_turns"))


@cache
def middles() -> tuple[Middle, ...]:
    """Turns in between."""
    return tuple(Middle(m["text"], m["kind"]) for m in _read("middle_turns"))


@cache
def small_talk() -> tuple[str, ...]:
    """Last turns that need no search."""
    return tuple(s["text"] for s in _read("small_talk"))


@cache
def slips() -> tuple[dict[str, Any], ...]:
    """How people mistype: words, letters, endings, and rules by name."""
    return tuple(_read("slips"))
