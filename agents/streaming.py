"""What a node tells the outside while it works."""

from __future__ import annotations

from typing import Any

from langgraph.config import get_stream_writer


def emit(kind: str, **data: Any) -> None:
    """Send an event of the closed set in `graphs/events.py` to whoever streams the run; without one, do nothing."""
    try:
        writer = get_stream_writer()
    except (RuntimeError, KeyError):  # called outside of a graph run: without any run, or in one of a node alone
        return
    writer({"type": kind, **data})
