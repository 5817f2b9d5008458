"""The event stream over a running graph: what a terminal, a gateway or a page shows while it works.

A small closed set. The nodes send them (`agents/streaming.py`); this turns LangGraph's stream into them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final, Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Interrupt
from pydantic import BaseModel, ConfigDict

KINDS: Final = ("text", "withdrawn", "reasoning", "tool_start", "tool_end", "status", "hand_over", "interrupt", "final")
Kind = Literal["text", "withdrawn", "reasoning", "tool_start", "tool_end", "status", "hand_over", "interrupt", "final"]


class Event(BaseModel):
    """One thing that happened."""

    model_config = ConfigDict(frozen=True)
    kind: Kind
    """`text`: a checked piece of the answer; with `lasting` in its data it holds whatever comes (what to do now, what
    the database lacks). `withdrawn`: the other pieces so far no longer hold, others follow.
    `reasoning`: the model's thinking. `tool_start`, `tool_end`: a search or another tool. `status`: a node has ended.
    `hand_over`: a specialist takes over. `interrupt`: a person is asked, `id` and `value` say what; the run waits in
    its checkpoint and no `final` follows. `final`: the output state."""
    data: dict[str, Any]


async def stream_events(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    state: Mapping[str, Any] | Command[Any],
    config: RunnableConfig | None = None,
    *,
    context: object = None,
) -> AsyncGenerator[Event]:
    """Run `graph` on `state` and yield its events; the last is `final` with the output state, or an `interrupt`.

    `state` is the input, or a `Command(resume=...)` that answers an interrupt; `context` the run's context, for graphs
    that have one.

    Closing the iterator early stops the graph. Exceptions of the graph come out of the iterator.
    """
    modes: Any = ["updates", "custom", "values"]
    given: Any = state if isinstance(state, Command) else dict(state)
    stream = graph.astream(given, config, context=context, stream_mode=modes, version="v2", subgraphs=True)
    last: dict[str, Any] = {}
    asked: list[Interrupt] = []
    async with aclosing(cast("Any", stream)) as parts:
        async for part in parts:
            data: Any = part["data"]
            if part["type"] == "custom":
                if not isinstance(data, dict) or data.get("type") not in KINDS:
                    continue  # what a node of somebody else's sends
                yield Event(kind=data["type"], data={k: v for k, v in data.items() if k != "type"})
            elif part["type"] == "updates":
                for name, update in data.items():
                    if name == "__interrupt__":
                        asked += [one for one in update if one not in asked]
                    else:
                        yield Event(kind="status", data={"node": name})
            elif not part["ns"]:
                last = data
    for one in asked:
        yield Event(kind="interrupt", data={"id": one.id, "value": one.value})
    if not asked:
        yield Event(kind="final", data=last)
