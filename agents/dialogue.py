"""A conversation as it comes in: read, checked, and rendered for a model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from ..errors import UserError

MAX_CHARACTERS: Final = 200_000
"""A longer conversation is refused: no reader of it is served by an answer made from a part."""
_ROLES: Final = ("user", "assistant")
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which no server and no file takes: from `\\ud800` in JSON, or from bytes that are no UTF-8."""


def read_dialogue(path: Path) -> list[AnyMessage]:
    """The conversation in a JSON file: a list of `{"role": "user" | "assistant", "content": "..."}`.

    Raises:
        UserError: no such file, not UTF-8, not such a list, or not a conversation that waits for an answer.
    """
    try:
        size = path.stat().st_size
        if size > 4 * MAX_CHARACTERS:
            raise UserError(f"`{path}` has {size:,} bytes; a conversation may have {MAX_CHARACTERS:,} characters")
        raw = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"cannot read the dialogue `{path}`: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"`{path}` is not UTF-8 text (byte {error.start}): save it as UTF-8") from None
    try:
        turns = json.loads(raw)
    except (ValueError, RecursionError) as error:  # ValueError also stands for an integer of 5,000 digits
        raise UserError(f'`{path}` is not JSON ({error}): a list of {{"role", "content"}} is expected') from None
    return parse_dialogue(turns, name=f"`{path}`")


def parse_dialogue(turns: object, *, name: str = "the dialogue") -> list[AnyMessage]:
    """Messages from a list of role-content pairs, checked; see `read_dialogue`."""
    if not isinstance(turns, list) or not turns:
        raise UserError(f'{name} holds no turns: a list of {{"role", "content"}} is expected')
    messages: list[AnyMessage] = []
    for number, turn in enumerate(cast("list[Any]", turns), start=1):
        content = turn.get("content") if isinstance(turn, dict) else None
        if not isinstance(content, str):
            raise UserError(f"turn {number} of {name} has no text in `content`")
        role = turn.get("role")
        if role not in _ROLES:
            raise UserError(
                f"turn {number} of {name} has the role `{str(role)[:40]}`: it must be `user` or `assistant`"
            )
        messages.append(HumanMessage(content) if role == "user" else AIMessage(content))
    check_dialogue(messages, name=name)
    return messages


def check_dialogue(messages: Sequence[AnyMessage], *, name: str = "the dialogue") -> None:
    """Refuse what cannot be answered: nothing asked, an empty question, or more text than fits.

    Raises:
        UserError: with the reason.
    """
    if not messages or not isinstance(messages[-1], HumanMessage):
        raise UserError(f"{name} does not end with a turn of the `user`: there is nothing to answer")
    if not messages[-1].text.strip():
        raise UserError(f"the last turn of {name} is empty: there is nothing to answer")
    for number, message in enumerate(messages, start=1):
        if half := _HALF_CHARACTER.search(message.text):
            raise UserError(
                f"turn {number} of {name} holds half a character (`\\u{ord(half.group()):04x}`): save it as UTF-8"
            )
    size = sum(len(m.text) for m in messages)
    if size > MAX_CHARACTERS:
        raise UserError(f"{name} has {size:,} characters, at most {MAX_CHARACTERS:,} are read: leave out early turns")


def user_turns(messages: Sequence[AnyMessage]) -> list[str]:
    """What the person said, in order."""
    return [m.text for m in messages if isinstance(m, HumanMessage)]


def transcript(messages: Sequence[AnyMessage], *, most_characters: int) -> str:
    """The conversation as lines `user: ...`; early turns are left out, and said so, beyond `most_characters`."""
    lines = [
        f"{'user' if isinstance(m, HumanMessage) else 'assistant'}: {' '.join(m.text.split())}"
        for m in messages
        if isinstance(m, HumanMessage | AIMessage) and m.text.strip()
    ]
    kept: list[str] = []
    left = most_characters
    for line in reversed(lines):
        if len(line) > left and kept:
            kept.append("[earlier turns left out]")
            break
        # Of a last turn that is too long by itself, the end counts: there stands the question.
        kept.append(line if len(line) <= left else f"{line[:6]}... {line[-left:]}")
        left -= len(line)
    return "\n".join(reversed(kept))
