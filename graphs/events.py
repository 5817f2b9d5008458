"""The event stream over a running graph: what a terminal, a gateway or a page shows while it works.

A small closed set. The nodes send them (`agents/streaming.py`); this turns LangGraph's stream into them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Generator, Mapping
from contextlib import aclosing
from typing import Any, Final, Literal, cast, get_args

from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Interrupt
from pydantic import BaseModel, ConfigDict

from .usage import UsageCounter

Kind = Literal[
    "text", "withdrawn", "reasoning", "tool_start", "tool_end", "source", "status", "hand_over",
    "usage", "interrupt", "final", "error",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Event(BaseModel):
    """One thing that happened."""

    model_config = ConfigDict(frozen=True)
    kind: Kind
    """`text`: a checked piece of the answer; with `lasting` in its data it holds whatever comes (what to do now, what
    the database lacks), with `line` it stands on a line of its own, with `token` it follows the last one without a
    space. `withdrawn`: the other pieces so far no longer hold, others follow.
    `reasoning`: the model's thinking. `tool_start`, `tool_end`: a search or another tool. `source`: something the
    answer may cite, as `[n]`: `n`, `id`, `title`, `text`, `source`, `date`, `url`. `status`: a node has ended.
    `hand_over`: a specialist takes over. `usage`: tokens in and out and the number of model calls, once, before the
    end. `interrupt`: a person is asked, `id` and `value` say what; the run waits in its checkpoint and no `final`
    follows. `final`: the output state. `error`: the run failed and nothing follows; only who serves runs to others
    makes it of an exception, with a `code` and a `message` that may be shown."""
    data: dict[str, Any]


async def stream_events(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    state: Mapping[str, Any] | Command[Any],
    config: RunnableConfig | None = None,
    *,
    tokens: Collection[str] | None = None,
    steps: bool = False,
    **options: Any,
) -> AsyncGenerator[Event]:
    """Run `graph` on `state` and yield its events; the last is `final` with the output state, or an `interrupt`.

    `state` is the input, or a `Command(resume=...)` that answers an interrupt. `options` go to LangGraph's `astream`
    (`context`, `durability`, ...).

    `tokens` is for graphs whose nodes send no events of ours: the names of the nodes whose models write the answer.
    Their tokens come as `text`, those of other nodes as `reasoning`, and calls of tools as `tool_start` and `tool_end`.

    With `steps` a `status` comes when a node begins, too, and each says where the node is: `begins`, and `path`, the
    nodes of the outer graphs that it runs in.

    Closing the iterator early stops the graph. Exceptions of the graph come out of the iterator.
    """
    modes: Any = ["updates", "custom", "values"]
    modes += [*(["messages"] if tokens is not None else []), *(["tasks"] if steps else [])]
    given: Any = state if isinstance(state, Command) else dict(state)
    counter = UsageCounter()
    counted = merge_configs(config, {"callbacks": [counter]})
    stream = graph.astream(given, counted, stream_mode=modes, version="v2", subgraphs=True, **options)
    last: dict[str, Any] = {}
    asked: list[Interrupt] = []
    async with aclosing(cast("Any", stream)) as parts:
        async for part in parts:
            data: Any = part["data"]
            if part["type"] == "custom":
                if not isinstance(data, dict) or data.get("type") not in KINDS:
                    continue  # what a node of somebody else's sends
                yield Event(kind=data["type"], data={k: v for k, v in data.items() if k != "type"})
            elif part["type"] == "messages":
                for event in _of_token(part["ns"], data, tokens or ()):
                    yield event
            elif part["type"] == "tasks":
                if "input" in data:  # at its beginning; its end has a part of its own
                    yield Event(kind="status", data={"node": data["name"], "begins": True, "path": _path(part["ns"])})
            elif part["type"] == "updates":
                asked += [one for one in data.get("__interrupt__", ()) if one not in asked]
                for event in _of_updates(part["ns"] if steps else None, data, with_tools=tokens is not None):
                    yield event
            elif not part["ns"]:
                last = data
    yield Event(kind="usage", data=dict(counter.totals))
    for one in asked:
        yield Event(kind="interrupt", data={"id": one.id, "value": one.value})
    if not asked:
        yield Event(kind="final", data=last)


def _of_updates(namespace: tuple[str, ...] | None, data: Any, *, with_tools: bool) -> Generator[Event]:
    for name, update in data.items():
        if name == "__interrupt__":
            continue
        if with_tools:
            yield from _of_tools(update)
        about = {} if namespace is None else {"begins": False, "path": _path(namespace)}
        yield Event(kind="status", data={"node": name, **about})


def _path(namespace: tuple[str, ...]) -> list[str]:
    return [name.partition(":")[0] for name in namespace]


def answering_nodes(graph: CompiledStateGraph[Any, Any, Any, Any]) -> frozenset[str]:
    """The nodes after which a graph may end: what their models write is taken to be the answer."""
    return frozenset(edge.source for edge in graph.get_graph().edges if edge.target == "__end__")


def _of_token(namespace: tuple[str, ...], data: Any, answering: Collection[str]) -> Generator[Event]:
    message, about = data
    if not isinstance(message, AIMessageChunk):
        return  # a whole message, which was streamed before or is another node's
    if thought := message.additional_kwargs.get("reasoning_content"):
        yield Event(kind="reasoning", data={"text": thought})
    if message.text:
        node = namespace[0].partition(":")[0] if namespace else about.get("langgraph_node")
        data = {"text": message.text, "token": True}
        yield Event(kind="text" if node in answering else "reasoning", data=data)


def _of_tools(update: Any) -> Generator[Event]:
    messages: Any = cast("dict[str, Any]", update).get("messages", ()) if isinstance(update, dict) else ()
    for message in cast("list[Any]", messages) if isinstance(messages, list) else [messages]:
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                yield Event(kind="tool_start", data={"tool": call["name"], "arguments": call["args"]})
        elif isinstance(message, ToolMessage):
            yield Event(kind="tool_end", data={"tool": message.name, "result": message.text[:4000]})
