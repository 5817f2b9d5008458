"""The consultation graphs by name, over a model and a medicine database."""

from __future__ import annotations

from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

from ..agents.reader import Mode
from ..agents.turn import MedicineSearch
from ..errors import UserError
from . import consultation, retrieve_then_read

NAMES: Final = ("consultation", "retrieve_then_read", "last_turn", "by_rules")
"""Distill-Retrieve-Read; its baselines with the whole dialogue, the last turn, and without a model."""


def open_graph(
    name: str, *, model: BaseChatModel | None, medicines: MedicineSearch, mode: Mode | None = None
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The graph `name`, compiled.

    Raises:
        UserError: there is no such graph, or it needs a model and has none. `by_rules` needs none and ignores it.
    """
    if name not in NAMES:
        raise UserError(f"there is no graph `{name}`: choose one of {', '.join(f'`{known}`' for known in NAMES)}")
    if name == "by_rules":
        return retrieve_then_read.build_by_rules(medicines=medicines)
    if model is None:
        raise UserError(f"the graph `{name}` needs a model: give `--model`")
    if name == "consultation":
        return consultation.build(model=model, medicines=medicines, mode=mode)
    query = "last_turn" if name == "last_turn" else "dialogue"
    return retrieve_then_read.build(model=model, medicines=medicines, query=query, mode=mode)
