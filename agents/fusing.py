"""Several readings of one case made into one differential.

Diagnoses are first merged by meaning: the same disease under several names is one (`corpora/diseases.py`); then a model
may say which of the rest are the same. Then they are put in order: by rank fusion, by majority, or by a verifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, ConfigDict

from ..corpora.diseases import same_disease
from ..errors import ModelReplyError
from ..models import structured_reply
from .calling import role_config
from .differential import MOST, Diagnosis, Differential, Finding, Sample
from .prompting import prompt
from .purse import OverBudget, Purse

Fuse = Literal["rank", "majority"]
K: Final = 60
"""The constant of reciprocal rank fusion (Cormack et al. 2009)."""
_MOST_FINDINGS: Final = 4


class Candidate(BaseModel):
    """One disease, and the place that each sample gives it."""

    model_config = ConfigDict(frozen=True)
    names: tuple[str, ...]
    places: dict[int, int]
    """Sample number -> rank; the better one where a sample names it twice."""
    supporting: tuple[Finding, ...]
    opposing: tuple[Finding, ...]

    def mean_reciprocal_rank(self, samples: int) -> float:
        """Over all samples, those that don't name it as 0."""
        return sum(1 / rank for rank in self.places.values()) / samples


def candidates(samples: Sequence[Sample]) -> list[Candidate]:
    """The diseases that the samples name, each once, in order of first mention by rank."""
    groups: list[list[tuple[int, Diagnosis]]] = []
    named = sorted(((s.number, d) for s in samples for d in s.diagnoses), key=lambda one: (one[1].rank, one[0]))
    for number, diagnosis in named:
        at = next((g for g in groups if any(same_disease(diagnosis.diagnosis, d.diagnosis) for _, d in g)), None)
        if at is None:
            groups.append([(number, diagnosis)])
        else:
            at.append((number, diagnosis))
    return [_candidate(group) for group in groups]


def _candidate(group: Sequence[tuple[int, Diagnosis]]) -> Candidate:
    places: dict[int, int] = {}
    for number, diagnosis in group:
        places[number] = min(places.get(number, diagnosis.rank), diagnosis.rank)
    once = dict.fromkeys(d.diagnosis for _, d in group)
    names = sorted(once, key=lambda name: -sum(d.diagnosis == name for _, d in group))
    return Candidate(
        names=tuple(names),
        places=places,
        supporting=_distinct([f for _, d in group for f in d.supporting]),
        opposing=_distinct([f for _, d in group for f in d.opposing]),
    )


def _distinct(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each once, what stands in the case first."""
    once: dict[str, Finding] = {}
    for finding in findings:
        once.setdefault(" ".join(finding.quote.casefold().split()), finding)
    return tuple(sorted(once.values(), key=lambda f: not f.in_case)[:_MOST_FINDINGS])


def ordered(found: Sequence[Candidate], fuse: Fuse) -> list[Candidate]:
    """Best first. `rank`: reciprocal rank fusion. `majority`: by how many samples put it first, then by rank fusion.

    What is equal stays in the order given.
    """

    def fused(one: Candidate) -> float:
        return sum(1 / (K + rank) for rank in one.places.values())

    def worth(one: Candidate) -> tuple[float, float]:
        firsts = sum(rank == 1 for rank in one.places.values()) if fuse == "majority" else 0
        return firsts, fused(one)

    return sorted(found, key=worth, reverse=True)


def joined(found: Sequence[Candidate], groups: Sequence[Sequence[int]]) -> list[Candidate]:
    """The candidates with those of each group (of places from 0) made one, at the place of the first."""
    joined_at = {place: min(group) for group in groups for place in group}
    kept: dict[int, Candidate] = {}
    for place, one in enumerate(found):
        head = joined_at.get(place, place)
        if head not in kept:
            kept[head] = one
            continue
        other = kept[head]
        places = {
            n: min(r for r in (other.places.get(n), one.places.get(n)) if r) for n in {*other.places, *one.places}
        }
        kept[head] = Candidate(
            names=(*other.names, *one.names),
            places=places,
            supporting=_distinct([*other.supporting, *one.supporting]),
            opposing=_distinct([*other.opposing, *one.opposing]),
        )
    return list(kept.values())


def differential(found: Sequence[Candidate], samples: Sequence[Sample]) -> Differential:
    """The five best, and what the samples would do next: what several say comes first."""
    return Differential(
        diagnoses=tuple(
            Diagnosis(
                rank=n,
                diagnosis=one.names[0],
                supporting=one.supporting,
                opposing=one.opposing,
                confidence=round(one.mean_reciprocal_rank(len(samples)), 4),
                also_called=one.names[1:],
            )
            for n, one in enumerate(found[:MOST], start=1)
        ),
        next_tests=_most_said([s.next_tests for s in samples]),
        red_flags=_most_said([s.red_flags for s in samples]),
    )


def _most_said(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    said: dict[str, list[str]] = {}
    for text in (text for texts in lists for text in texts):
        said.setdefault(" ".join(text.casefold().split()).rstrip("."), []).append(text)
    return tuple(texts[0] for texts in sorted(said.values(), key=len, reverse=True))[:3]


async def verified(
    purse: Purse, messages: Sequence[AnyMessage], found: Sequence[Candidate], config: RunnableConfig
) -> tuple[list[Candidate], str]:
    """The candidates in a verifier's order, and what was wrong if its reply can't be used: the order then stays.

    Raises:
        ModelError: the server can't do its part.
    """
    shown = list(found)[: 2 * MOST]
    listed = "\n".join(f"{n}. {one.names[0]}" for n, one in enumerate(shown, start=1))
    parsed, problem = await _asked(
        purse, "diagnose_verify", "verifier", messages, listed, _order_form(len(shown)), config
    )
    order = (parsed or {}).get("order")
    if not _is_order(order, len(shown)):
        return list(found), problem or "the verifier's reply is no order of the diagnoses"
    picked = [shown[int(n) - 1] for n in cast("list[int]", order)]
    return [*picked, *list(found)[len(shown) :]], ""


async def same_by_model(
    purse: Purse, found: Sequence[Candidate], config: RunnableConfig
) -> tuple[list[Candidate], str]:
    """The candidates with those made one that a model says are the same disease; a reply that is none changes nothing.

    Raises:
        ModelError: the server can't do its part.
    """
    if len(found) < 2:
        return list(found), ""
    listed = "\n".join(f"{n}. {one.names[0]}" for n, one in enumerate(found, start=1))
    parsed, problem = await _asked(purse, "diagnose_same", "merger", (), listed, _groups_form(), config)
    groups: Any = (parsed or {}).get("same")
    if not _are_groups(groups, len(found)):
        return list(found), problem or "the reply is no grouping of the diagnoses"
    return joined(found, [[n - 1 for n in group] for group in groups]), ""


async def _asked(
    purse: Purse,
    name: str,
    role: str,
    messages: Sequence[AnyMessage],
    listed: str,
    form: Mapping[str, Any],
    config: RunnableConfig,
) -> tuple[dict[str, Any] | None, str]:
    task = prompt(name)
    asked: list[BaseMessage] = [SystemMessage(task.text), *messages, HumanMessage(f"The diagnoses:\n{listed}")]
    found: dict[str, Any] | None = None

    async def ask(said: Sequence[BaseMessage], most: int) -> AIMessage:
        nonlocal found
        found, message = await structured_reply(
            purse.model, list(said), dict(form), name=role, config=role_config(config, role, task), max_tokens=most
        )
        return message

    try:
        await purse.ask(asked, ask)
    except (OverBudget, ModelReplyError) as error:
        return None, str(error)
    return found, ""


def _is_order(order: Any, n: int) -> bool:
    return isinstance(order, list) and all(type(i) is int for i in order) and sorted(order) == list(range(1, n + 1))


def _are_groups(groups: Any, n: int) -> bool:
    """Groups of numbers from 1 to n, no number twice."""
    if not isinstance(groups, list) or not all(isinstance(group, list) for group in cast("list[Any]", groups)):
        return False
    numbers = [number for group in cast("list[list[Any]]", groups) for number in group]
    return all(type(i) is int and 1 <= i <= n for i in numbers) and len(set(numbers)) == len(numbers)


def _order_form(n: int) -> dict[str, Any]:
    numbers = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": n}, "minItems": n, "maxItems": n}
    return {"type": "object", "properties": {"order": numbers}, "required": ["order"], "additionalProperties": False}


def _groups_form() -> dict[str, Any]:
    group = {"type": "array", "items": {"type": "integer"}}
    listed = {"type": "array", "items": group}
    return {"type": "object", "properties": {"same": listed}, "required": ["same"], "additionalProperties": False}
