"""How a judge is asked: what is judged is marked data, the reply is held to a form and asked for again if need be."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from ...agents.calling import PROMPT_KEY, ROLE_KEY
from ...agents.prompting import Prompt
from ...errors import ModelReplyError
from ...models import structured_reply

TRIES: Final = 3
"""The first, and two more after being told what was wrong."""
ROLE: Final = "judge"
_T = TypeVar("_T")


@cache
def prompt(name: str) -> Prompt:
    """The prompt `evals/judging/prompts/<name>.md`."""
    text = (files("wardround.evals.judging") / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip()
    return Prompt(name, text, hashlib.sha256(text.encode()).hexdigest()[:12])


class BadReply(ValueError):
    """A judge's reply can't be used; the text says why, to the judge."""


async def ask(
    model: BaseChatModel,
    told: Prompt,
    question: str,
    schema: dict[str, Any],
    read: Callable[[Mapping[str, Any]], _T],
) -> _T:
    """What `read` makes of the judge's reply to `question`.

    `read` raises BadReply where it can't; the judge is then told and asked again.

    Raises:
        ModelReplyError: none of three replies can be used.
        ModelError: the judge's server could not do its part.
    """
    messages: list[BaseMessage] = [SystemMessage(told.text), HumanMessage(question)]
    config = RunnableConfig(metadata={ROLE_KEY: ROLE, PROMPT_KEY: f"{told.name}@{told.sha256}"}, run_name=ROLE)
    wrong = ""
    for _ in range(TRIES):
        found, reply = await structured_reply(model, messages, schema, name="scores", config=config)
        try:
            if found is None:
                raise BadReply("there is no JSON object in it")
            return read(found)
        except BadReply as error:
            wrong = str(error)
            again = HumanMessage(f"This reply cannot be used: {wrong}. Reply again, in the form asked for.")
            messages = [*messages[:2], reply, again]
    raise ModelReplyError(f"the judge's replies cannot be used after {TRIES} tries: {wrong}")


def marked(*texts: str) -> list[str]:
    """Each text between two lines with one mark, which is made of all of them and so can stand in none.

    Control characters go, and what looks like markup is made to look like it no longer.
    """
    mark = hashlib.sha256("\0".join(texts).encode(errors="replace")).hexdigest()[:16]
    return [f"=== {mark}\n{harmless(text)}\n=== {mark}" for text in texts]


def harmless(text: str) -> str:
    """A text without control characters and with angle brackets that close nothing."""
    kept = "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in text)
    return re.sub(r"={3,}", "==", kept.replace("<", "‹").replace(">", "›"))
