"""Stopping until a person has decided: approve, edit, or reject with a reason.

Every interrupt of the graphs here has the form that LangChain's human-in-the-loop middleware uses and that chat
frontends draw as an approval card: `{"action_requests": [{"name", "args", "description"}], "review_configs": [...]}`,
answered with `Command(resume={"decisions": [...]})`, one for each request in order: `{"type": "approve"}`,
`{"type": "edit", "edited_action": {"name", "args"}}`, or `{"type": "reject", "message": "why"}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, cast

from langgraph.types import interrupt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UserError

_ALLOWED: Final = ["approve", "edit", "reject"]


class Action(BaseModel):
    """What a person is asked about."""

    model_config = ConfigDict(frozen=True)
    name: str
    args: dict[str, Any]
    description: str = ""


class EditedAction(BaseModel):
    """What shall be done instead."""

    model_config = ConfigDict(frozen=True)
    name: str = ""
    args: dict[str, Any]


class Decision(BaseModel):
    """What the person decided about one action."""

    model_config = ConfigDict(frozen=True)
    type: Literal["approve", "edit", "reject"]
    edited_action: EditedAction | None = None
    message: str = ""

    def args_of(self, action: Action) -> dict[str, Any]:
        """The arguments to go on with."""
        return self.edited_action.args if self.type == "edit" and self.edited_action else action.args


class _Answer(BaseModel):
    decisions: list[Decision] = Field(min_length=1)


def decisions(actions: Sequence[Action]) -> list[Decision]:
    """Stop the graph until a person has decided about each of the actions; call it before anything that has an effect.

    Raises:
        UserError: the answer is no decision on each. The run still waits then.
    """
    request = {
        "action_requests": [action.model_dump() for action in actions],
        "review_configs": [
            {"action_name": name, "allowed_decisions": _ALLOWED} for name in dict.fromkeys(a.name for a in actions)
        ],
    }
    answer: Any = interrupt(request)
    if isinstance(answer, list):
        answer = {"decisions": cast("list[Any]", answer)}
    try:
        given = _Answer.model_validate(answer).decisions
    except ValidationError:
        given = []
    edits = all(one.edited_action is not None for one in given if one.type == "edit")
    if len(given) != len(actions) or not edits:
        raise UserError(
            f"`{str(answer)[:80]}` does not decide about {len(actions)} actions: give `decisions`, for each a `type`, "
            "which is approve, edit with an `edited_action`, or reject with a `message`"
        )
    return given
