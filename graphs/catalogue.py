"""All graphs by name: what each is for, and how it is compiled over a model and a medicine database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

from ..agents.turn import MedicineSearch
from ..errors import UserError
from . import consultation, diagnosis, progression, retrieve_then_read, ward_round

Compiled = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True)
class Known:
    """One graph."""

    title: str
    build: Callable[[BaseChatModel, MedicineSearch], Compiled]


GRAPHS: Final[dict[str, Known]] = {
    "consultation": Known(
        "questions about medicines: Distill-Retrieve-Read",
        lambda model, medicines: consultation.build(model=model, medicines=medicines),
    ),
    "retrieve_then_read": Known(
        "its baseline: search with the whole conversation, then read",
        lambda model, medicines: retrieve_then_read.build(model=model, medicines=medicines, query="dialogue"),
    ),
    "last_turn": Known(
        "the same with the last turn alone",
        lambda model, medicines: retrieve_then_read.build(model=model, medicines=medicines, query="last_turn"),
    ),
    "by_rules": Known(
        "its baseline without a model",
        lambda _, medicines: retrieve_then_read.build_by_rules(medicines=medicines),
    ),
    "diagnosis": Known(
        "a case in, a ranked differential out",
        lambda model, _: diagnosis.build(model=model),
    ),
    "progression": Known(
        "what changed between two films, by images and earlier records",
        lambda model, _: progression.build(model=model),
    ),
    "ward_round": Known(
        "one conversation, each question sent to the right specialist",
        lambda model, medicines: ward_round.build(model=model, medicines=medicines),
    ),
}


def build(name: str, *, model: BaseChatModel, medicines: MedicineSearch) -> Compiled:
    """The graph `name` with its default options.

    Raises:
        UserError: there is no such graph.
    """
    if name not in GRAPHS:
        raise UserError(f"there is no graph `{name}`: choose one of {', '.join(f'`{known}`' for known in GRAPHS)}")
    return GRAPHS[name].build(model, medicines)
