"""Reading a streamed reply: thinking apart from answer, and whether its end was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from langchain_core.outputs import ChatGenerationChunk

from ..errors import ModelReplyError
from .reasoning import REASONING_KEY, ThinkSplitter
from .retry import CutStream


class StreamReader:
    """One try at a stream."""

    def __init__(self, note: Callable[[], dict[str, Any]]) -> None:
        self.passed_on = 0
        """Characters passed on so far; a tool call counts as one."""
        self._note: Callable[[], dict[str, Any]] | None = note
        self._splitter = ThinkSplitter()
        self._opening: list[ChatGenerationChunk] = []
        self._came, self._ended = False, False

    def read(self, chunk: ChatGenerationChunk) -> list[ChatGenerationChunk]:
        """The chunks to pass on for one that came.

        Empty ones at the beginning are held until the first word: up to then a broken stream can be started
        again without anybody noticing. The first chunk passed on carries `note()` in `response_metadata`.
        """
        self._came = True
        message = cast("Any", chunk.message)
        thinking, answer = self._splitter.feed(message.content)
        if (chunk.generation_info or {}).get("finish_reason"):
            self._ended = True
            held_thinking, held_answer = self._splitter.finish()
            thinking, answer = thinking + held_thinking, answer + held_answer
        message.content = chunk.text = answer
        thinking = message.additional_kwargs.get(REASONING_KEY, "") + thinking
        if thinking:
            message.additional_kwargs[REASONING_KEY] = thinking
        self.passed_on += len(answer) + len(thinking) + bool(message.tool_call_chunks)
        if not self.passed_on and not self._ended:
            self._opening.append(chunk)
            return []
        chunks, self._opening = [*self._opening, chunk], []
        if self._note is not None:
            chunks[0].message.response_metadata.update(self._note())
            self._note = None
        return chunks

    def check_ended(self, address: str) -> None:
        """Raises `CutStream` where the stream stopped without announcing its end, `ModelReplyError` where it
        never was one."""
        if not self._came:
            raise ModelReplyError(
                f"model server `{address}` sent no event stream: is this the address of an OpenAI-compatible "
                "server, with `/v1`?"
            )
        if not self._ended:
            raise CutStream("the stream stopped before the reply ended")
