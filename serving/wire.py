"""The exact shapes of the protocol: chunks, whole replies, and the few lines that only Open WebUI reads.

Absent keys are left out rather than null; thinking goes under both names that clients look for, never in a chunk that
has content too. tests/serving/test_wire.py holds them against the types of the `openai` package.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

DONE: Final = b"data: [DONE]\n\n"
PING: Final = b": ping\n\n"
STREAM_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


def line(data: object) -> bytes:
    """One event of the stream."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n\n"


class Chunks:
    """The chunks of one streamed reply."""

    def __init__(self, run: str, model: str) -> None:
        self._head: dict[str, Any] = {
            "id": f"chatcmpl-{run}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }

    def _chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        return line({**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def role(self) -> bytes:
        """The first."""
        return self._chunk({"role": "assistant", "content": ""})

    def content(self, text: str) -> bytes:
        """Words of the answer."""
        return self._chunk({"content": text})

    def reasoning(self, text: str) -> bytes:
        """Thinking."""
        return self._chunk({"reasoning_content": text, "reasoning": text})

    def call(self, call: Mapping[str, Any]) -> bytes:
        """A tool of the frontend is called; only ever its `ask_user`."""
        return self._chunk({"tool_calls": [call]})

    def finish(self, reason: str, annotations: Sequence[Mapping[str, Any]]) -> bytes:
        """The last with a choice; citations stand here, where every client that draws them looks."""
        return self._chunk({"annotations": list(annotations)} if annotations else {}, reason)

    def usage(self, usage: Mapping[str, int]) -> bytes:
        """What it cost, where that was asked for."""
        return line({**self._head, "choices": [], "usage": usage_of(usage)})

    def event(self, kind: str, data: Mapping[str, Any]) -> bytes:
        """A line of Open WebUI's own; to others a chunk without choices."""
        return line({**self._head, "choices": [], "event": {"type": kind, "data": data}})


def completion(
    run: str,
    model: str,
    *,
    content: str,
    reasoning: str,
    annotations: Sequence[Mapping[str, Any]],
    usage: Mapping[str, int],
    call: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A whole reply."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if reasoning:
        message |= {"reasoning_content": reasoning, "reasoning": reasoning}
    if annotations:
        message["annotations"] = list(annotations)
    if call is not None:
        message |= {"content": content or None, "tool_calls": [{k: v for k, v in call.items() if k != "index"}]}
    reason = "stop" if call is None else "tool_calls"
    return {
        "id": f"chatcmpl-{run}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": usage_of(usage),
    }


def usage_of(usage: Mapping[str, int]) -> dict[str, int]:
    """Tokens by the protocol's names."""
    asked, answered = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def source_event(source: Mapping[str, Any]) -> dict[str, Any]:
    """A source as Open WebUI shows it, with its passage. Its marks `[n]` count the sources in the order they come."""
    name = f"[{source['n']}] {source['title']}"
    about = {"name": name, "source": str(source["id"]), "date": source.get("date") or "date unknown"}
    link = {"url": source["url"]} if source.get("url") else {}
    return {
        "source": {"name": name, "id": str(source["id"]), **link},
        "document": [source["text"]],
        "metadata": [{**about, **link}],
    }
