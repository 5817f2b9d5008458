"""Nodes that work in `invoke` as in `ainvoke`: written once, asynchronously."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from langchain_core.runnables import Runnable, RunnableConfig

In = TypeVar("In")
Out = TypeVar("Out")
Node = Runnable[In, Out]
"""A LangGraph node with typed state in and out: give it to `StateGraph.add_node`."""


class _FunctionNode(Runnable[In, Out]):
    """Not a `RunnableLambda`: that looks at the function's signature and traces itself once more at every call."""

    def __init__(self, act: Callable[[In, RunnableConfig], Coroutine[Any, Any, Out]], name: str) -> None:
        self.name = name
        self._act = act

    def invoke(self, input: In, config: RunnableConfig | None = None, **_: Any) -> Out:
        """In an event loop of its own, in a further thread where one is running in this already.

        The caller's context variables come along: LangGraph keeps its stream writer in them.
        """
        work = self._act(input, config or {})
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(copy_context().run, asyncio.run, work).result()

    async def ainvoke(self, input: In, config: RunnableConfig | None = None, **_: Any) -> Out:
        """Await the function."""
        return await self._act(input, config or {})


def node(act: Callable[[In, RunnableConfig], Coroutine[Any, Any, Out]], name: str) -> Node[In, Out]:
    """A node from an async function of (state, config)."""
    return _FunctionNode(act, name)
