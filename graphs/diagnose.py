"""Put one case and get everything back: the differential, what it rests on, what it cost, or what a person is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict, Field

from ..agents.differential import Diagnosis, Differential, Sample
from ..agents.turn import Flag
from .events import Event, stream_events
from .trace import Recorder


class Diagnosed(BaseModel):
    """The result; `model_dump_json(by_alias=True)` is what `wardround diagnose --json` prints."""

    model_config = ConfigDict(frozen=True)
    answer: str = ""
    """What goes out, in words; empty while a person is asked."""
    differential: tuple[Diagnosis, ...] = ()
    reasoning: str = ""
    """Of the first sample that names the first diagnosis."""
    next_tests: tuple[str, ...] = ()
    red_flags: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    samples: tuple[Sample, ...] = ()
    waiting: dict[str, Any] | None = Field(default=None)
    """What a person is asked; the run goes on when it is answered under the same thread."""
    usage: dict[str, int] = Field(default_factory=dict)
    timings: dict[str, float] = Field(default_factory=dict)


async def diagnose(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    case: Sequence[AnyMessage] | Command[Any],
    *,
    thread: str | None = None,
    trace: Path | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Diagnosed:
    """Run a `diagnosis` graph.

    Args:
        graph: the graph, or a user's own with the same output.
        case: the conversation with the case, or a `Command(resume=...)` for a run that waits.
        thread: the conversation's name in the graph's checkpointer.
        trace: a folder to write the trace into.
        on_event: told every event as it happens.

    Raises:
        UserError: the case cannot be read.
        ModelError: the model server does not answer.
    """
    waiting: dict[str, Any] | None = None
    final: dict[str, Any] = {}
    with Recorder(trace) as recorder:
        config: RunnableConfig = {"callbacks": [recorder]}
        if thread is not None:
            config["configurable"] = {"thread_id": thread}
        given = case if isinstance(case, Command) else {"messages": list(case)}
        async with aclosing(stream_events(graph, given, config)) as events:
            async for event in events:
                if on_event:
                    on_event(event)
                if event.kind == "interrupt" and waiting is None:
                    waiting = dict(event.data["value"])
                elif event.kind == "final":
                    final = event.data
    measured: dict[str, Any] = {"usage": recorder.usage, "timings": recorder.timings}
    if waiting is not None:
        return Diagnosed(waiting=waiting, **measured)
    return Diagnosed(**parts_of(final), answer=final["messages"][-1].text, **measured)


def parts_of(final: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a `Diagnosed` that a graph's final state holds."""
    found: Differential = final["differential"]
    samples: list[Sample] = sorted(final["samples"], key=lambda s: s.number)
    first = {found.diagnoses[0].diagnosis, *found.diagnoses[0].also_called} if found.diagnoses else set[str]()
    told = next((s.reasoning for s in samples if s.diagnoses and s.diagnoses[0].diagnosis in first), "")
    return {
        "differential": found.diagnoses,
        "reasoning": told,
        "next_tests": found.next_tests,
        "red_flags": found.red_flags,
        "flags": tuple(final["flags"]),
        "samples": tuple(samples),
    }
