"""Traces: one line of JSON for every node, model call and tool call, written as it happens.

Names of fields follow OpenTelemetry's GenAI conventions where those have one. A trace holds what was said and found,
so it is patient data: the file says so in its first line and only its owner may read it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID, uuid4

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from pydantic import BaseModel

from ..agents.calling import PROMPT_KEY, ROLE_KEY
from ..corpora.patients import History
from ..errors import UserError

VERSION: Final = 1


class Recorder(BaseCallbackHandler, AbstractContextManager["Recorder"]):
    """A callback handler that sums up usage and times of a run and, given a folder, writes its trace.

    Pass it as `config={"callbacks": [recorder]}`. `usage` and `timings` are complete when the run has ended.
    """

    run_inline = True  # in order, and before the event goes on

    def __init__(self, folder: Path | None = None, *, name: str | None = None) -> None:
        """Write `trace-<name>.jsonl` into `folder`, which is made if need be; no folder writes nothing.

        Without a name the file gets a new one; a file with the name given is replaced.

        Raises:
            UserError: the folder cannot be written to.
        """
        self.id = uuid4().hex[:12]
        self.path: Path | None = None
        self._file: IO[str] | None = None
        self._started: dict[UUID, tuple[float, dict[str, Any]]] = {}
        self._begin = time.perf_counter()
        self.usage: dict[str, int] = {"input_tokens": 0, "output_tokens": 0, "model_calls": 0}
        self.timings: dict[str, float] = {}
        if folder is not None:
            self.path = folder / f"trace-{name or self.id}.jsonl"
            self._file = _private_file(self.path, replaced=name is not None)
            self._write({"event": "trace", "version": VERSION, "id": self.id, "patient_data": True})

    def __exit__(self, *_: object) -> None:
        self.timings["total_s"] = round(time.perf_counter() - self._begin, 6)
        if self._file:
            self._write({"event": "end", "usage": self.usage, "timings": self.timings})
            self._file.close()
            self._file = None

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file:
            stamped = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **line}
            self._file.write(json.dumps(stamped, ensure_ascii=False, default=_plain) + "\n")
            self._file.flush()

    def _start(self, run_id: UUID, about: dict[str, Any]) -> None:
        self._started[run_id] = (time.perf_counter(), about)

    def _end(self, run_id: UUID, result: Mapping[str, Any]) -> None:
        if run_id not in self._started:
            return
        start, about = self._started.pop(run_id)
        duration = round(time.perf_counter() - start, 6)
        if about["event"] == "node":
            name = f"{about['name']}_s"
            self.timings[name] = round(self.timings.get(name, 0.0) + duration, 6)
        self._write({**about, "duration_s": duration, **result})

    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,  # noqa: ARG002 - langchain-core passes it by position
        inputs: Any,  # noqa: ARG002
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        # LangGraph tags the run of a node itself so; what runs inside the node carries the node's metadata too.
        if any(tag.startswith("graph:step:") for tag in tags or ()):
            self._start(run_id, {"event": "node", "name": (metadata or {}).get("langgraph_node", kwargs.get("name"))})

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, {"output": outputs})

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, {"error.type": type(error).__name__, "error": str(error)})

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        about = metadata or {}
        asked = kwargs.get("invocation_params") or {}
        self._start(
            run_id,
            {
                "event": "model",
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": about.get("ls_model_name") or asked.get("model"),
                "role": about.get(ROLE_KEY),
                "prompt": about.get(PROMPT_KEY),
                "gen_ai.input.messages": [{"role": m.type, "content": m.content} for m in messages[0]],
            },
        )

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        generation = response.generations[0][0]
        message = generation.message if isinstance(generation, ChatGeneration) else AIMessage(generation.text)
        used = message.usage_metadata if isinstance(message, AIMessage) else None
        tokens = {"input_tokens": 0, "output_tokens": 0} if used is None else used
        self.usage["model_calls"] += 1
        for kind in ("input_tokens", "output_tokens"):
            self.usage[kind] += tokens[kind]
        reply: dict[str, Any] = {"content": message.content}
        if isinstance(message, AIMessage) and message.tool_calls:
            reply["tool_calls"] = [{"name": c["name"], "arguments": c["args"]} for c in message.tool_calls]
        if thought := message.additional_kwargs.get("reasoning_content"):
            reply["reasoning"] = thought
        self._end(
            run_id,
            {
                "gen_ai.output.messages": [reply],
                "gen_ai.usage.input_tokens": tokens["input_tokens"],
                "gen_ai.usage.output_tokens": tokens["output_tokens"],
                "gen_ai.response.finish_reasons": [message.response_metadata.get("finish_reason")],
                "retries": message.response_metadata.get("retries", 0),
            },
        )

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self.usage["model_calls"] += 1
        self._end(run_id, {"error.type": type(error).__name__, "error": str(error)})

    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        inputs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        name = (serialized or {}).get("name")
        self._start(run_id, {"event": "tool", "gen_ai.tool.name": name, "arguments": inputs or input_str})

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        held: Any = getattr(output, "artifact", None) or ()
        if isinstance(held, History):
            self._end(run_id, {"evidence": [{"record_id": record.id} for record in held.records]})
            return
        found = [{"passage_id": h.passage.id, "score": h.score} for h in held if hasattr(h, "passage")]
        self._end(run_id, {"evidence": found})

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, {"error.type": type(error).__name__, "error": str(error)})


def _private_file(path: Path, *, replaced: bool) -> IO[str]:
    """A new file that only its owner may read; one that is there already is an error or `replaced`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if replaced else os.O_EXCL), 0o600)
    except OSError as error:
        raise UserError(f"cannot write traces into `{path.parent}`: {error.strerror}; name another folder") from None
    # A character that UTF-8 does not have (half a surrogate pair) must not cost the line it stands in.
    return os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace")


def _plain(value: object) -> object:
    """State values as JSON: records as objects, messages by role and text, anything else by its text."""
    if isinstance(value, BaseMessage):
        return {"role": value.type, "content": value.content}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    wrapped = getattr(value, "value", None)  # LangGraph's Overwrite
    return str(value) if wrapped is None else wrapped
