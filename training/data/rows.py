"""The row format of training data: one JSON object a line, chat messages with tool calls, images and weights.

`sft` rows are whole conversations of which the assistant's turns are learned; `preference` rows have a prompt and two
replies. Both name their source, so that every row can be traced to what it was made from.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from ...errors import UserError
from ...evals.reading import Row, read_rows


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolFunction(_Record):
    """What a tool call calls."""

    name: str = Field(min_length=1)
    arguments: dict[str, JsonValue]
    """As an object, not as JSON text: chat templates write it out themselves."""


class ToolCall(_Record):
    """A call of a tool in an assistant's turn, as the chat protocol has it."""

    id: str | None = None
    type: Literal["function"] = "function"
    function: ToolFunction


class ChatMessage(_Record):
    """One turn."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    """The text. Each `<image>` in it stands for the next of the row's images; without any, images come first."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Of a `tool` turn: the call it answers."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.tool_calls and self.role != "assistant":
            raise ValueError(f"a turn of the role `{self.role}` makes tool calls: only `assistant` may")
        if self.role in ("user", "assistant") and not self.content.strip() and not self.tool_calls:
            raise ValueError(f"a turn of the role `{self.role}` is empty")
        return self


class _DataRow(_Record):
    id: str = Field(min_length=1)
    images: tuple[str, ...] = ()
    """Paths, relative to the file's folder, in the order of the `<image>` marks."""
    source: dict[str, JsonValue] = {}
    """What the row was made from: generator and seed, corpus, entities, prompts, models."""

    @property
    def entity(self) -> str | None:
        """What a split must not part: the medicine, patient or case in `source["entity"]`."""
        entity = self.source.get("entity")
        return entity if isinstance(entity, str) else None


class SftRow(_DataRow):
    """A demonstration."""

    kind: Literal["sft"] = "sft"
    messages: tuple[ChatMessage, ...]
    weight: float = Field(default=1.0, gt=0)
    """How much the row's loss counts."""

    @model_validator(mode="after")
    def _ends_with_the_assistant(self) -> Self:
        if not self.messages or self.messages[-1].role != "assistant":
            raise ValueError("`messages` must end with a turn of the role `assistant`: nothing is learned else")
        _check_images(self.messages, self.images)
        return self


class PreferenceRow(_DataRow):
    """Two replies to one prompt, the better one and the worse one."""

    kind: Literal["preference"] = "preference"
    prompt: tuple[ChatMessage, ...]
    chosen: tuple[ChatMessage, ...]
    rejected: tuple[ChatMessage, ...]
    margin: float | None = None
    """By how much the judge preferred the chosen one, in its points."""

    @model_validator(mode="after")
    def _compares_replies(self) -> Self:
        if not self.prompt or self.prompt[-1].role not in ("user", "tool"):
            raise ValueError("`prompt` must end with a turn of the role `user` or `tool`")
        for name, turns in (("chosen", self.chosen), ("rejected", self.rejected)):
            if not turns or turns[-1].role != "assistant":
                raise ValueError(f"`{name}` must end with a turn of the role `assistant`")
        if self.chosen == self.rejected:
            raise ValueError("`chosen` and `rejected` are the same")
        _check_images(self.prompt, self.images)
        return self


def _check_images(messages: Sequence[ChatMessage], images: Sequence[str]) -> None:
    marks = sum(m.content.count(IMAGE_MARK) for m in messages)
    if marks not in (0, len(images)):
        raise ValueError(f"the turns have {marks} `{IMAGE_MARK}` for {len(images)} images")


IMAGE_MARK = "<image>"
_R = TypeVar("_R", SftRow, PreferenceRow)


def read_sft_rows(path: Path) -> list[SftRow]:
    """The demonstrations of a file.

    Raises:
        UserError: the file can't be read, or a row is none; with its line. Also two rows of one id, or an image that
            is not there.
    """
    return _read(path, SftRow)


def read_preference_rows(path: Path) -> list[PreferenceRow]:
    """The preference pairs of a file; raises as `read_sft_rows`."""
    return _read(path, PreferenceRow)


def _read(path: Path, kind: type[_R]) -> list[_R]:
    rows: list[_R] = []
    seen: dict[str, str] = {}
    for record in read_rows(path):
        row = _row(record, kind)
        if row.id in seen:
            raise UserError(f"{record.where}: the id `{row.id}` stands already at {seen[row.id]}: ids must differ")
        seen[row.id] = record.where
        for image in row.images:
            if not (path.parent / image).is_file():
                raise UserError(f"{record.where}: the image `{image}` is not in `{path.parent}`: copy it there")
        rows.append(row)
    return rows


def _row(record: Row, kind: type[_R]) -> _R:
    expected = kind.model_fields["kind"].default
    found: Any = record.data.get("kind", expected)
    if found != expected:
        raise UserError(f"{record.where}: the row is of kind `{str(found)[:40]}`, rows of kind `{expected}` are needed")
    try:
        return kind.model_validate_json(json.dumps(record.data))  # as JSON: lists stand for tuples there
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{record.where}: {f'`{field}`: ' if field else ''}{reason}") from None


def write_rows(rows: Iterable[SftRow | PreferenceRow], path: Path) -> None:
    """Rows as a file, whole or not at all.

    Raises:
        UserError: the file can't be written (no such folder, no space).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                for row in rows:
                    file.write(row.model_dump_json(exclude_defaults=False) + "\n")
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"`{path}` cannot be written ({error.strerror}): free space or choose another place") from None
