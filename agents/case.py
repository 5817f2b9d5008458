"""Cases as files: sections of text and images, made into the one message that the graph reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from langchain_core.messages import AnyMessage, HumanMessage

from ..errors import UserError
from .images import WARNINGS_KEY, prepared

MOST_IMAGES: Final = 8
_OFFICIAL: Final = ("Case Information", "Physical Examination", "Diagnostic Tests")
_NOT_SHOWN: Final = frozenset({"id", "Final Diagnosis", "Options", "Right Option", "diagnosis", "answer", "images"})
"""Fields of a case file that no model sees: the answer, where the file has it."""


def read_case(path: Path) -> HumanMessage:
    """The case in a file: text as it stands, or JSON.

    JSON is `{"sections": {NAME: TEXT}, "images": [FILE]}`, or DiagnosisArena's form with its sections on top.
    Images are named relative to the file. The right answer, where the file has one, is left out.

    Raises:
        UserError: the file can't be read, holds no text, or names more than eight images or one that is none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the case `{path}` cannot be read ({error}): give a JSON or text file") from None
    if path.suffix.lower() != ".json":
        return message_of({"": text}, [])
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"the case `{path}` is no JSON ({error}): mend it, or name it .txt") from None
    if not isinstance(data, dict):
        raise UserError(f"the case `{path}` is no JSON object: give `sections`, or a text file")
    held = cast("dict[str, Any]", data)
    given: Any = held.get("sections")
    if given is None:
        given = {name: held[name] for name in _OFFICIAL if name in held} or {
            name: value for name, value in held.items() if name not in _NOT_SHOWN and isinstance(value, str)
        }
    if not isinstance(given, dict):
        raise UserError(f"the case `{path}`: `sections` is no object of names and texts")
    sections = {str(name): str(value) for name, value in cast("dict[object, object]", given).items()}
    images: Any = held.get("images") or []
    if not isinstance(images, list):
        raise UserError(f"the case `{path}`: `images` is no list of files")
    return message_of(sections, [path.parent / str(image) for image in cast("list[object]", images)])


def message_of(sections: dict[str, str], images: Sequence[Path]) -> HumanMessage:
    """The message that puts a case: its images first, then the sections, each under its name.

    Raises:
        UserError: there is no text, or more than eight images or one that is none.
    """
    shown = [f"{name}:\n{text.strip()}" if name else text.strip() for name, text in sections.items() if text.strip()]
    if not shown:
        raise UserError("the case holds no text: give at least one section")
    if len(images) > MOST_IMAGES:
        raise UserError(f"the case names {len(images)} images: at most {MOST_IMAGES} can be shown")
    text = "\n\n".join(shown)
    if not images:
        return HumanMessage(text)
    shown_images = [prepared(path) for path in images]
    warnings = [warning for image in shown_images for warning in image.warnings]
    return HumanMessage(
        content=[*(image.part for image in shown_images), {"type": "text", "text": text}],
        additional_kwargs={WARNINGS_KEY: warnings} if warnings else {},
    )


def case_text(messages: Sequence[AnyMessage]) -> str:
    """All that persons said in a conversation: what quotations are looked for in."""
    return "\n\n".join(m.text for m in messages if isinstance(m, HumanMessage))
