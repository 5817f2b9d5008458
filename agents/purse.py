"""What a role may spend: tokens and time, held whatever the model does, and thinking that is closed by force."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from pydantic import BaseModel, ConfigDict, Field

from ..models import profile_of
from ..models.reasoning import REASONING_KEY

Ask = Callable[[Sequence[BaseMessage], int], Awaitable[AIMessage]]
"""One call: the messages, and the most tokens that the reply may have."""
_LEAST: Final = 64
"""Tokens below which asking has no sense."""
_THOUGHTS_SHOWN: Final = 12_000
"""Characters of cut-off thinking that are handed back, from its end."""
_CLOSE: Final = (
    "Your time for thinking is over. These are your notes so far:\n\n{notes}\n\nDo not think any further. "
    "Give the answer now, in the form that was asked for."
)


class Limits(BaseModel):
    """What one answer may cost, over all samples and rounds."""

    model_config = ConfigDict(frozen=True)
    thinking_tokens: int = Field(default=8000, gt=0)
    """For a reasoning model, a call: what it may think before the answer is demanded."""
    reply_tokens: int = Field(default=1500, gt=0)
    """For the answer itself, a call."""
    output_tokens: int | None = Field(default=None, gt=0)
    """All that may be written, thinking included; each sample has its like share. None: only the two above limit."""
    seconds: float | None = Field(default=None, gt=0)
    """From the beginning of the run; a call that is still under way is given up."""


class OverBudget(Exception):
    """Nothing more may be asked; the text says why."""


class Purse:
    """A model, and what is left to spend on it. Every call goes through it.

    Args:
        model: whom it pays.
        limits: of the whole answer.
        share: into how many like parts the tokens of the answer are divided; this is one of them.
        deadline: when time is up, in seconds since the epoch.
    """

    def __init__(self, model: BaseChatModel, limits: Limits, *, share: int = 1, deadline: float | None = None) -> None:
        self.model = model
        self.profile = profile_of(model)
        self.used = 0
        self._limits = limits
        self._left = None if limits.output_tokens is None else limits.output_tokens // share
        self._deadline = deadline

    async def ask(self, messages: Sequence[BaseMessage], ask: Ask) -> AIMessage:
        """One call; of a reasoning model whose thinking fills all of its room, the answer is demanded by a second.

        Raises:
            OverBudget: tokens or time are spent.
            ModelError: the server can't do its part.
        """
        message = await self._call(messages, ask, closing=False)
        if not (self.profile.reasoning and _is_cut_off_in_thought(message)):
            return message
        notes = _thinking(message)
        demand = HumanMessage(_CLOSE.format(notes=notes[-_THOUGHTS_SHOWN:]))
        closed = await self._call([*messages, demand], ask, closing=True)
        closed.additional_kwargs[REASONING_KEY] = "\n".join(filter(None, (notes, _thinking(closed))))
        return closed

    async def _call(self, messages: Sequence[BaseMessage], ask: Ask, *, closing: bool) -> AIMessage:
        most = self._most(closing=closing)
        left = None if self._deadline is None else self._deadline - time.time()
        if left is not None and left <= 0:
            raise OverBudget("the budget of time is spent")
        try:
            message = await asyncio.wait_for(ask(messages, most), left)
        except TimeoutError:
            raise OverBudget("the budget of time is spent") from None
        # A server that does not count is taken to have written all it could.
        written = message.usage_metadata["output_tokens"] if message.usage_metadata else most
        self.used += written
        if self._left is not None:
            self._left -= written
        return message

    def _most(self, *, closing: bool) -> int:
        room = self._limits.reply_tokens
        if self.profile.reasoning and not closing:
            room += self._limits.thinking_tokens
        room = min(room, self.profile.context_tokens // 2)
        if self._left is not None:
            room = min(room, self._left)
        if room < _LEAST:
            raise OverBudget("the budget of tokens is spent")
        return room


def _is_cut_off_in_thought(message: AIMessage) -> bool:
    """Whether a token limit ended the reply before any of the answer came."""
    return message.response_metadata.get("finish_reason") == "length" and not str(message.text).strip()


def _thinking(message: AIMessage) -> str:
    return str(message.additional_kwargs.get(REASONING_KEY) or "")
