"""The script files that `scripted:FILE` answers from.

The file is JSON: one object with `rules`, tried in order; the first that matches and is not used up answers.

    {"profile": {"tools": true},
     "rules": [
       {"role": "distiller", "when": "ibuprofen", "reply": {"json": {"medicine": "ibuprofen"}}},
       {"last": "^hello", "times": 1, "reply": {"content": "Good morning."}},
       {"when": "warfarin", "reply": {"tool_calls": [{"name": "search", "args": {"query": "warfarin"}}]}},
       {"when": "slow", "error": "unavailable", "delay_s": 0.1},
       {"otherwise": {"content": "I do not know."}}]}

What a rule may ask (all that are given must hold): `when`, a regular expression searched in the whole prompt, each
message rendered as `TYPE: TEXT` on a line of its own; `last`, the same in the last message's text alone; `role`, the
`wardround_role` that a node puts into its call's metadata. Matching ignores case. `times` limits how often it answers.

What it does: `reply` with `content` or `json` (an object, written as text), and with it `reasoning` and `tool_calls`;
or `error`: `unavailable` or `reply`, raised as a real server's fault would be; `delay_s` waits first. `otherwise` is
a reply (or `{"error": ...}`) for everything else. `profile` may replace fields of the model's profile.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from .profile import ModelProfilePatch


class ScriptedCall(BaseModel):
    """A tool call in a reply."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    args: dict[str, Any] = Field(default_factory=dict)


class ScriptedReply(BaseModel):
    """What a rule answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str | None = None
    json_: Any = Field(default=None, alias="json")
    reasoning: str = ""
    tool_calls: tuple[ScriptedCall, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if "json_" in self.model_fields_set and self.content is not None:
            raise ValueError("`content` and `json` exclude each other")
        if not self.model_fields_set:
            raise ValueError("a reply needs one of `content`, `json`, `tool_calls`, `reasoning`")
        return self

    def text(self) -> str:
        """The reply's content."""
        if "json_" in self.model_fields_set:
            return json.dumps(self.json_, ensure_ascii=False)
        return self.content or ""


class ScriptedRule(BaseModel):
    """When it answers, and what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: str | None = None
    last: str | None = None
    role: str | None = None
    times: int | None = Field(default=None, ge=1)
    reply: ScriptedReply | None = None
    error: Literal["unavailable", "reply"] | None = None
    delay_s: float = Field(default=0.0, ge=0, le=60)

    @model_validator(mode="before")
    @classmethod
    def _otherwise(cls, rule: Any) -> Any:
        if not isinstance(rule, dict) or "otherwise" not in rule:
            return rule
        if set(rule) != {"otherwise"}:
            raise ValueError("`otherwise` stands alone in its rule")
        answer = rule["otherwise"]
        return answer if isinstance(answer, dict) and "error" in answer else {"reply": answer}

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.reply is None) == (self.error is None):
            raise ValueError("a rule needs either `reply` or `error`")
        return self

    @field_validator("when", "last")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"`{pattern}` is not a regular expression ({error})") from error
        return pattern

    def matches(self, prompt: str, last: str, role: str | None) -> bool:
        """Whether all that the rule asks holds."""
        return (
            (self.role is None or self.role == role)
            and (self.when is None or re.search(self.when, prompt, re.IGNORECASE) is not None)
            and (self.last is None or re.search(self.last, last, re.IGNORECASE) is not None)
        )


class Script(BaseModel):
    """A script file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[ScriptedRule, ...] = Field(min_length=1)
    profile: ModelProfilePatch = ModelProfilePatch()
