"""A question about films: its message with images, its options, and the region it asks about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from ..corpora.patients import Region, asked_regions
from ..errors import ModelReplyError, UserError
from ..models import structured_reply
from .calling import role_config
from .images import PIXELS, WARNINGS_KEY, Corners, prepared
from .prompting import prompt

LETTERS: Final = "ABCDEFGHIJ"
_OPTION: Final = re.compile(r"^[ \t]*[(\[]?(?P<letter>[A-J])[.):\]][ \t]+(?P<text>\S.*)$", re.MULTILINE)


class Film(NamedTuple):
    """An image to be shown, and what it is called there."""

    path: Path
    label: str
    """`Earlier film`, `Current film`; what is written before it."""
    box: Corners | None = None
    """Cut out of it."""


def film_message(
    question: str, films: Sequence[Film] = (), *, options: Mapping[str, str] | None = None, pixels: int = PIXELS
) -> HumanMessage:
    """The message that puts a question about films: each film after its label, then the question and its options.

    Raises:
        UserError: there is no question, or a film can't be read.
    """
    if not question.strip():
        raise UserError("the question is empty: say what is asked about the films")
    listed = "\n".join(f"{letter}. {text}" for letter, text in (options or {}).items())
    text = f"{question.strip()}\n\n{listed}" if listed else question.strip()
    if not films:
        return HumanMessage(text)
    parts: list[str | dict[str, Any]] = []
    warnings: list[str] = []
    for film in films:
        image = prepared(film.path, pixels=pixels, box=film.box)
        parts += [{"type": "text", "text": f"{film.label}:"}, image.part]
        warnings += image.warnings
    parts.append({"type": "text", "text": text})
    return HumanMessage(content=parts, additional_kwargs={WARNINGS_KEY: warnings} if warnings else {})


def question_of(messages: Sequence[AnyMessage]) -> str:
    """The text of the last message of a person, without the labels of its images."""
    last = next((m for m in reversed(messages) if isinstance(m, HumanMessage)), None)
    if last is None:
        return ""
    if isinstance(last.content, str):
        return last.content
    texts = [str(part["text"]) for part in last.content if isinstance(part, dict) and part.get("type") == "text"]
    return texts[-1] if texts else ""


def options_in(text: str) -> dict[str, str]:
    """The options of a multiple-choice question: lines that begin with `A.`, `B)`, ... in order; empty for fewer than
    two.
    """
    found: dict[str, str] = {}
    for match in _OPTION.finditer(text):
        if match["letter"] == LETTERS[len(found)]:
            found[match["letter"]] = match["text"].strip()
    return found if len(found) >= 2 else {}


def without_options(text: str) -> str:
    """The question alone."""
    return _OPTION.sub("", text).strip() if options_in(text) else text


def regions_by_rule(question: str) -> tuple[Region, ...]:
    """The regions that the question asks about; its options are read only where it names none itself."""
    return asked_regions(without_options(question)) or asked_regions(question)


async def located(
    question: str, config: RunnableConfig, *, model: BaseChatModel | None = None
) -> tuple[tuple[Region, ...], str]:
    """The regions that a question asks about, and what was wrong with the model's answer where the rules decided.

    Args:
        question: with its options.
        config: the node's.
        model: asked where the rules find nothing; None for the rules alone.

    Raises:
        ModelError: the server can't do its part.
    """
    by_rule = regions_by_rule(question)
    if by_rule or model is None:
        return by_rule, ""
    task = prompt("locate")
    names = [region.value for region in Region]
    form = {
        "type": "object",
        "properties": {"region": {"type": "string", "enum": [*names, "none"]}},
        "required": ["region"],
        "additionalProperties": False,
    }
    asked = [SystemMessage(task.text), HumanMessage(f"{question}\n\nRegions: {', '.join(names)}")]
    try:
        parsed, _ = await structured_reply(
            model, asked, form, name="region", config=role_config(config, "locator", task)
        )
    except ModelReplyError as error:
        return (), str(error)
    named = str((parsed or {}).get("region"))
    if named == "none":
        return (), ""
    return ((Region(named),), "") if named in names else ((), f"`{named[:40]}` is no region")
