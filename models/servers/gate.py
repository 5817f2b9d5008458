"""The only way in to a model server: a reverse proxy that checks a key and knows three routes.

vLLM's own `--api-key` guards what begins with `/v1`, `/v2`, `/inference` and `/cohere`; `/invocations`, `/tokenize`,
`/scale_elastic_ep`, `/metrics` and others answer everybody, and behind the key lie routes that load code paths no
client of ours needs. llama.cpp has its own list of open ones. Here what is not named does not exist.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from socket import socket
from typing import Any, Final, NamedTuple, Self

import httpx

from ...errors import MissingExtra, ModelUnavailable

ROUTES: Final[Mapping[str, str]] = {"/v1/chat/completions": "POST", "/v1/models": "GET", "/health": "GET"}
"""Path to method of all that is let through. `/health` alone needs no key."""
OPEN: Final = "/health"
MOST_BODY_BYTES: Final = 64_000_000
"""A request with a dozen films in full resolution has about half of this."""
_BODY_S: Final = 60.0
_GRACE_S: Final = 3
_PASSED_ON: Final = (b"content-type", b"content-length", b"cache-control", b"retry-after", b"x-request-id")
_log = logging.getLogger("wardround.models")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Upstream(NamedTuple):
    """The server behind the gate."""

    address: str
    """Without `/v1`, such as `http://127.0.0.1:1234`; with `socket`, only the name in the Host header."""
    key: str
    socket: str | None = None
    """A Unix domain socket that it listens on instead."""


class Gate:
    """The ASGI application. Answers 503 until `open` is called, so that a client waits instead of failing."""

    def __init__(self, upstream: Upstream, key: str, *, most_body_bytes: int = MOST_BODY_BYTES) -> None:
        """`key`: what clients must send as bearer token."""
        self._upstream, self._key, self._most = upstream, key.encode(), most_body_bytes
        self._open = threading.Event()
        self._client: httpx.AsyncClient | None = None

    def open(self) -> None:
        """The server behind is ready."""
        self._open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            if refusal := self._refusal(scope):
                await _answer(send, *refusal)
            else:
                await self._pass_on(scope, receive, send)
        else:  # a websocket: no route has one
            await send({"type": "websocket.close"})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
        if self._client is not None:
            await self._client.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        method = ROUTES.get(scope["path"])
        # The key is asked for before anything else is told, the names of the routes too.
        if scope["path"] != OPEN and not self._has_key(scope):
            return 401, "a key is needed: send `Authorization: Bearer KEY`"
        if method is None:
            return 404, f"there is no route `{scope['path'][:80]}` here: only {', '.join(ROUTES)}"
        if scope["method"] != method:
            return 405, f"`{scope['path']}` takes {method} only"
        if not self._open.is_set():
            return 503, "the model is still loading"
        return None

    def _has_key(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        kind, _, key = given.partition(b" ")
        return kind.lower() == b"bearer" and hmac.compare_digest(key.strip(), self._key)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await asyncio.wait_for(self._body(receive), _BODY_S)
        except TimeoutError:
            await _answer(send, 408, f"the request did not arrive within {_BODY_S:.0f} s")
            return
        if body is None:
            await _answer(send, 413, f"the request has more than {self._most:,} bytes")
            return
        # When the client goes, so does the request behind, and the model stops writing for nobody.
        working = asyncio.create_task(self._relay(scope, body, send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, gone):
                if not task.done():
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
        if not working.cancelled():
            working.result()

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole request; None where it is too long, or its sender left."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._most:
                return None
            if not message.get("more_body"):
                return b"".join(parts)

    async def _relay(self, scope: Scope, body: bytes, send: Send) -> None:
        kept = {"content-type": "application/json", "accept-encoding": "identity"}
        kept |= {"authorization": f"Bearer {self._upstream.key}"}
        begun = False
        try:
            async with self._connection().stream(
                scope["method"], scope["path"], content=body or None, headers=kept
            ) as reply:
                headers = [(name, value) for name, value in reply.headers.raw if name.lower() in _PASSED_ON]
                await send({"type": "http.response.start", "status": reply.status_code, "headers": headers})
                begun = True
                async for part in reply.aiter_raw():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except httpx.HTTPError as error:
            _log.warning("the model server broke off: %s", type(error).__name__)
            if begun:
                raise  # the connection is cut, so that nobody takes half an answer for a whole one
            await _answer(send, 502, "the model server does not answer")

    def _connection(self) -> httpx.AsyncClient:
        if self._client is None:
            transport = httpx.AsyncHTTPTransport(
                uds=self._upstream.socket, limits=httpx.Limits(max_connections=None, max_keepalive_connections=32)
            )
            # A long answer that is not streamed sends nothing for minutes: its client decides how long it waits.
            timeout = httpx.Timeout(None, connect=5.0)
            self._client = httpx.AsyncClient(
                transport=transport, base_url=self._upstream.address, timeout=timeout, trust_env=False
            )
        return self._client


class GateServer:
    """A `Gate` on a listening socket, in a thread of its own."""

    def __init__(self, gate: Gate, listening: socket) -> None:
        """`listening` is closed when the server stops.

        Raises:
            MissingExtra: uvicorn is not installed.
        """
        try:
            import uvicorn
        except ImportError:
            raise MissingExtra(
                "serving models needs the package `uvicorn`: run `pip install 'wardround[serve]'`"
            ) from None
        # Neither its access log nor its own reading of proxy headers is wanted: the one holds paths, the other lets a
        # client say where it comes from.
        config = uvicorn.Config(
            gate,
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server, self._socket = uvicorn.Server(config), listening
        # A thread gets no signals, so that they stay with whoever started the server.
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="gate", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def check(self) -> None:
        """Raises ModelUnavailable when it has ended by itself."""
        if not self._thread.is_alive():
            raise ModelUnavailable("the gate before the model server stopped: start the server again")

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=_GRACE_S + 5)
        self._socket.close()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int, message: str) -> None:
    """An error in the form of the OpenAI protocol."""
    body = json.dumps({"error": {"message": message, "type": "gate", "code": status}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
