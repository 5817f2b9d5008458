"""A consultation at the terminal: opens the parts, asks, and shows search and answer as they come."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph.state import CompiledStateGraph
from rich.console import Console
from rich.text import Text

from ..agents.dialogue import check_dialogue
from ..corpora import open_corpus
from ..errors import ModelError, UserError, WardroundError
from ..graphs import Consultation, Event, consult
from ..graphs.by_name import open_graph as graph_by_name
from ..models import chat_model
from .terminal import clean, is_interactive, out, say

_LEAVE = frozenset({"exit", "quit", "/exit", "/quit", ":q"})


def open_graph(
    name: str, *, model: str | None = None, corpus: Path | None = None, mode: Any = None
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The graph `name` over a model spec and a corpus directory; None takes what the settings say.

    Raises:
        UserError: a model spec, corpus or combination that doesn't work.
    """
    if name == "by_rules":
        if model:
            raise UserError("the graph `by_rules` uses no model: leave out `--model`")
        return graph_by_name(name, model=None, medicines=open_corpus(corpus))
    return graph_by_name(name, model=chat_model(model), medicines=open_corpus(corpus), mode=mode)


class Session:
    """One conversation with one graph."""

    def __init__(self, graph: CompiledStateGraph[Any, Any, Any, Any], *, trace: Path | None = None) -> None:
        self._graph = graph
        self._trace = trace
        self._console = out()

    def ask(self, messages: list[AnyMessage], *, show: bool) -> Consultation:
        """Put a conversation to the graph; with `show`, print what happens while it happens.

        Without it, what holds whatever comes after (what to do now, in an emergency) goes to stderr if the model fails.
        """
        if show:
            self._conversation(messages)
        lasting: list[str] = []

        def listen(event: Event) -> None:
            if show:
                self._event(event)
            elif event.kind == "text" and event.data.get("lasting"):
                lasting.append(event.data["text"])

        try:
            result = asyncio.run(consult(self._graph, messages, trace=self._trace, on_event=listen))
        except ModelError:
            for text in lasting:
                say(text)
            raise
        if show:
            self._afterwards(result)
        return result

    def converse(self) -> None:
        """Read questions until the end of input; each is answered in the light of the ones before.

        A person at a terminal is told what went wrong and may ask again; a pipe ends with the error.
        """
        if is_interactive():
            self._console.print("Ask about a medicine. An empty line or Ctrl-D ends. Research use only.", style="dim")
        messages: list[AnyMessage] = []
        for said in typed():
            asked = [*messages, HumanMessage(said)]
            try:
                check_dialogue(asked)
                result = self.ask(asked, show=True)
            except WardroundError as error:
                if not is_interactive():
                    raise
                self._console.print(clean(f"wardround: {error}"), style="red")
                continue
            messages = [*asked, AIMessage(result.answer)]

    def _conversation(self, messages: list[AnyMessage]) -> None:
        if is_interactive() and len(messages) == 1:
            return
        for message in messages:
            who = "you" if isinstance(message, HumanMessage) else "wardround"
            self._console.print(Text(f"{who}: ", style="bold") + clean(message.text))

    def _event(self, event: Event) -> None:
        data = event.data
        if event.kind == "tool_start":
            wanted = [str(v) for v in data["arguments"].values() if v]
            self._console.print(Text("  search  ", style="cyan") + clean(" · ".join(wanted)))
        elif event.kind == "tool_end":
            self._console.print(Text(f"          {data['hits']} passages", style="dim"))
        elif event.kind == "text":
            self._console.print(clean(data["text"]))
        elif event.kind == "withdrawn":
            self._console.print(Text("  withdrawn: ", style="yellow") + clean(data["reason"]))

    def _afterwards(self, result: Consultation) -> None:
        passages = {item.n: item for item in result.evidence}
        if result.citations:
            self._console.print("\nSources", style="dim")
        for citation in result.citations:
            item = passages[citation.n]
            date = citation.date or "date unknown"
            line = f"  [{citation.n}] {citation.medicine}, {item.attribute}, {item.source} {item.source_id}, {date}"
            self._console.print(clean(line), style="dim")
        for flag in (f for f in result.flags if f.text not in result.answer):
            self._console.print(Text("  note  ", style="yellow") + clean(flag.text))
        distilled = result.distilled_by.value if result.distilled_by else "no search"
        used = result.usage["input_tokens"] + result.usage["output_tokens"]
        self._console.print(
            f"  distilled by {distilled}, answered by {result.answered_by.value}, {result.usage['model_calls']} model "
            f"calls, {used:,} tokens, {result.timings['total_s']:.1f} s",
            style="dim",
        )


def typed() -> Iterator[str]:
    """What is said: the lines a person types, up to an empty one, or those of a pipe."""
    return _typed(out()) if is_interactive() else _piped()


def _typed(console: Console) -> Iterator[str]:
    while True:
        try:
            said = console.input("\n[bold]you:[/bold] ")
        except EOFError:
            return
        if not said.strip() or said.strip().lower() in _LEAVE:
            return
        yield said


def _piped() -> Iterator[str]:
    """The lines of a pipe that hold something. Raises `UserError` where they are no UTF-8."""
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            said = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise UserError(f"line {number} of the input is not UTF-8 text (byte {error.start})") from None
        if said.lower() in _LEAVE:
            return
        if said:
            yield said
