"""Checkpoints on disc: conversations and runs that wait for a person, in one SQLite file or in Postgres.

Both with the serializer of `checkpoints.py`, which writes and reads allowed types only. LangGraph keeps a checkpoint of
every step, each with the whole state: after a turn, `await saver.aprune([thread_id])` keeps the last one alone, so that
what is stored grows with the conversation and not with its square.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..errors import MissingExtra, UserError
from .checkpoints import allowed_types, serializer
from .sealing import SealedSerializer, Sealer


@asynccontextmanager
async def open_saver(
    where: str | Path, *, also: Sequence[type] = (), sealer: Sealer | None = None
) -> AsyncGenerator[BaseCheckpointSaver[Any]]:
    """A checkpointer over a SQLite file, or over `postgresql://...`; its tables are made where they are missing.

    Args:
        where: the file (only its owner may read it: it holds patient data), or the address of a database.
        also: types of your own graph's state that may be stored, too.
        sealer: encrypts what is stored, and refuses what is not encrypted; with a SQLite file only.

    Raises:
        UserError: the file can't be opened, the database does not answer, or it shall be encrypted.
        MissingExtra: Postgres without its package.
    """
    serde = serializer(also=list(also)) if sealer is None else SealedSerializer(allowed_types(also), sealer)
    if str(where).startswith(("postgresql://", "postgres://")):
        if sealer is not None:
            # LangGraph's Postgres checkpointer writes texts and numbers past the serializer.
            raise UserError("encrypted checkpoints cannot lie in Postgres: name a file")
        async with _postgres(str(where), serde) as saver:
            yield saver
        return
    from aiosqlite import connect

    from .sqlite_saver import PruningSqliteSaver

    path = _private_file(Path(where))
    async with connect(path) as connection:
        saver = PruningSqliteSaver(connection, serde=serde)
        try:
            await saver.setup()
        except sqlite3.Error as error:
            raise UserError(f"`{path}` is no file of checkpoints ({error}): name another one") from None
        yield saver


def _private_file(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise UserError(f"`{path}` cannot hold checkpoints ({error.strerror}): name another file") from None
    return path


@asynccontextmanager
async def _postgres(address: str, serde: Any) -> AsyncGenerator[BaseCheckpointSaver[Any]]:
    try:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
        from psycopg import OperationalError
    except ImportError:
        raise MissingExtra("checkpoints in Postgres need a package: run `pip install 'wardround[postgres]'`") from None
    try:
        async with AsyncPostgresSaver.from_conn_string(address, serde=serde) as saver:
            await saver.setup()
            yield saver
    except OperationalError as error:
        raise UserError(f"the database for checkpoints does not answer ({error}): check its address") from None
