"""Replies that are JSON objects."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NoReturn, cast

from .profile import profile_of

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable, RunnableConfig

_FENCE = re.compile(r"```[\w-]*[ \t]*\r?\n(.*?)```", re.DOTALL)
_MAX_STARTS = 50
"""How many opening braces are tried: a hostile reply of nothing but braces must not cost quadratic time."""


async def structured_reply(
    model: Runnable[LanguageModelInput, AIMessage],
    messages: LanguageModelInput,
    schema: dict[str, Any],
    *,
    name: str,
    config: RunnableConfig | None = None,
    **params: Any,
) -> tuple[dict[str, Any] | None, AIMessage]:
    """One call that should answer with an object of `schema` (a JSON schema); `name` labels it for the server.

    Where the profile has `json_schema` the server is told to hold the reply to the schema; otherwise the model
    is asked as it stands, so the messages must describe the form. Returns the object (None where the reply
    holds none) and the message. The object is what the model wrote, found but neither repaired nor checked
    against the schema: validate it, re-ask and fall back in the caller. Raises what the model raises.
    """
    if profile_of(model).json_schema:
        form = {"name": name, "schema": schema, "strict": True}
        params = {"response_format": {"type": "json_schema", "json_schema": form}, **params}
    message = await model.ainvoke(messages, config, **params)
    return find_object(str(message.text), required=schema.get("required", ())), message


def find_object(text: str, *, required: Collection[str] = ()) -> dict[str, Any] | None:
    """The JSON object in a model's reply: the whole text, in a code fence, or with other text around it.

    Of several, the first with all `required` keys, else the first. None where there is none: a cut-off object is
    not completed.
    """
    found: list[dict[str, Any]] = []
    for piece in (text.strip(), *_FENCE.findall(text)):
        if (whole := _decode(piece.strip())) is not None:
            found.append(whole[0])
    if not found:
        found = _embedded(text)
    complete = (candidate for candidate in found if all(key in candidate for key in required))
    return next(complete, found[0] if found else None)


def _embedded(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    position = text.find("{")
    for _ in range(_MAX_STARTS):
        if position < 0:
            break
        decoded = _decode(text, position, whole=False)
        if decoded is None:
            position = text.find("{", position + 1)
        else:
            found.append(decoded[0])
            position = text.find("{", decoded[1])
    return found


def _decode(text: str, start: int = 0, *, whole: bool = True) -> tuple[dict[str, Any], int] | None:
    """The object that begins at `start`, and where it ends; with `whole`, only if nothing follows."""
    try:
        value, end = json.JSONDecoder(parse_constant=_refuse).raw_decode(text, start)
    except (ValueError, RecursionError):  # not JSON, or nested deeper than any answer
        return None
    if not isinstance(value, dict) or (whole and end != len(text)):
        return None
    return cast("dict[str, Any]", value), end


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
