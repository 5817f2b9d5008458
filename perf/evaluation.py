"""How fast the runner works through examples: against a plain loop over the same graph, and against inspect_ai.

    [INSPECT_PYTHON=PYTHON] python perf/evaluation.py

One mock model server on loopback, two model calls an example, 64 examples at once, all in one run. `PYTHON` is that of
an environment with inspect_ai (`python -m venv DIR; DIR/bin/pip install inspect_ai openai`); without it that part is
skipped. Then the memory of a run of 20,000 examples, and how long it takes to open when it is finished.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from measuring import Figure, Options, Result, in_fresh_process, median, run_alone
from mock_model_server import mock_server
from wardround.evals.benchmark import Benchmark, Example, Metric, Output, Score
from wardround.evals.run_folder import RunFolder
from wardround.evals.runs import run
from wardround.evals.summary import summarize
from wardround.evals.targets import GraphTarget
from wardround.models import chat_model

AT_ONCE = 64
N = 1500
ROUNDS = 3
_CASE = "A 54-year-old woman has had a cough for three weeks. " * 20
_INSPECT = Path(__file__).with_name("inspect_task.py")


def two_calls(model: BaseChatModel) -> Any:
    """A graph of two nodes with a model call each."""

    async def think(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [await model.ainvoke(state["messages"]), HumanMessage("Now the letter alone.")]}

    async def answer(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("answer", answer)
    graph.add_edge(START, "think")
    graph.add_edge("think", "answer")
    return graph.compile()


def examples(n: int) -> list[Example]:
    return [
        Example(id=f"e{i}", messages=({"role": "user", "content": f"{i}. {_CASE}"},), gold={"letter": "A"})
        for i in range(n)
    ]


def benchmark(n: int) -> Benchmark:
    def score(example: Example, output: Output) -> Score:
        return Score(values={"accuracy": float(output.text.endswith(str(example.gold["letter"])))})

    return Benchmark("mock", examples(n), [Metric(name="accuracy", title="accuracy")], score)


def ours(address: str, n: int, out: Path) -> float:
    """Examples a second of the runner: traces and results included."""
    target = GraphTarget(two_calls(chat_model(f"openai:mock@{address}")), "two_calls")
    begin = time.perf_counter()
    summary = summarize(run(benchmark(n), target, out=out, at_once=AT_ONCE))
    took = time.perf_counter() - begin
    if (summary.n, summary.failed) != (n, 0):
        raise RuntimeError(f"{summary.n} of {n} examples, {summary.failed} failed")
    return n / took


def plain_loop(address: str, n: int) -> float:
    """Examples a second of asyncio over the same graph with langchain-openai's own chat model; nothing is kept."""
    from langchain_openai import ChatOpenAI
    from openai import DefaultAsyncHttpxClient

    # Its own pool of connections is shared by all loops of a process, and breaks with the first that ends.
    client = DefaultAsyncHttpxClient()
    graph = two_calls(ChatOpenAI(model="mock", base_url=address, api_key="none", http_async_client=client))  # pyright: ignore

    async def all_of_them() -> None:
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(example: Example) -> None:
            async with slots:
                final = await graph.ainvoke({"messages": [HumanMessage(str(example.messages[0]["content"]))]})
                if not isinstance(final["messages"][-1], AIMessage):
                    raise RuntimeError("no answer")

        await asyncio.gather(*(one(example) for example in examples(n)))

    begin = time.perf_counter()
    asyncio.run(all_of_them())
    return n / (time.perf_counter() - begin)


def inspect_ai(address: str, n: int, python: str) -> float:
    """Examples a second of inspect_ai, by its own clock for the samples; a process of its own, its logs on disc."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, str(_INSPECT), address, str(n), str(AT_ONCE), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise RuntimeError(f"inspect_ai failed:\n{done.stderr[-2000:]}")
    return n / float(done.stdout.splitlines()[-1])


def memory_step(options: Options, n: int) -> dict[str, Any]:
    """A whole run of `n` examples in this process; its peak memory is taken by the caller."""
    out = options.work / f"evaluation-{n}"
    shutil.rmtree(out, ignore_errors=True)
    with mock_server() as address:
        rate = ours(address, n, out)
    begin = time.perf_counter()
    opened = RunFolder.open(out)
    return {"per_s": rate, "open_s": time.perf_counter() - begin, "n": len(opened.entries)}


def measure(options: Options) -> Result:
    """All of it."""
    figures: list[Figure] = []
    with mock_server() as address, tempfile.TemporaryDirectory() as folder:
        python = os.environ.get("INSPECT_PYTHON")
        loops, runners, theirs = [], [], []
        for n in range(ROUNDS):  # in turn, as the machine's pace changes from minute to minute
            loops.append(plain_loop(address, N))
            runners.append(ours(address, N, Path(folder) / f"run{n}"))
            if python:
                theirs.append(inspect_ai(address, N, python))
    note = f"median of {ROUNDS}"
    share = median([b / a for a, b in zip(loops, runners, strict=True)])
    figures.append(Figure("a plain loop with ChatOpenAI, nothing kept", median(loops), "examples/s", None, note))
    figures.append(Figure("the runner, traces and results kept", median(runners), "examples/s", None, note))
    figures.append(Figure("the runner's share of the plain loop's speed", share, "share", 0.85, note))
    if theirs:
        times = median([b / a for a, b in zip(theirs, runners, strict=True)])
        figures.append(Figure("inspect_ai, the same two calls", median(theirs), "examples/s", None, note))
        figures.append(Figure("the runner's speed against inspect_ai's", times, "times", 4, note))
    small = in_fresh_process("evaluation.py", "memory_2000", options)
    large = in_fresh_process("evaluation.py", "memory_20000", options)
    figures.append(Figure("memory, 2,000 examples", small["peak_mb"], "MB"))
    figures.append(Figure("memory, 20,000 examples", large["peak_mb"], "MB"))
    figures.append(Figure("opening a finished run of 20,000", large["open_s"], "s", 2.0, "1 s for 10,000"))
    return Result("evaluation", tuple(figures))


if __name__ == "__main__":
    steps = {"memory_2000": lambda o: memory_step(o, 2000), "memory_20000": lambda o: memory_step(o, 20_000)}
    sys.exit(run_alone(measure, __doc__, steps))
