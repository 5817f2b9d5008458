"""A small benchmark and targets for the tests of the runner: example `i` is right where the answer is `i`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from pydantic import JsonValue
from wardround.evals.benchmark import Benchmark, Example, Metric, Output, Score


def examples(n: int, *, start: int = 0) -> list[Example]:
    return [
        Example(
            id=f"e{i}",
            messages=({"role": "user", "content": f"number {i}"},),
            gold={"answer": str(i)},
            groups={"parity": ("even" if i % 2 == 0 else "odd",)},
        )
        for i in range(start, start + n)
    ]


def score(example: Example, output: Output) -> Score:
    right = output.text == example.gold["answer"]
    return Score(values={"accuracy": float(right)}, why="equal" if right else "not equal")


def small(n: int, **fields: Any) -> Benchmark:
    given: dict[str, Any] = {
        "name": "small",
        "examples": examples(n),
        "metrics": [Metric(name="accuracy", title="accuracy", headline=True)],
        "score": score,
    }
    return Benchmark(**(given | fields))


@dataclass
class Answering:
    """A target that answers by a function of the number; it may raise. Counts its calls."""

    reply: Callable[[int], str | Awaitable[str]] = str
    name: str = "answering"
    identity: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    asked: list[int] = field(default_factory=list[int])

    async def answer(self, example: Example, callbacks: Sequence[BaseCallbackHandler]) -> Output:  # noqa: ARG002
        number = int(str(example.messages[0]["content"]).split()[-1])
        self.asked.append(number)
        await asyncio.sleep(0)
        said = self.reply(number)
        return Output(text=said if isinstance(said, str) else await said)
