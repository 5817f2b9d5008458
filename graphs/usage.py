"""What a run's model calls cost, counted as they end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult


class UsageCounter(BaseCallbackHandler):
    """A callback handler; `totals` has the tokens in and out and the number of calls, those that failed too."""

    run_inline = True

    def __init__(self) -> None:
        self.totals: dict[str, int] = {"input_tokens": 0, "output_tokens": 0, "model_calls": 0}

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002
        self.totals["model_calls"] += 1
        generation = response.generations[0][0] if response.generations and response.generations[0] else None
        message = generation.message if isinstance(generation, ChatGeneration) else None
        if isinstance(message, AIMessage) and (used := message.usage_metadata):
            self.totals["input_tokens"] += used["input_tokens"]
            self.totals["output_tokens"] += used["output_tokens"]

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002
        self.totals["model_calls"] += 1
