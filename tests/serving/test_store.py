"""Turns in SQLite and in a real Postgres: appended, counted, recovered, purged; encrypted where that was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from postgres_server import fresh_database
from wardround.errors import UserError
from wardround.graphs.sealing import Sealer, SealError, new_key_file, sealer_of
from wardround.serving.databases import Postgres, SqliteFile
from wardround.serving.sql_turns import SqlTurns
from wardround.serving.store import UNLIMITED, Allowance, Begun, Ended, Full
from wardround.serving.workers import Workers

Opened = Callable[..., SqlTurns]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Opens the same turns again and again, each time as another worker."""
    if request.param == "postgres":
        address = fresh_database(request.getfixturevalue("postgres"))
        return lambda sealer=None: SqlTurns(Postgres(address), sealer)
    return lambda sealer=None: SqlTurns(SqliteFile(tmp_path / "t.sqlite", Workers(tmp_path / "workers")), sealer)


def begun(store: SqlTurns, run: str, **more: Any) -> Begun:
    worker = store._database.own  # pyright: ignore[reportPrivateUsage]
    given: dict[str, Any] = {"at": 1000.0, "key": "k", "owner": "k", "conversation": "c", "agent": "a", "thread": run}
    given |= {"run": run, "worker": worker, "body": {"question": f"what of {run}?"}, **more}
    return Begun(**given)


def check(opened: Opened, work: Callable[[SqlTurns], Awaitable[None]], sealer: Sealer | None = None) -> None:
    async def run() -> None:
        store = opened(sealer)
        await work(store)
        await store.close()

    asyncio.run(run())


def test_what_began_and_what_ended(opened: Opened) -> None:
    async def work(store: SqlTurns) -> None:
        assert await store.begin(begun(store, "r1"), UNLIMITED) is None
        assert await store.begin(begun(store, "r2", at=1001.0), UNLIMITED) is None
        await store.end(Ended(run="r1", at=1002.0, status="finished", input_tokens=5, body={"answer": "so"}))
        first, second = await store.turns("k", "c")
        assert (first.ended and first.ended.body, second.ended) == ({"answer": "so"}, None)
        (listed,) = await store.conversations("k")
        assert (listed.turns, listed.title, listed.last) == (2, "what of r1?", 1001.0)
        assert await store.conversations("other") == []
        assert await store.turns("other", "c") == []

    check(opened, work)


def test_an_end_is_kept_once(opened: Opened) -> None:
    async def work(store: SqlTurns) -> None:
        await store.begin(begun(store, "r1"), UNLIMITED)
        for status in ("finished", "lost"):
            await store.end(Ended(run="r1", at=1002.0, status=status))
        turn = await store.turn("r1")
        assert turn is not None
        assert turn.ended is not None
        assert turn.ended.status == "finished"

    check(opened, work)


def test_rows_cannot_be_changed(opened: Opened) -> None:
    async def work(store: SqlTurns) -> None:
        await store.begin(begun(store, "r1"), UNLIMITED)
        with pytest.raises(Exception, match="never changed"):
            await store._do(lambda db: db.query("UPDATE turns SET owner = 'x'"))  # pyright: ignore[reportPrivateUsage]

    check(opened, work)


def test_what_a_dead_worker_left_is_lost_and_what_a_living_one_runs_is_not(opened: Opened) -> None:
    async def run() -> None:
        dead, living = opened(), opened()
        await dead.begin(begun(dead, "r1"), UNLIMITED)
        await dead.begin(begun(dead, "r2"), UNLIMITED)
        await dead.end(Ended(run="r2", at=1.0, status="finished"))
        await living.begin(begun(living, "r3"), UNLIMITED)
        await dead.close()
        if isinstance(dead._database, SqliteFile):  # pyright: ignore[reportPrivateUsage]
            dead._database._workers.close()  # pyright: ignore[reportPrivateUsage]
        after = opened()
        assert await after.recover(2.0) == ["r1"]
        assert await after.recover(2.0) == []
        await living.close()
        await after.close()

    asyncio.run(run())


def test_limits_hold_over_all_workers(opened: Opened) -> None:
    async def run() -> None:
        stores = [opened(), opened()]
        tries = [stores[n % 2].begin(begun(stores[n % 2], f"r{n}"), Allowance(turns_a_minute=7)) for n in range(20)]
        found = await asyncio.gather(*tries)
        assert found.count(None) == 7
        assert {one for one in found if one} == {Full("turns_a_minute", 60)}
        for store in stores:
            await store.close()

    asyncio.run(run())


def test_purging_leaves_what_still_runs_and_tells_the_threads(opened: Opened) -> None:
    async def work(store: SqlTurns) -> None:
        for run in ("r1", "r2"):
            await store.begin(begun(store, run), UNLIMITED)
        await store.end(Ended(run="r1", at=1500.0, status="waiting"))
        assert await store.purge(1400.0) == []
        assert await store.purge(1600.0, owner="other") == []
        assert await store.purge(1600.0) == ["r1"]
        assert [turn.begun.run for turn in await store.turns(None, "c")] == ["r2"]

    check(opened, work)


def test_sealed_rows_are_read_with_the_key_only(opened: Opened, tmp_path: Path) -> None:
    new_key_file(tmp_path / "key")
    sealer = sealer_of(tmp_path / "key")

    async def write(store: SqlTurns) -> None:
        await store.begin(begun(store, "r1", patient="p1"), UNLIMITED)
        (row,) = await store._do(lambda db: db.query("SELECT body, patient FROM turns"))  # pyright: ignore[reportPrivateUsage]
        assert b"what of" not in bytes(row[0])
        assert row[1] != "p1"
        assert await store.begin(begun(store, "r2", patient="p2"), UNLIMITED) == Full("patient")

    async def read(store: SqlTurns) -> None:
        turn = await store.turn("r1")
        assert turn is not None
        assert turn.begun.body == {"question": "what of r1?"}

    async def refuse(store: SqlTurns) -> None:
        with pytest.raises(SealError):
            await store.turn("r1")

    check(opened, write, sealer)
    check(opened, read, sealer)
    check(opened, refuse, Sealer(bytes(32)))


def test_a_row_that_is_not_sealed_is_refused(opened: Opened) -> None:
    async def write(store: SqlTurns) -> None:
        await store.begin(begun(store, "r1"), UNLIMITED)

    async def refuse(store: SqlTurns) -> None:
        with pytest.raises(SealError, match="not encrypted"):
            await store.turn("r1")

    check(opened, write)
    check(opened, refuse, Sealer(bytes(32)))


def test_deleted_text_is_gone_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    store = SqlTurns(SqliteFile(path, Workers(tmp_path / "workers")))

    async def work() -> None:
        await store.begin(begun(store, "r1", body={"question": "unmistakable"}), UNLIMITED)
        await store.end(Ended(run="r1", at=1.0, status="finished"))
        await store.purge(2.0)
        await store.close()

    asyncio.run(work())
    assert not any(b"unmistakable" in file.read_bytes() for file in tmp_path.glob("t.sqlite*"))


def test_another_programs_file_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(UserError, match="name another folder"):
        SqlTurns(SqliteFile(path, Workers(tmp_path / "workers")))


def test_a_database_that_is_down_is_told_so() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(UserError, match="check its address"):
        SqlTurns(Postgres("postgresql://w@127.0.0.1:1/none"))


def test_a_connection_that_went_away_is_made_anew(postgres: str) -> None:
    import psycopg

    address = fresh_database(postgres)
    store = SqlTurns(Postgres(address))

    async def work() -> None:
        await store.begin(begun(store, "r1"), UNLIMITED)
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                          (address.rpartition("/")[2],))  # fmt: skip
        assert await store.begin(begun(store, "r2"), UNLIMITED) is None
        assert len(await store.turns("k", "c")) == 2
        await store.close()

    asyncio.run(work())
