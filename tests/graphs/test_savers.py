"""Checkpointers: LangGraph's own conformance suite over each that the project makes or wraps, and what a file holds."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
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


def _postgres_programs() -> Path | None:
    folders = [Path(found).parent for found in [shutil.which("postgres")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


@pytest.fixture(scope="module")
def postgres() -> Any:
    """A database server on loopback, with a database for each connection that asks for one."""
    pytest.importorskip("langgraph.checkpoint.postgres", reason="pip install 'wardround[postgres]'")
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    with tempfile.TemporaryDirectory() as folder:
        as_user: list[str | Path] = []
        if os.geteuid() == 0:  # it refuses to run as root
            if shutil.which("runuser") is None:
                pytest.skip("PostgreSQL does not run as root, and there is no `runuser`")
            shutil.chown(folder, "nobody")
            as_user = ["runuser", "-u", "nobody", "--"]
        data = f"{folder}/data"
        setup = [*as_user, programs / "initdb", "-D", data, "-U", "w", "-A", "trust"]
        made = subprocess.run(setup, check=False, capture_output=True)
        if made.returncode:
            pytest.skip(f"initdb fails here: {made.stderr.decode()[-200:]}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"]
        command = [*as_user, programs / "postgres", "-D", data, *options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            address = f"postgresql://w@127.0.0.1:{port}/postgres"
            _answers(address)
            yield address
            server.terminate()


def _answers(address: str) -> None:
    """Waits until the server takes connections, ten seconds at most."""
    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(address, connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return


def test_postgres(postgres: str) -> None:
    import psycopg
    from psycopg import sql

    made = iter(range(1000))

    def opened() -> Any:
        name = f"d{next(made)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return open_saver(f"{postgres.rpartition('/')[0]}/{name}")

    assert failures("postgres", opened) == []


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
