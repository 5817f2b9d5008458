"""What the diagnosis graph costs beside its models: samples side by side, checkpoints, and what a conversation stores.

    python perf/diagnosis.py

A mock model server on loopback answers after half a second. Checkpoints in memory, in SQLite, and in Postgres where
POSTGRES names a database.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from measuring import Figure, Options, Result, median, run_alone
from mock_model_server import mock_server
from wardround.graphs import diagnosis
from wardround.graphs.checkpoints import serializer
from wardround.graphs.savers import open_saver
from wardround.models import chat_model

WAIT_S = 0.5
RUNS = 7
TURNS = 30
_CASE = {"messages": [HumanMessage("A man of 54 has a swollen, red, very painful big toe since last night.")]}
_REPLY = json.dumps(
    {
        "reasoning": "The toe.",
        "differential": [{"diagnosis": "Gout", "for": ["very painful big toe"], "against": []}],
        "next_tests": [],
        "red_flags": [],
    }
)


async def _timed(graph: Any, config: Any = None) -> float:
    begin = time.perf_counter()
    await graph.ainvoke(_CASE, config)
    return time.perf_counter() - begin


def _side_by_side() -> tuple[float, float]:
    """Seconds of one sample and of eight."""
    with mock_server(WAIT_S, _REPLY) as address:

        async def measured() -> tuple[list[float], list[float]]:
            model = chat_model(f"openai:mock-8b-instruct@{address}")
            one, eight = diagnosis.build(model=model), diagnosis.build(model=model, samples=8)
            await _timed(eight)  # connections are made once
            pairs = [(await _timed(one), await _timed(eight)) for _ in range(RUNS)]
            return [a for a, _ in pairs], [b for _, b in pairs]

        one, eight = asyncio.run(measured())
        return median(one), median(eight)


async def _per_node(saver: Any) -> float:
    """Milliseconds a node of a run without any waiting: four nodes a turn."""
    graph = diagnosis.build(model=FakeListChatModel(responses=[_REPLY]), checkpointer=saver)
    taken: list[float] = []
    for n in range(TURNS):
        config = {"configurable": {"thread_id": f"t{n}"}} if saver is not None else None
        taken.append(await _timed(graph, config))
    return median(taken) / 4 * 1e3


async def _converse(path: Path, turns: int, *, pruned: bool) -> None:
    """A conversation of so many turns over a file of checkpoints."""

    async def reply(state: MessagesState) -> dict[str, Any]:  # noqa: ARG001
        return {"messages": [AIMessage("It was so on each of these days, and so it is today. " * 4)]}

    builder = StateGraph(MessagesState)
    builder.add_node("reply", reply)
    builder.add_edge(START, "reply")
    async with open_saver(path) as saver:
        graph = builder.compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": "t"}}
        for n in range(turns):
            await graph.ainvoke({"messages": [HumanMessage(f"And on day {n}? " * 10)]}, config)
            if pruned:
                await saver.aprune(["t"])


def _stored(path: Path, turns: int, *, pruned: bool) -> float:
    """MB of checkpoints of a conversation of so many turns."""
    asyncio.run(_converse(path, turns, pruned=pruned))
    with sqlite3.connect(path) as database:
        database.execute("VACUUM")
    return path.stat().st_size / 1e6


async def _savers(figures: list[Figure], folder: Path) -> None:
    async with AsyncExitStack() as stack:
        named: list[tuple[str, Any]] = [("no checkpointer", None), ("memory", InMemorySaver(serde=serializer()))]
        named.append(("SQLite", await stack.enter_async_context(open_saver(folder / "c.sqlite"))))
        if address := os.environ.get("POSTGRES"):
            named.append(("Postgres", await stack.enter_async_context(open_saver(address))))
        for name, saver in named:
            took = await _per_node(saver)
            figures.append(Figure(f"a node, {name}", took, "ms", None, f"median of {TURNS} runs of 4"))


def measure(_options: Options) -> Result:
    """All of it."""
    one, eight = _side_by_side()
    figures = [
        Figure("one sample, the model takes 0.5 s", one, "s", None, f"median of {RUNS}"),
        Figure("eight samples", eight, "s", None, f"median of {RUNS}, in turn"),
        Figure("eight against one", eight / one, "of one's time", 1.2),
    ]
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_savers(figures, Path(folder)))
        for turns in (125, 250, 500):
            size = _stored(Path(folder) / f"{turns}.sqlite", turns, pruned=True)
            figures.append(Figure(f"stored after {turns} turns, pruned", size, "MB"))
        size = _stored(Path(folder) / "all.sqlite", 250, pruned=False)
        figures.append(Figure("stored after 250 turns, every checkpoint kept", size, "MB"))
    return Result("diagnosis", tuple(figures))


if __name__ == "__main__":
    run_alone(measure, __doc__, {})
