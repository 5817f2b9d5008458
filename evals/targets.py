"""Targets: what an evaluation puts its examples to. Any compiled graph, any chat model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, convert_to_messages
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel, JsonValue

from ..agents.images import prepared
from ..errors import UserError
from ..graphs.consult import result_of
from ..graphs.diagnose import Diagnosed, parts_of
from ..models.reasoning import REASONING_KEY
from .benchmark import Example, Output

Graph = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True)
class ModelTarget:
    """A plain chat model: it gets the messages, its reply is the answer."""

    model: BaseChatModel
    name: str
    identity: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    async def answer(self, example: Example, callbacks: Sequence[BaseCallbackHandler]) -> Output:
        """The model's reply."""
        return _said(await self.model.ainvoke(messages_of(example), {"callbacks": list(callbacks)}))


@dataclass(frozen=True)
class GraphTarget:
    """A compiled graph whose state has `messages`.

    `read` makes an Output of the final state. The default takes the last message; a consultation graph's `answer`,
    `calls`, `evidence` and `flags` come along as data.
    """

    graph: Graph
    name: str
    identity: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    read: Callable[[Mapping[str, Any]], Output] | None = None

    async def answer(self, example: Example, callbacks: Sequence[BaseCallbackHandler]) -> Output:
        """What the graph ends with."""
        final = await self.graph.ainvoke({"messages": messages_of(example)}, {"callbacks": list(callbacks)})
        return (self.read or output_of)(final)


def output_of(final: Mapping[str, Any]) -> Output:
    """The Output of a graph's final state: a consultation's or a diagnosis's whole result, or the last message of any
    other graph.

    Raises:
        UserError: the state has neither.
    """
    if {"answer", "calls", "evidence", "flags"} <= set(final):
        result = result_of(final)
        data = result.model_dump(mode="json", exclude={"answer", "usage", "timings"})
        return Output(text=result.answer, data=data)
    if {"differential", "samples", "flags"} <= set(final):
        made = Diagnosed(**parts_of(final), answer=str(final["messages"][-1].text))
        data = made.model_dump(
            mode="json", by_alias=True, exclude={"answer", "usage", "timings", "waiting", "reasoning"}
        )
        return Output(text=made.answer, reasoning=made.reasoning, data=data)
    messages: Sequence[BaseMessage] = final.get("messages") or ()
    if not messages or not isinstance(messages[-1], AIMessage):
        keys = ", ".join(f"`{key}`" for key in final) or "nothing"
        raise UserError(f"the graph ends with {keys} and no AI message: give `GraphTarget` a `read` function")
    said = _said(messages[-1])
    rest = {key: _plain(value) for key, value in final.items() if key != "messages"}
    return said.model_copy(update={"data": rest})


def messages_of(example: Example) -> list[AnyMessage]:
    """The example's messages for LangChain, with image files read into data URLs.

    Raises:
        UserError: an image is missing, or no image.
    """
    read: list[dict[str, JsonValue]] = []
    for message in example.messages:
        content = message["content"]
        if isinstance(content, list):
            parts = [cast("dict[str, JsonValue]", part) for part in content if isinstance(part, dict)]
            content = cast("JsonValue", [_shown(part) if part.get("type") == "image_file" else part for part in parts])
        read.append({**message, "content": content})
    return cast("list[AnyMessage]", convert_to_messages(cast("Any", read)))


def _shown(part: Mapping[str, JsonValue]) -> JsonValue:
    box = part.get("box")
    corners = cast("Any", tuple(cast("list[int]", box)) if isinstance(box, list) else None)
    return prepared(Path(str(part["path"])), box=corners).part


def _said(message: BaseMessage) -> Output:
    return Output(text=str(message.text), reasoning=str(message.additional_kwargs.get(REASONING_KEY) or ""))


def _plain(value: object) -> JsonValue:
    """A value of the state as JSON; what JSON has no form for by its text."""
    if isinstance(value, BaseMessage):
        return {"role": value.type, "content": str(value.text)}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("Sequence[object]", value)]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
