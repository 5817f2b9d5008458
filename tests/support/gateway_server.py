"""A gateway on loopback, in a thread of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import uvicorn
from chat_server import ChatServer


@contextmanager
def served(app: Any, *, host: str = "127.0.0.1") -> Generator[str]:
    """Serve an ASGI app; its address, without a path."""
    config = uvicorn.Config(app, host=host, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise RuntimeError("the gateway did not start")
        time.sleep(0.01)
    try:
        yield f"http://{host}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


class Served:
    """A gateway that runs."""

    def __init__(self, address: str, app: Any, model_server: ChatServer) -> None:
        self.address = address
        self.app = app
        self.model_server = model_server
        self.http = httpx.Client(base_url=address, timeout=30)

    def openai(self, key: str = "none", **options: Any) -> openai.OpenAI:
        """OpenAI's client."""
        return openai.OpenAI(base_url=f"{self.address}/v1", api_key=key, max_retries=0, timeout=30, **options)

    def turns(self) -> dict[str, int]:
        """How many turns there are, by how they ended."""
        lines = self.http.get("/metrics").text.splitlines()
        found: dict[str, int] = {}
        for line in lines:
            if line.startswith("wardround_turns_total{"):
                status = line.partition('status="')[2].partition('"')[0]
                found[status] = found.get(status, 0) + int(float(line.rpartition(" ")[2]))
        return found


Serve = Callable[..., Served]
