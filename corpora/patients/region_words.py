"""Which regions a sentence speaks of: "left base", "right CP angle", "cardiomediastinal silhouette".

The rules are those of the gold's card (`evals/region_gold/CARD.md`): the most specific region; without a side, both; a
finding without a place lies where such findings do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .regions import Region
from .terms import Kind, Mention, mentions

_ALL = frozenset(Region)
_SIDED = frozenset(r.value.split(" ", 1)[1] for r in Region if r.side)
_LUNG_PARTS = frozenset(_SIDED - {"clavicle", "hemidiaphragm"})
_CHUNK = re.compile(r"[,;:.]|\b(?:and|with|without|but|otherwise|although|however|as well as|no|negative for)\b", re.I)
_CARRIES = re.compile(r"(?:and|with|,)", re.I)


def regions_in(text: str) -> tuple[Region, ...]:
    """The regions that a sentence speaks of, in the order of `Region`."""
    found: set[Region] = set()
    chunks = _chunks(text)
    carried: str | None = None
    placed = False
    for n, (link, chunk) in enumerate(chunks):
        if not _CARRIES.fullmatch(link):
            carried = None
            placed = placed and link in (";", ":")
        here = [m for m in chunk if m.kind in (Kind.PLACE, Kind.FINDING)]
        own_place = any(_names_lung(m) for m in here if m.kind is Kind.PLACE)
        later_place = bool(here) and _place_comes_after(chunks[n + 1 :])
        later_side = _first_side(chunks[n + 1][1]) if later_place and chunks[n + 1][0].lower() == "and" else None
        for mention in here:
            if mention.kind is Kind.FINDING and mention.parts == ("lung",) and (own_place or placed or later_place):
                continue
            side = _side_of(mention, chunk) or later_side or (carried if link.lower() != "," else None)
            found.update(r for part in mention.parts for r in _regions(part, side))
        sides = [m.parts[0] for m in chunk if m.kind is Kind.SIDE]
        if sides and any(_sided(m) for m in here):
            carried = sides[-1]
        placed = placed or own_place
    return tuple(r for r in Region if r in found)


def asked_regions(question: str) -> tuple[Region, ...]:
    """The regions that a question asks about, the most precise ones only; empty where it names none.

    A question that names one side asks about that side alone: "effusions, as far as the left lung goes".
    """
    found = regions_in(question)
    sides = {m.parts[0] for m in mentions(question) if m.kind is Kind.SIDE} - {"both"}
    if len(sides) == 1 and any(r.side in sides for r in found):
        found = tuple(r for r in found if r.side is None or r.side in sides)
    return tuple(r for r in found if not any(r in other.ancestors for other in found))


def _chunks(text: str) -> list[tuple[str, list[Mention]]]:
    """The mentions, cut where a phrase ends, each group with the word or mark before it."""
    all_mentions = mentions(text)
    cuts: list[tuple[int, str]] = [(0, "")]
    for match in _CHUNK.finditer(text):
        if not any(m.start <= match.start() < m.end for m in all_mentions):
            cuts.append((match.start(), match[0]))
    groups: list[tuple[str, list[Mention]]] = []
    for n, (start, link) in enumerate(cuts):
        end = cuts[n + 1][0] if n + 1 < len(cuts) else len(text) + 1
        here = [m for m in all_mentions if start <= m.start < end]
        if here or not groups or link.lower() in ("without", "no", "negative for", "but", ";", "otherwise"):
            groups.append((link, here))
    return groups


def _side_of(mention: Mention, chunk: Sequence[Mention]) -> str | None:
    """The side said nearest before a mention, else the nearest after it, within its phrase."""
    before = [m for m in chunk if m.kind is Kind.SIDE and m.start < mention.start]
    after = [m for m in chunk if m.kind is Kind.SIDE and m.start >= mention.end]
    if before:
        return before[-1].parts[0]
    return after[0].parts[0] if after else None


def _place_comes_after(rest: Sequence[tuple[str, Sequence[Mention]]]) -> bool:
    """Whether the next phrase goes on with findings and then says where: "nodules and scars in the left base"."""
    if not rest or rest[0][0].lower() not in ("and", ","):
        return False
    kinds = [m.kind for m in rest[0][1] if m.kind is not Kind.SIDE and (m.kind is not Kind.PLACE or _names_lung(m))]
    if kinds and set(kinds) == {Kind.PLACE}:
        return rest[0][0] == ","  # "granuloma, right base"
    return rest[0][0] != "," and bool(kinds) and kinds[0] is Kind.FINDING and kinds[-1] is Kind.PLACE


def _first_side(chunk: Sequence[Mention]) -> str | None:
    return next((m.parts[0] for m in chunk if m.kind is Kind.SIDE), None)


def _names_lung(mention: Mention) -> bool:
    return any(p.split("@")[0] in _LUNG_PARTS for p in mention.parts)


def _sided(mention: Mention) -> bool:
    return any(p.split("@")[0] in _SIDED for p in mention.parts)


def _regions(part: str, side: str | None) -> list[Region]:
    part, _, fixed = part.partition("@")
    if part not in _SIDED:
        return [Region(part)]
    sides = ("right", "left") if (fixed or side or "both") in ("both", "whole") else (fixed or side,)
    return [Region(f"{s} {part}") for s in sides]
