"""The ward round at the terminal: one conversation, with the hand-overs shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph.state import CompiledStateGraph
from rich.text import Text

from ..corpora import open_corpus
from ..corpora.patients import PatientStore, RunContext
from ..errors import WardroundError
from ..graphs import ward_round
from ..graphs.events import stream_events
from ..models import chat_model
from .consulting import typed
from .terminal import clean, is_interactive, out


def open_round(model: str | None, corpus: Path | None, patients: PatientStore | None = None) -> ward_round.Compiled:
    """The graph over a model spec, a corpus directory and patient records; None takes what the settings say, and no
    records.
    """
    return ward_round.build(model=chat_model(model), medicines=open_corpus(corpus), patients=patients)


def converse(
    graph: CompiledStateGraph[Any, Any, Any, Any],
    said: Iterator[str] | None = None,
    *,
    context: RunContext | None = None,
) -> None:
    """Read what is said until the end of input, and answer each in the light of what came before.

    `context` names the patient that the conversation is about.

    A person at a terminal is told what went wrong and may go on; a pipe ends with the error.
    """
    console = out()
    if is_interactive():
        console.print(
            "Ask about a medicine, tell a case, or ask about films. An empty line or Ctrl-D ends. Research use only.",
            style="dim",
        )
    messages: list[AnyMessage] = []
    for text in said if said is not None else typed():
        asked = [*messages, HumanMessage(text)]
        try:
            messages = asyncio.run(_answered(graph, asked, context))
        except WardroundError as error:
            if not is_interactive():
                raise
            console.print(clean(f"wardround: {error}"), style="red")


async def _answered(
    graph: CompiledStateGraph[Any, Any, Any, Any], messages: list[AnyMessage], context: RunContext | None
) -> list[AnyMessage]:
    """The conversation with the answer at its end; what happens is shown while it happens."""
    console = out()
    said = ""
    final: dict[str, Any] = {}
    async with aclosing(stream_events(graph, {"messages": messages}, context=context)) as events:
        async for event in events:
            if event.kind == "hand_over":
                console.print(Text(f"  → {event.data['to']}", style="cyan"))
            elif event.kind == "tool_start":
                wanted = [str(value) for value in event.data["arguments"].values() if value]
                console.print(Text("  search  ", style="cyan") + clean(" · ".join(wanted)))
            elif event.kind == "withdrawn":
                console.print(Text("  withdrawn: ", style="yellow") + clean(event.data["reason"]))
            elif event.kind == "text":
                said += event.data["text"]
                console.print(clean(event.data["text"]))
            elif event.kind == "final":
                final = event.data
    answer: AnyMessage = final["messages"][-1]
    if not said:
        console.print(clean(answer.text))
    return [*messages, AIMessage(answer.text, name=answer.name)]
