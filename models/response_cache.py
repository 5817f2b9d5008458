"""Replies of model servers kept on disc, so that the same request is paid for once.

The key covers everything that matters: the server (or model file) and the whole body of the request with model,
messages, tools, schema, seed and sampling. Only whole, successful replies are kept. What is said to a model is patient
data, so the file is readable by its owner only; delete it and nothing but time is lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Lock
from typing import Any

from ..errors import UserError
from .retry import http_library


class ResponseCache:
    """Replies by request, in one SQLite file. Any number of threads and processes may use it."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            UserError: it is something else, or cannot be written.
        """
        self.path = path
        self.hits = 0
        """Requests answered from here since it was opened."""
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, kind TEXT, body BLOB) STRICT")
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"the response cache `{path}` cannot be used ({error}): delete or move it") from None

    def get(self, key: str) -> tuple[str, bytes] | None:
        """Content type and body of a kept reply."""
        with self._lock:
            row = self._db.execute("SELECT kind, body FROM replies WHERE key = ?", (key,)).fetchone()
            self.hits += row is not None
        return row

    def put(self, key: str, kind: str, body: bytes) -> None:
        """Keep a reply."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", (key, kind, body))

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._db.close()


class CachingTransport:
    """An async transport that answers from a cache where it can, and else asks `below` and keeps what is whole."""

    def __init__(self, below: Any, cache: ResponseCache, identity: Callable[[], str]) -> None:
        """`identity` names the server or the model file: the same request to another one is another request."""
        self._below, self._cache, self._identity = below, cache, identity

    async def handle_async_request(self, request: Any) -> Any:
        """Answers `request`."""
        http: Any = http_library()
        body = await request.aread()
        if not request.url.path.endswith("/chat/completions"):
            return await self._below.handle_async_request(request)
        key = hashlib.sha256(f"{self._identity()}\n".encode() + body).hexdigest()
        if kept := self._cache.get(key):
            return http.Response(200, headers={"content-type": kept[0]}, content=kept[1], request=request)
        response = await self._below.handle_async_request(request)
        if response.status_code == 200:
            kind = response.headers.get("content-type", "application/json")
            encoded = response.headers.get("content-encoding", "identity") != "identity"
            if not encoded:
                response.stream = _kept_stream(response.stream, lambda whole: self._keep(key, kind, whole))
        return response

    def _keep(self, key: str, kind: str, body: bytes) -> None:
        if _is_whole(kind, body):
            self._cache.put(key, kind, body)

    async def aclose(self) -> None:
        """Closes what is below; the cache is its owner's to close."""
        await self._below.aclose()

    async def __aenter__(self) -> CachingTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _is_whole(kind: str, body: bytes) -> bool:
    """Whether this is a complete reply, and no error in its place."""
    if "event-stream" in kind:
        return b"data: [DONE]" in body[-64:] and b'"error"' not in body
    try:
        reply = json.loads(body)
    except ValueError:
        return False
    return isinstance(reply, dict) and bool(reply.get("choices"))


def _kept_stream(stream: Any, keep: Callable[[bytes], None]) -> Any:
    """`stream`, which hands all that was read of it to `keep` when it is closed."""
    http: Any = http_library()

    class Kept(http.AsyncByteStream):  # the library's class is only known at run time
        def __init__(self) -> None:
            self._pieces: list[bytes] = []

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in stream:
                self._pieces.append(piece)
                yield piece

        async def aclose(self) -> None:
            # Here and not where the iteration ends: the SDK stops reading at `[DONE]`.
            await stream.aclose()
            keep(b"".join(self._pieces))
            self._pieces.clear()

    return Kept()
