"""Thinking apart from answering: `<think>` in text, and the fields in which servers send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OPEN = "<think>"
_CLOSE = "</think>"
REASONING_KEY = "reasoning_content"
"""Where a message keeps its thinking, in `additional_kwargs`; langchain-core's `.content_blocks` reads it there."""


def reasoning_field(message: Mapping[str, Any]) -> str:
    """The thinking in a message or delta of the chat protocol: `reasoning` (vLLM) or `reasoning_content`
    (DeepSeek, llama.cpp, older vLLM); empty where there is none."""
    for key in ("reasoning_content", "reasoning"):
        value = message.get(key)
        if isinstance(value, str) and value:
            return value
    return ""


class ThinkSplitter:
    """Splits one reply, fed in any pieces, into thinking and answer.

    Only what stands before the answer counts as thinking: a `<think>` in the middle of an answer is text, since
    a quoted leaflet must not be able to hide what follows it. Thinking that never closes (cut off by a token
    limit) stays thinking to the end.
    """

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""
        self._thought = False

    def feed(self, text: str) -> tuple[str, str]:
        """Takes the next piece; returns the (thinking, answer) that can be told apart by now."""
        if self._state == "answer":
            return "", text
        self._held += text
        return self._drain(last=False)

    def finish(self) -> tuple[str, str]:
        """Returns what was held back because it might have become a tag."""
        return self._drain(last=True)

    def _drain(self, *, last: bool) -> tuple[str, str]:
        thinking = ""
        while True:
            if self._state == "start":
                lead = self._held.lstrip()
                if lead.startswith(_OPEN):
                    self._state, self._held = "thinking", lead[len(_OPEN) :].lstrip("\n")
                elif not last and _OPEN.startswith(lead):  # also where nothing but spaces came so far
                    return thinking, ""
                else:
                    answer = lead if self._thought else self._held
                    self._state, self._held = "answer", ""
                    return thinking, answer
            elif (end := self._held.find(_CLOSE)) >= 0:
                thinking += self._held[:end].rstrip("\n")
                self._state, self._held = "start", self._held[end + len(_CLOSE) :]
                self._thought = True
            else:
                keep = 0 if last else _overlap(self._held, _CLOSE)
                cut = len(self._held) - keep
                thinking, self._held = thinking + self._held[:cut], self._held[cut:]
                return thinking, ""


def split_thinking(text: str, *, opened_in_prompt: bool = False) -> tuple[str, str]:
    """(thinking, answer) of a whole reply.

    `opened_in_prompt`: the model is one whose chat template may already hold the opening tag (R1 and its kin),
    so a closing tag alone ends its thinking. In a stream that cannot be known in time: such servers need their
    reasoning parser on. From other models a lone closing tag is text, perhaps quoted from a hostile passage.
    """
    if opened_in_prompt and _CLOSE in text and _OPEN not in text:
        thinking, _, answer = text.partition(_CLOSE)
        return thinking.strip(), answer.lstrip()
    splitter = ThinkSplitter()
    first, rest = splitter.feed(text), splitter.finish()
    return (first[0] + rest[0]).strip(), first[1] + rest[1]


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` could be the beginning of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-size:])), 0)
