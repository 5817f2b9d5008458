from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from wardround.agents.node import node

PLACE: ContextVar[str] = ContextVar("place", default="nowhere")


async def act(state: dict[str, Any], config: RunnableConfig) -> dict[str, Any]:
    await asyncio.sleep(0)
    if state.get("fail"):
        raise ValueError("on purpose")
    return {"n": state["n"] + 1, "tag": (config.get("tags") or [""])[0], "place": PLACE.get()}


def test_invoke_and_ainvoke_give_the_same() -> None:
    made = node(act, "act")
    expected = {"n": 2, "tag": "t", "place": "nowhere"}
    assert made.invoke({"n": 1}, {"tags": ["t"]}) == expected
    assert asyncio.run(made.ainvoke({"n": 1}, {"tags": ["t"]})) == expected


def test_invoke_inside_a_running_loop_keeps_context_variables() -> None:
    async def inside() -> Any:
        PLACE.set("here")
        return node(act, "act").invoke({"n": 1})

    assert asyncio.run(inside())["place"] == "here"


def test_errors_come_out_of_both() -> None:
    made = node(act, "act")
    with pytest.raises(ValueError, match="on purpose"):
        made.invoke({"n": 1, "fail": True})
    with pytest.raises(ValueError, match="on purpose"):
        asyncio.run(made.ainvoke({"n": 1, "fail": True}))
