"""The MCP server with MCP's own client, over both transports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from gateway_server import Serve
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

QUESTION = "Does losartan interact with ibuprofen?"


def over_http(address: str, use: Callable[[Client], Awaitable[Any]], **headers: str) -> Any:
    """What `use` returns of a client on a gateway."""

    async def run() -> Any:
        async with (
            httpx.AsyncClient(headers=headers, timeout=30, follow_redirects=True) as http,
            Client(streamable_http_client(f"{address}/mcp/", http_client=http)) as client,
        ):
            return await use(client)

    return asyncio.run(run())


def test_a_host_finds_the_tools_and_an_agent(serve: Serve) -> None:
    server = serve("by_rules", mcp=True)
    listed = over_http(server.address, lambda client: client.list_tools())
    assert {tool.name for tool in listed.tools} == {"search_medicine", "medicine", "by_rules"}
