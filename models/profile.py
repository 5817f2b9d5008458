"""What a chat model can do, declared once, so that no other code asks who serves it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UserError


class ModelProfile(BaseModel):
    """The abilities that behaviour may depend on. Not to be confused with the `profile` mapping of
    langchain-core's chat models: ours is kept in their field `declared`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The model's name, as its server knows it."""
    tools: bool = False
    """Calls tools reliably through the `tools` of the chat protocol, on the server as it was started."""
    json_schema: bool = False
    """The server takes `response_format` of type `json_schema` and holds the reply to it."""
    vision: bool = False
    """Takes images in messages."""
    reasoning: bool = False
    """Thinks before it answers; the thinking takes tokens and time."""
    context_tokens: int = Field(default=4096, gt=0)
    """Prompt and reply together, in tokens."""
    strength: Literal["weak", "strong"] = "weak"
    """`weak`: short fixed prompts, constrained output, no open tool loops. `strong`: may plan by itself."""
    adapters: dict[str, str] = Field(default_factory=dict)
    """Roles that an adapter was tuned for, with the name under which the server offers it (`{"distiller": "..."}`)."""


_FAMILIES = re.compile(
    r"qwen|qwq|llama|deepseek|gpt-oss|^gpt-|mistral|mixtral|ministral|magistral|gemma|phi-?[34]|glm"
    r"|kimi|internlm|internvl|baichuan|command-|granite|huatuo|meditron|med42|claude|^o\d"
)
_REASONING = re.compile(r"deepseek-r|qwq|qwen3|gpt-oss|magistral|thinking|reason|huatuogpt-o|^o\d|[-_]r1")
_NOT_REASONING = re.compile(r"qwen3.*(instruct|coder|embedding)|non-?thinking")
_VISION = re.compile(r"vl\b|vision|llava|gemma-?[34]|medgemma|pixtral|llama-4|gpt-4o|gpt-5|omni")
_SMOLLM2 = re.compile(r"smollm2")
_BILLIONS = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![a-z])")
_WEAK_BELOW_BILLIONS = 4.0
"""Below this size the published tool-calling scores of every family fall off."""


def declared_profile(name: str, *, openai_server: bool = True) -> ModelProfile:
    """The profile that a model's name stands for, by family and by a size in the name (`-7B`).

    `openai_server` says that vLLM or llama.cpp serves it, both of which enforce JSON schemas on any model;
    that is the only thing assumed about a name nobody knows. Wrong for your server? Give a profile file.
    """
    low = name.lower()
    if _SMOLLM2.search(low):
        return ModelProfile(name=name, json_schema=openai_server, context_tokens=4096)
    if not _FAMILIES.search(low):
        return ModelProfile(name=name, json_schema=openai_server)
    size = _BILLIONS.search(low)
    weak = size is not None and float(size[1]) < _WEAK_BELOW_BILLIONS
    return ModelProfile(
        name=name,
        tools=not weak,
        json_schema=openai_server,
        vision=_VISION.search(low) is not None,
        reasoning=_REASONING.search(low) is not None and _NOT_REASONING.search(low) is None,
        context_tokens=8192 if weak else 32768,
        strength="weak" if weak else "strong",
    )


def profile_from_file(path: Path, default: ModelProfile) -> ModelProfile:
    """`default` with the fields that the JSON object in `path` names replaced.

    Raises `UserError` where the file cannot be read or names a field or value that does not exist.
    """
    try:
        return ModelProfile.model_validate(
            default.model_dump() | ModelProfilePatch.model_validate_json(path.read_bytes()).set_fields()
        )
    except OSError as error:
        raise UserError(
            f"profile file `{path}` cannot be read ({error.strerror}): correct WARDROUND_PROFILE"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        fields = ", ".join(f"`{field}`" for field in ModelProfile.model_fields)
        raise UserError(
            f"profile file `{path}`: {where}: {first['msg']}; it is one JSON object with any of {fields}"
        ) from error


class ModelProfilePatch(BaseModel):
    """A profile file: any of the fields of `ModelProfile`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = None
    tools: bool | None = None
    json_schema: bool | None = None
    vision: bool | None = None
    reasoning: bool | None = None
    context_tokens: int | None = Field(default=None, gt=0)
    strength: Literal["weak", "strong"] | None = None
    adapters: dict[str, str] | None = None

    def set_fields(self) -> dict[str, Any]:
        """The fields that the file names."""
        return self.model_dump(exclude_none=True)


def profile_of(model: object) -> ModelProfile:
    """The profile of any LangChain chat model, also one with tools or options bound to it.

    Ours carry theirs in `declared`. For a foreign one: the profile langchain-core has for it (its `profile`
    mapping) where there is one, else what its name stands for, else no abilities at all, 4096 tokens, weak.
    `json_schema` is believed only of classes that speak the OpenAI protocol, since the others take other
    request fields.
    """
    while (bound := getattr(model, "bound", None)) is not None:
        model = bound
    declared = getattr(model, "declared", None)
    if isinstance(declared, ModelProfile):
        return declared
    name = str(getattr(model, "model_name", None) or getattr(model, "model", None) or type(model).__name__)
    openai_protocol = any(base.__name__ == "BaseChatOpenAI" for base in type(model).__mro__)
    by_name = declared_profile(name, openai_server=openai_protocol)
    core = getattr(model, "profile", None)
    if not isinstance(core, dict) or not core:
        return by_name
    known = cast("dict[str, Any]", core)
    return by_name.model_copy(
        update={
            "tools": bool(known.get("tool_calling", by_name.tools)),
            "json_schema": openai_protocol and bool(known.get("structured_output", by_name.json_schema)),
            "vision": bool(known.get("image_inputs", by_name.vision)),
            "reasoning": bool(known.get("reasoning_output", by_name.reasoning)),
            "context_tokens": int(known.get("max_input_tokens") or by_name.context_tokens),
        }
    )
