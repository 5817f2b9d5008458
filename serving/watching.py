"""What is counted of the turns: Prometheus metrics, one log line a turn, and traces where they were asked for."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain_core.callbacks import BaseCallbackHandler

from ..graphs.events import Event

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from .tracing import Tracing
    from .turns import Turn

_log: Final = logging.getLogger("wardround.serving")
_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Watch:
    """Counts; `folder` is where several workers count together, `tracing` gives the callbacks that write traces."""

    def __init__(self, folder: str | None = None, tracing: Tracing | None = None) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._folder = folder
        self._registry = CollectorRegistry()
        kept: dict[str, Any] = {"registry": self._registry}
        self._tracing = tracing
        self._first: set[str] = set()
        self._running = Gauge(
            "wardround_turns_running", "Turns that run now", ["agent"], multiprocess_mode="livesum", **kept
        )
        self._turns = Counter("wardround_turns", "Turns that ended, by how", ["agent", "status"], **kept)
        self._tokens = Counter("wardround_tokens", "Tokens of models", ["agent", "direction"], **kept)
        self._calls = Counter("wardround_model_calls", "Calls of models", ["agent"], **kept)
        self._duration = Histogram("wardround_turn_seconds", "How long turns took", ["agent"], buckets=_SECONDS, **kept)
        self._to_first = Histogram(
            "wardround_first_text_seconds", "Until the first text of an answer", ["agent"], buckets=_SECONDS, **kept
        )
        self._refused = Counter("wardround_refused", "Requests that were not carried out", ["status"], **kept)

    def callbacks(self, run: str, agent: str) -> list[BaseCallbackHandler]:
        """What a run's graph is given to call back."""
        return [] if self._tracing is None else [self._tracing(run, agent)]

    def began(self, agent: str) -> None:
        """A turn was admitted."""
        self._running.labels(agent).inc()

    def saw(self, turn: Turn, event: Event) -> None:
        """Something happened in it."""
        if event.kind == "text" and turn.run not in self._first:
            self._first.add(turn.run)
            self._to_first.labels(turn.asked.agent.name).observe(time.perf_counter() - turn.began)

    def ended(self, turn: Turn, status: str, usage: Mapping[str, int]) -> None:
        """It ended."""
        agent, took = turn.asked.agent.name, time.perf_counter() - turn.began
        self._first.discard(turn.run)
        self._running.labels(agent).dec()
        self._turns.labels(agent, status).inc()
        self._duration.labels(agent).observe(took)
        self._calls.labels(agent).inc(usage.get("model_calls", 0))
        for direction in ("input", "output"):
            self._tokens.labels(agent, direction).inc(usage.get(f"{direction}_tokens", 0))
        about = {"run": turn.run, "key": turn.asked.caller.key, "agent": agent, "status": status}
        _log.info("turn", extra={**about, "seconds": round(took, 3), **usage})

    def close(self) -> None:
        """Count no more: what this worker has running is none of the others' any longer."""
        if self._folder is not None:
            from prometheus_client.multiprocess import mark_process_dead

            mark_process_dead(os.getpid(), self._folder)

    def all_workers(self) -> CollectorRegistry:
        """The metrics of this worker, or of all where several count into a shared folder."""
        if self._folder is None:
            return self._registry
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry, self._folder)
        return registry

    def refused(self, status: int) -> None:
        """A request was refused."""
        self._refused.labels(str(status)).inc()
