"""HTTP clients for the openai SDK: no proxies, no redirects, and usable from several event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from .response_cache import CachingTransport, ResponseCache
from .retry import http_library

CONNECT_S = 5.0
"""Seconds to wait for a connection: a server on the same network answers at once or is down."""


_POOLS = 8
"""A pool looks at each of its idle connections for every request that comes and goes: one of 64 took a quarter of the
time that a call to a fast server takes. Several small ones look at fewer."""


class LoopTransport:
    """An async transport that keeps pools of connections for each event loop.

    A connection belongs to the loop that opened it; a pool shared between loops fails with `Event loop is
    closed` as soon as the second `asyncio.run` of a process uses the same chat model.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = Lock()
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, list[_Pool]] = WeakKeyDictionary()

    async def handle_async_request(self, request: Any) -> Any:
        """Sends `request` over the least busy pool of the running loop: calls one after the other stay with one."""
        loop = asyncio.get_running_loop()
        with self._lock:
            pools = self._pools.setdefault(loop, [])
            pool = min(pools, key=lambda held: held.busy, default=None)
            if pool is None or (pool.busy and len(pools) < _POOLS):
                pools.append(pool := _Pool(self._make()))
        pool.busy += 1
        try:
            return await pool.transport.handle_async_request(request)
        finally:
            pool.busy -= 1

    async def aclose(self) -> None:
        """Closes the pools of the running loop."""
        with self._lock:
            pools = self._pools.pop(asyncio.get_running_loop(), [])
        for pool in pools:
            await pool.transport.aclose()

    async def __aenter__(self) -> LoopTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


@dataclass
class _Pool:
    """Connections, and how many requests wait for the head of their answer."""

    transport: Any
    busy: int = 0


class Clients(NamedTuple):
    """HTTP clients for the SDK, and the timeout to give it beside them (its own would win otherwise)."""

    blocking: Any
    awaiting: Any
    timeout: Any


def http_clients(
    address: str, *, timeout_s: float, cache: ResponseCache | None = None, identity: str | None = None
) -> Clients:
    """The clients for the model server at `address`; with a `cache` the awaiting one answers from it where it can.

    `identity` names what answers, where the address does not: a model file in this process.

    `timeout_s`: seconds without a byte before a request fails. Proxy settings of the environment are not used,
    so that prompts go where the address says and nowhere else; the system's certificates are.
    """
    http: Any = http_library()
    timeout = http.Timeout(timeout_s, connect=CONNECT_S)
    limits = http.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=5.0)
    verify = address.startswith("https:")  # loading certificates takes 20 ms that plain HTTP has no use for
    pool = {"verify": verify, "limits": limits}
    common = {"timeout": timeout, "trust_env": False}
    transport: Any = LoopTransport(lambda: http.AsyncHTTPTransport(**pool))
    if cache is not None:
        transport = CachingTransport(transport, cache, lambda: identity or address)
    return Clients(
        http.Client(transport=http.HTTPTransport(**pool), **common),
        http.AsyncClient(transport=transport, **common),
        timeout,
    )
