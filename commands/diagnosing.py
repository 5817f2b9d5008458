"""Diagnosis at the terminal: opens the parts, shows what happens, and keeps runs that wait for a person."""

from __future__ import annotations

import asyncio
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from langchain_core.messages import AnyMessage
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.text import Text

from ..agents.case import read_case
from ..agents.diagnostician import Form
from ..agents.fusing import Fuse
from ..agents.purse import Limits
from ..errors import UserError
from ..graphs import diagnosis
from ..graphs.diagnose import Diagnosed, diagnose
from ..graphs.events import Event
from ..graphs.savers import open_saver
from ..models import chat_model
from ..settings import get_settings
from .terminal import clean, out

_THREAD: Final = re.compile(r"[\w.-]{1,80}")


class Options(BaseModel):
    """What decides how a case is diagnosed; kept with a run that waits."""

    model_config = ConfigDict(frozen=True)
    model: str | None = None
    samples: int = 1
    fuse: Fuse = "rank"
    verify: bool = False
    critiques: int = 0
    form: Form = "reasoned"
    limits: Limits = Limits()
    codes: bool = False
    review: bool = False


class Waiting(BaseModel):
    """A run that waits for a person."""

    model_config = ConfigDict(frozen=True)
    thread: str
    case: str
    since: str
    options: Options


def build(options: Options, *, checkpointer: Any = None) -> diagnosis.Compiled:
    """The graph with these options."""
    model = chat_model(options.model)
    return diagnosis.build(
        model=model,
        samples=options.samples,
        fuse=options.fuse,
        verifier=model if options.verify else None,
        critiques=options.critiques,
        form=options.form,
        limits=options.limits,
        codes=options.codes,
        review=options.review,
        checkpointer=checkpointer,
    )


def diagnose_file(case: Path, options: Options, *, thread: str | None, trace: Path | None, show: bool) -> Diagnosed:
    """Diagnose the case in a file. With a review it ends waiting, under the name `thread`.

    Raises:
        UserError: the case or an option can't be used, or a run of this name waits already.
    """
    messages: list[AnyMessage] = [read_case(case)]
    listen = _shown if show else None
    if not options.review:
        return asyncio.run(diagnose(build(options), messages, trace=trace, on_event=listen))
    name = thread or f"{case.stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if not _THREAD.fullmatch(name) or name.startswith("."):
        raise UserError(f"`{name}` is no name for a review: letters, digits, `-`, `_` and `.` only")
    if _file_of(name).exists():
        raise UserError(f"a review `{name}` waits already: see `wardround review list`, or give another `--thread`")
    result = asyncio.run(_with_checkpoints(options, messages, name, trace=trace, listen=listen))
    if result.waiting:
        waits = Waiting(thread=name, case=str(case), since=f"{datetime.now(UTC):%Y-%m-%d %H:%M}", options=options)
        _keep(waits)
    return result


def waiting() -> list[Waiting]:
    """The runs that wait, oldest first."""
    folder = _folder()
    found = [_read(path) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    return sorted(found, key=lambda one: one.since)


def waiting_run(thread: str) -> Waiting:
    """The run that waits under this name.

    Raises:
        UserError: none does.
    """
    path = _file_of(thread)
    if not _THREAD.fullmatch(thread) or not path.exists():
        raise UserError(f"no review `{thread}` waits: see `wardround review list`")
    return _read(path)


def answer(thread: str, decision: dict[str, Any]) -> Diagnosed:
    """Answer the run that waits; it goes on to its end, and what was kept of it goes.

    Raises:
        UserError: none waits under this name.
    """
    waits = waiting_run(thread)
    resume: Command[Any] = Command(resume={"decisions": [decision]})
    result = asyncio.run(_with_checkpoints(waits.options, resume, thread))
    if result.waiting is None:
        _file_of(thread).unlink()
        asyncio.run(_forget(thread))
    return result


def asked(thread: str) -> dict[str, Any]:
    """What the run that waits asks."""
    waits = waiting_run(thread)

    async def look() -> dict[str, Any]:
        async with open_saver(_checkpoints()) as saver:
            graph = build(waits.options, checkpointer=saver)
            state = await graph.aget_state({"configurable": {"thread_id": thread}})
            return dict(state.interrupts[0].value) if state.interrupts else {}

    return asyncio.run(look())


async def _with_checkpoints(
    options: Options,
    given: list[AnyMessage] | Command[Any],
    thread: str,
    *,
    trace: Path | None = None,
    listen: Any = None,
) -> Diagnosed:
    async with open_saver(_checkpoints()) as saver:
        graph = build(options, checkpointer=saver)
        return await diagnose(graph, given, thread=thread, trace=trace, on_event=listen)


async def _forget(thread: str) -> None:
    async with open_saver(_checkpoints()) as saver:
        await saver.adelete_thread(thread)


def _checkpoints() -> Path:
    return get_settings().state_dir / "reviews.sqlite"


def _folder() -> Path:
    return get_settings().state_dir / "reviews"


def _file_of(thread: str) -> Path:
    return _folder() / f"{thread}.json"


def _keep(waits: Waiting) -> None:
    path = _file_of(waits.thread)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(waits.model_dump_json(indent=2))


def _read(path: Path) -> Waiting:
    try:
        return Waiting.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, json.JSONDecodeError) as error:
        raise UserError(f"`{path}` is no review that waits ({type(error).__name__}): remove the file") from None


def waiting_text(request: dict[str, Any]) -> str:
    """What would go out, of a request to a person; empty where it is none of ours."""
    actions: Any = request.get("action_requests") or [{}]
    return str(actions[0].get("args", {}).get("text", ""))


def show(result: Diagnosed) -> None:
    """The result in the terminal, after what was shown while it came about."""
    console = out()
    if result.waiting:
        console.print(clean(waiting_text(result.waiting)))
        return
    used = result.usage["input_tokens"] + result.usage["output_tokens"]
    console.print(
        f"  {result.usage['model_calls']} model calls, {used:,} tokens, {result.timings['total_s']:.1f} s", style="dim"
    )


def _shown(event: Event) -> None:
    console = out()
    if event.kind == "status" and event.data.get("node") == "sample" and "diagnoses" in event.data:
        named = "; ".join(event.data["diagnoses"]) or "nothing that can be read"
        console.print(Text(f"  sample {event.data['sample'] + 1}  ", style="cyan") + clean(named))
    elif event.kind == "tool_start":
        console.print(Text(f"  {event.data['tool']}  ", style="cyan") + clean(str(event.data["arguments"])))
    elif event.kind == "text":
        console.print(clean(event.data["text"]))
