"""The chat protocol's JSON: what is sent, and whether what came is a reply at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_function

from ..errors import ModelReplyError


def plain_format(wanted: dict[str, Any] | type) -> dict[str, Any]:
    """`response_format` as JSON; langchain passes pydantic classes along as they are."""
    if isinstance(wanted, dict):
        return wanted
    function = convert_to_openai_function(wanted, strict=True)
    schema = {"name": function["name"], "schema": function["parameters"], "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def checked_choices(body: Any, address: str) -> list[dict[str, Any]]:
    """The choices of a reply, or `ModelReplyError` where it is none."""
    wrong = f"model server `{address}` sent something that is not a chat completion"
    if not isinstance(body, dict):
        start = " ".join(str(body).split())[:60]
        raise ModelReplyError(f"{wrong} (`{start}`): is this the address of an OpenAI-compatible server, with `/v1`?")
    if body.get("error"):
        raise ModelReplyError(f"{wrong} but an error: {' '.join(str(body['error']).split())[:200]}")
    choices: Any = body.get("choices")
    if not choices or not is_list_of_dicts(choices):
        raise ModelReplyError(f"{wrong}: it has no choices")
    for choice in choices:
        if malformed(choice.get("message"), body):
            raise ModelReplyError(f"{wrong}: a choice has no message, or one of the wrong form")
        choice["message"]["role"] = "assistant"  # some servers leave it out
    return choices


def malformed(message: Any, body: Mapping[str, Any]) -> bool:
    """Whether a message or delta, or the usage beside it, has a form that the base class would stumble over."""
    if not isinstance(message, dict) or not isinstance(body.get("usage"), dict | None):
        return True
    content, calls = message.get("content"), message.get("tool_calls")
    if not isinstance(content, str | list | None) or not (calls is None or is_list_of_dicts(calls)):
        return True
    return any(not isinstance(call.get("function"), dict) for call in calls or ())


def is_list_of_dicts(value: Any) -> bool:
    """Whether `value` is a list of JSON objects."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
