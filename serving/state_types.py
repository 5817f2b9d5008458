"""The types that a graph's state declares, so that a run of it can be kept while it waits for a person."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from enum import Enum
from typing import Any, cast, get_args, get_type_hints, is_typeddict

from langchain_core.messages import BaseMessage
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel


def state_types(graph: CompiledStateGraph[Any, Any, Any, Any]) -> tuple[type, ...]:
    """Models, dataclasses and enumerations that its state, input and output name, and those that these name.

    Messages are left out: which of them may stand in a checkpoint is decided elsewhere.
    """
    builder = graph.builder
    found: dict[type, None] = {}
    for schema in (builder.state_schema, builder.input_schema, builder.output_schema):
        found.update(dict.fromkeys(_within(schema, set())))
    return tuple(found)


def _within(annotation: object, seen: set[object]) -> Generator[type]:
    for part in get_args(annotation):
        yield from _within(part, seen)
    if not isinstance(annotation, type) or annotation in seen or issubclass(annotation, BaseMessage):
        return
    seen.add(annotation)
    is_record = issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation)
    if is_record or issubclass(annotation, Enum):
        yield cast("type", annotation)
    if is_record or is_typeddict(annotation):
        for inner in get_type_hints(annotation, include_extras=True).values():
            yield from _within(inner, seen)
