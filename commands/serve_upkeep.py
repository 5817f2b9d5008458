"""Conversations from the command line: listed, shown, deleted, while a server runs or not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MissingExtra, UserError
from .terminal import clean, out

if TYPE_CHECKING:
    from ..serving.gateway import Gateway


@asynccontextmanager
async def _opened(state: Path, conversations: str | None, key: Path | None) -> AsyncGenerator[Gateway]:
    """The store, and no agents."""
    try:
        from ..serving.gateway import CONVERSATIONS, Gateway, Options
    except ImportError:
        raise MissingExtra("serving needs packages: run `pip install 'wardround[serve]'`") from None
    if conversations is None and not (state / CONVERSATIONS).exists():
        raise UserError(f"`{state}` holds no conversations: name the server's folder with `--state`")
    gateway = Gateway([], Options(state=state, conversations=conversations, encryption_key=key))
    await gateway.open()
    try:
        yield gateway
    finally:
        await gateway.close()


def listed(state: Path, conversations: str | None, key: Path | None, *, as_json: bool) -> None:
    """Print the conversations."""

    async def find() -> list[dict[str, object]]:
        async with _opened(state, conversations, key) as gateway:
            return [asdict(one) for one in await gateway.store.conversations(limit=1000)]

    found = asyncio.run(find())
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))  # noqa: T201
        return
    for one in found:
        count = f"{one['turns']} turn{'s' if one['turns'] != 1 else ''}"
        out().print(clean(f"{one['id']}  {_time(one['last'])}  {one['agent']}  {count}  {one['title']}"))
    if not found:
        print("No conversations.")  # noqa: T201


def showed(name: str, state: Path, conversations: str | None, key: Path | None, *, as_json: bool) -> None:
    """Print a conversation.

    Raises:
        UserError: there is none of that name.
    """

    async def find() -> list[dict[str, object]]:
        from ..serving.conversing import shown_turn

        async with _opened(state, conversations, key) as gateway:
            return [shown_turn(turn) for turn in await gateway.store.turns(None, name)]

    found = asyncio.run(find())
    if not found:
        raise UserError(f"there is no conversation `{name}`: see `wardround serve conversations list`")
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))  # noqa: T201
        return
    for turn in found:
        out().print(clean(f"{_time(turn['at'])}  {turn['agent']}  {turn['status']}"), style="dim")
        out().print(clean(f"you: {turn['question']}"))
        out().print(clean(str(turn["answer"] or f"({turn['why'] or turn['status']})")))


def purged(days: float, state: Path, conversations: str | None, key: Path | None) -> int:
    """Delete what is older; the number of turns."""

    async def delete() -> int:
        async with _opened(state, conversations, key) as gateway:
            return await gateway.turns.purge(before=time.time() - days * 86_400)

    return asyncio.run(delete())


def _time(at: object) -> str:
    return f"{datetime.fromtimestamp(float(str(at)), UTC):%Y-%m-%d %H:%M} UTC"
