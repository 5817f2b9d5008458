"""Checkpointers: LangGraph's own conformance suite over each that the project makes or wraps, and what a file holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cases import CASE, named
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from postgres_server import fresh_database
from wardround.errors import UserError
from wardround.graphs import diagnosis
from wardround.graphs.checkpoints import serializer
from wardround.graphs.savers import open_saver


def failures(name: str, opened: Callable[[], Any]) -> list[str]:
    """What the conformance suite finds wrong, over all that the checkpointer claims to do."""

    @checkpointer_test(name=name)
    async def factory() -> AsyncGenerator[Any]:
        async with opened() as saver:
            yield saver

    registered: Any = factory
    report = asyncio.run(validate(registered))
    assert report.results
    return [f"{cap}: {r.failures}" for cap, r in report.results.items() if r.detected and not r.passed]


def test_in_memory_with_the_strict_serializer() -> None:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[Any]:
        yield InMemorySaver(serde=serializer())

    assert failures("memory", opened) == []


def test_sqlite(tmp_path: Path) -> None:
    made = iter(range(1000))
    assert failures("sqlite", lambda: open_saver(tmp_path / f"{next(made)}.sqlite")) == []


def test_postgres(postgres: str) -> None:
    assert failures("postgres", lambda: open_saver(fresh_database(postgres))) == []


def test_a_run_that_waits_goes_on_over_another_connection(tmp_path: Path, scripted: Callable[..., Any]) -> None:
    path = tmp_path / "deep" / "c.sqlite"
    config: Any = {"configurable": {"thread_id": "t"}}
    model = scripted({"otherwise": {"json": named("Gout")}})
    asked: Any = {"messages": [HumanMessage(CASE)]}

    async def waiting() -> Any:
        async with open_saver(path) as saver:
            return await diagnosis.build(model=model, review=True, checkpointer=saver).ainvoke(asked, config)

    async def answered() -> Any:
        async with open_saver(path) as saver:
            graph = diagnosis.build(model=model, review=True, checkpointer=saver)
            return await graph.ainvoke(Command(resume={"decisions": [{"type": "approve"}]}), config)

    assert "__interrupt__" in asyncio.run(waiting())
    assert "1. Gout" in asyncio.run(answered())["messages"][-1].text
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_is_none_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"no database at all, " * 100)

    async def opened() -> None:
        async with open_saver(path):
            pass

    with pytest.raises(UserError, match="is no file of checkpoints"):
        asyncio.run(opened())


def test_a_database_that_is_down_is_told_so() -> None:
    pytest.importorskip("langgraph.checkpoint.postgres", reason="pip install 'wardround[postgres]'")

    async def opened() -> None:
        async with open_saver("postgresql://w@127.0.0.1:1/none"):
            pass

    with pytest.raises(UserError, match="does not answer"):
        asyncio.run(opened())
