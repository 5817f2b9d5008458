"""What the consultation graph adds to its model calls: the time of a turn less the time inside the model.

    python perf/graph_overhead.py

The model answers from a script, at once, and is asked as a strong one is: it calls the tool, then writes an answer
that is streamed word by word and checked by sentence. The corpus is the shipped one. Measured are the graph alone and
`consult` with a trace, as the command line runs it: event stream, sums of tokens and times, the written file. Target:
10 ms.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from measuring import Figure, Options, Result, in_fresh_process, percentile, run_alone
from pydantic import PrivateAttr
from wardround.corpora import Attribute, Corpus
from wardround.models.script import Script
from wardround.models.scripted import ScriptedChat

TURNS = 200
_WARM = 10
_ANSWER = (
    "The leaflet says what this medicine is for and how it is taken [1]. It also names what to look out for while "
    "taking it [1]. Ask a pharmacist where anything is unclear [1]."
)


class Timed(ScriptedChat):
    """The scripted model, which sums up the seconds spent inside it."""

    _inside: float = PrivateAttr(default=0.0)
    _inside_cpu: float = PrivateAttr(default=0.0)

    @property
    def inside(self) -> tuple[float, float]:
        """Seconds so far, by the clock and of this process's work."""
        return self._inside, self._inside_cpu

    def _count(self, start: float, start_cpu: float) -> None:
        self._inside += time.perf_counter() - start
        self._inside_cpu += time.process_time() - start_cpu

    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """As the scripted model."""
        start = time.perf_counter(), time.process_time()
        try:
            return await super().ainvoke(input, config, **kwargs)
        finally:
            self._count(*start)

    async def astream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[AIMessageChunk]:
        """As the scripted model. What the caller does with a word does not count."""
        stream = super().astream(input, config, **kwargs)
        while True:
            start = time.perf_counter(), time.process_time()
            try:
                chunk = await anext(stream)
            except StopAsyncIteration:
                return
            finally:
                self._count(*start)
            yield chunk


def _turns(corpus: Corpus) -> list[tuple[str, Attribute]]:
    pairs = [(m.names.display.split(" (")[0], attribute) for m in corpus.all_medicines() for attribute in m.texts]
    return pairs[:: len(pairs) // (TURNS + _WARM)][: TURNS + _WARM]


def _model(turns: list[tuple[str, Attribute]]) -> Timed:
    calls = [
        {"name": "search_medicine", "args": {"medicine": name, "attribute": attribute.value, "keywords": "daily"}}
        for name, attribute in turns
    ]
    distilled = [{"role": "distiller", "times": 1, "reply": {"tool_calls": [call]}} for call in calls]
    rules = [*distilled, {"role": "reader", "reply": {"content": _ANSWER}}]
    return Timed(script=Script.model_validate({"rules": rules}))


async def _measure(ask: Callable[[list[AnyMessage]], Awaitable[str]], model: Timed, asked: list[str]) -> dict[str, Any]:
    added: list[float] = []
    work: list[float] = []
    answered: list[str] = []
    for question in asked:
        messages: list[AnyMessage] = [
            HumanMessage("Good morning. I take a few medicines, and I would like to ask about one of them."),
            AIMessage("Good morning. Which one is it?"),
            HumanMessage(question),
        ]
        start, start_cpu, (inside, inside_cpu) = time.perf_counter(), time.process_time(), model.inside
        answered.append(await ask(messages))
        wall, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        added.append(wall - (model.inside[0] - inside))
        work.append(cpu - (model.inside[1] - inside_cpu))
    added, work = added[_WARM:], work[_WARM:]
    return {
        "p50_ms": percentile(added, 50) * 1e3,
        "p95_ms": percentile(added, 95) * 1e3,
        "max_ms": max(added) * 1e3,
        "cpu_p50_ms": percentile(work, 50) * 1e3,
        "cpu_p95_ms": percentile(work, 95) * 1e3,
        "inside_ms": model.inside[0] / len(asked) * 1e3,
        "as_scripted": answered.count("model") / len(answered),
        "n": len(added),
    }


def turns_step(options: Options) -> dict[str, Any]:
    """All turns, through the graph alone and through `consult` with a trace."""
    from wardround.corpora import open_corpus
    from wardround.graphs import consult, consultation

    corpus = open_corpus()
    turns = _turns(corpus)
    asked = [f"It is {name}. What should I know about it: {attribute.label.lower()}?" for name, attribute in turns]
    model, traced = _model(turns), _model(turns)
    graph = consultation.build(model=model, medicines=corpus)
    traced_graph = consultation.build(model=traced, medicines=corpus)
    traces = options.work / "traces"

    async def alone(messages: list[AnyMessage]) -> str:
        return str((await graph.ainvoke({"messages": messages}))["answer"].answered_by.value)

    async def whole(messages: list[AnyMessage]) -> str:
        return str((await consult(traced_graph, messages, trace=traces)).answered_by.value)

    try:
        return {
            "graph": asyncio.run(_measure(alone, model, asked)),
            "consult": asyncio.run(_measure(whole, traced, asked)),
        }
    finally:
        shutil.rmtree(traces, ignore_errors=True)


def measure(options: Options) -> Result:
    """In a process of its own."""
    found = in_fresh_process("graph_overhead.py", "turns", options)
    figures: list[Figure] = []
    for key, what in (("graph", "the graph"), ("consult", "`consult` with events and trace")):
        times = found[key]
        assert times["as_scripted"] == 1, "an answer failed its check: this is another path than the one meant"
        note = f"n = {times['n']}, max {times['max_ms']:.1f}; inside the model {times['inside_ms']:.1f} ms a turn"
        figures.append(
            Figure(f"{what} adds, p50", times["p50_ms"], "ms", 10, f"work {times['cpu_p50_ms']:.1f}; {note}")
        )
        figures.append(Figure(f"{what} adds, p95", times["p95_ms"], "ms", 10, f"work {times['cpu_p95_ms']:.1f}"))
    figures.append(Figure("peak memory of the process", found["peak_mb"], "MB"))
    return Result("A turn of the consultation graph, less its model calls", tuple(figures))


if __name__ == "__main__":
    run_alone(measure, __doc__, {"turns": turns_step})
