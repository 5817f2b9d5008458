"""A request for a chat completion: read leniently, since every frontend sends something else.

What is not used (sampling, tools of the frontend, unknown fields) is taken and left alone.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, Final, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from .refusing import Refused
from .telling import without_trimmings

MOST_IMAGES: Final = 8
_LARGEST_IMAGE: Final = 20_000_000
_DATA_URL: Final = re.compile(r"data:(image/(?:png|jpeg|jpg|gif|webp));base64,", re.IGNORECASE)
_BEGINNINGS: Final = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "jpg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "webp": (b"RIFF",),
}
_SIDE_TASK: Final = "### Task:"
"""How Open WebUI's calls for titles, tags and follow-up questions begin."""


class ChatMessage(BaseModel):
    """One turn."""

    model_config = ConfigDict(extra="allow")
    role: str
    content: str | list[Any] | None = None
    tool_call_id: str | None = None


class ChatRequest(BaseModel):
    """The body of `POST /v1/chat/completions`."""

    model_config = ConfigDict(extra="allow")
    model: str = Field(description="One of `GET /v1/models`.")
    messages: list[ChatMessage] = Field(description="The whole conversation; it ends with what the person says.")
    stream: bool | None = False
    stream_options: dict[str, Any] | None = None
    tools: list[Any] | None = Field(default=None, description="Only `ask_user` is ever called, to ask a person.")
    metadata: dict[str, Any] | None = Field(
        default=None, description="`patient`, `study` and `conversation` are read; they are checked against the key."
    )

    @property
    def wants_usage(self) -> bool:
        """Whether a stream shall end with what was used."""
        return bool((self.stream_options or {}).get("include_usage"))

    def named(self, field: str) -> str | None:
        """A text of `metadata`."""
        value = (self.metadata or {}).get(field)
        return value if isinstance(value, str) and value else None

    def offers(self, tool: str) -> bool:
        """Whether the frontend has such a tool."""
        for one in self.tools or ():
            function: Any = cast("dict[str, Any]", one).get("function") if isinstance(one, dict) else None
            if isinstance(function, dict) and cast("dict[str, Any]", function).get("name") == tool:
                return True
        return False

    @property
    def is_side_task(self) -> bool:
        """Whether it is a frontend's call for a title and the like, which needs no agent."""
        if self.stream or self.tools or len(self.messages) > 2 or not self.messages:
            return False
        return text_of(self.messages[-1]).lstrip().startswith(_SIDE_TASK)


def read_request(body: bytes) -> ChatRequest:
    """The request in a body.

    Raises:
        Refused: it is no JSON object with a model and messages.
    """
    try:
        data: Any = from_json(body, allow_inf_nan=False)
    except ValueError as error:  # also: no UTF-8, and nested deeper than the parser goes
        raise Refused(400, f"The body is no JSON that can be read: {error}.", code="invalid_json") from None
    try:
        request = ChatRequest.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(400, f"`{where or 'body'}`: {first['msg']}.", param=where or None) from None
    if not request.messages:
        raise Refused(400, "`messages` is empty: send what the person says.", param="messages")
    return request


def conversation_of(request: ChatRequest, *, images: bool, whole: bool) -> list[AnyMessage]:
    """The conversation as our graphs take it.

    Without `whole`, only what person and assistant said is kept: what a frontend says to the system, and what its own
    tools gave, steers none of our roles. Of the assistant's turns the lists of sources and withdrawn beginnings go.

    Raises:
        Refused: the last turn holds what the agent cannot use, or nothing of the person's.
    """
    if images and sum(len(_images(message)) for message in request.messages) > MOST_IMAGES:
        raise Refused(400, f"At most {MOST_IMAGES} images can be shown in one conversation.", param="messages")
    last = max((n for n, message in enumerate(request.messages) if message.role == "user"), default=-1)
    kept: list[AnyMessage] = []
    for number, message in enumerate(request.messages):
        text = text_of(message)
        if message.role == "user":
            parts = _parts(message, images=images, strict=number == last)
            kept.append(HumanMessage(parts or text))
        elif message.role == "assistant" and text:
            kept.append(AIMessage(without_trimmings(text)))
        elif whole and message.role in ("system", "developer") and text:
            kept.append(SystemMessage(text))
    if not kept or not isinstance(kept[-1], HumanMessage):
        raise Refused(400, "The last of `messages` is not the person's: there is nothing to answer.", param="messages")
    return kept


def text_of(message: ChatMessage) -> str:
    """The text of a turn, its parts put together."""
    if isinstance(message.content, str):
        return message.content
    texts = [str(part.get("text") or "") for part in _dicts(message.content) if part.get("type") in ("text", None)]
    return "\n".join(text for text in texts if text)


def _dicts(content: object) -> Sequence[dict[str, Any]]:
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    return [cast("dict[str, Any]", part) for part in parts if isinstance(part, dict)]


def _images(message: ChatMessage) -> list[dict[str, Any]]:
    return [part for part in _dicts(message.content) if part.get("type") == "image_url"]


def _parts(message: ChatMessage, *, images: bool, strict: bool) -> list[str | dict[str, Any]]:
    """Images first, then the text; nothing where there are no images. An earlier turn loses what can't be used."""
    shown: list[str | dict[str, Any]] = []
    for part in _dicts(message.content):
        kind = str(part.get("type"))
        if kind == "image_url":
            if images:
                shown.append(_image(part))
            elif strict:
                raise Refused(
                    400, "This agent reads no images: send text, or choose an agent that does.", param="messages"
                )
        elif kind != "text" and part.get("type") is not None and strict:
            raise Refused(
                400, f"A part of the type `{kind[:40]}` cannot be read: send text or images.", param="messages"
            )
    if not shown:
        return []
    return [*shown, {"type": "text", "text": text_of(message)}]


def _image(part: dict[str, Any]) -> dict[str, Any]:
    given = part.get("image_url")
    url: object = cast("dict[str, Any]", given).get("url") if isinstance(given, dict) else given
    match = _DATA_URL.match(url[:64]) if isinstance(url, str) else None
    if match is None or not isinstance(url, str):
        raise Refused(
            400,
            "Only images inside the request are read: send a PNG, JPEG, GIF or WebP as a data: URL with base64.",
            param="messages",
        )
    try:
        content = base64.b64decode(url[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, "An image is no base64 that can be read: send it anew.", param="messages") from None
    kind = match[1].lower().removeprefix("image/")
    if not content.startswith(_BEGINNINGS[kind]):
        raise Refused(400, f"An image that says it is {kind.upper()} is none: send it anew.", param="messages")
    if len(content) > _LARGEST_IMAGE:
        raise Refused(400, f"An image has {len(content) / 1e6:.0f} MB: at most 20 are read.", param="messages")
    return {"type": "image_url", "image_url": {"url": url}}
