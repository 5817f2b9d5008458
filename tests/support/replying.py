"""A chat model whose replies are worked out from what it is asked, and what a judge's question holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

Reply = Callable[[list[BaseMessage]], str]


class ReplyingChat(BaseChatModel):
    """Answers with `reply` of the messages."""

    reply: Reply
    asked: list[list[BaseMessage]] = []  # noqa: RUF012 - pydantic copies it

    @property
    def _llm_type(self) -> str:
        return "replying"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_: Any,
    ) -> ChatResult:
        self.asked.append(messages)
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        message = AIMessage(self.reply(messages), usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])


def question_of(messages: Sequence[BaseMessage]) -> tuple[str, list[str]]:
    """Reference and entries of a judge's question."""
    text = str(messages[1].text)
    reference = text.split("\n", maxsplit=1)[0].removeprefix("Reference diagnosis: ")
    block = re.split(r"\n=== [0-9a-f]{16}\n?", text)[1]
    return reference, [re.sub(r"^\d+\. ", "", line) for line in block.split("\n") if line]


def scores(entries: Sequence[str], given: Sequence[int]) -> str:
    """A proper reply."""
    items = [
        {"number": n, "name": name, "score": score, "reason": "so"}
        for n, (name, score) in enumerate(zip(entries, given, strict=True), start=1)
    ]
    return json.dumps({"scores": items})


def judging(rule: Callable[[str, list[str]], Sequence[int]]) -> Reply:
    """Replies by a rule over reference and entries."""

    def reply(messages: list[BaseMessage]) -> str:
        reference, entries = question_of(messages)
        return scores(entries, rule(reference, entries))

    return reply
