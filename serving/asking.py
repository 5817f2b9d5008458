"""A run that waits for a person, over a chat: the question as text or as Open WebUI's `ask_user`, and its answer.

The question carries the id of the run, and whoever answers sends it back with the conversation; so nothing has to be
remembered between the two, and a restart in between does no harm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from .chat_request import ChatRequest, text_of

ASK_USER: Final = "ask_user"
_CALL: Final = "ask_"
_MARK: Final = re.compile(r"\(It waits as `(run-[0-9a-f]{32})`\.\)")
_MOST: Final = 3
"""Questions that Open WebUI takes at once."""
_FORMS: Final = "Answer `approve`, `reject: why`, or `edit: what shall stand instead`"


@dataclass(frozen=True)
class Answered:
    """What came back."""

    run: str
    said: str
    """In the person's words; empty where the question was closed without an answer."""


def question_text(run: str, asked: Sequence[Mapping[str, Any]]) -> str:
    """What waits, in words. `asked` are the events' data: `id` and `value`."""
    parts: list[str] = []
    forms = False
    for one in asked:
        requests = _requests(one["value"])
        forms = forms or bool(requests)
        if not requests:
            parts.append(_plain(one["value"]))
        for request in requests:
            parts.append(f"**Waits for a decision: {request['name']}**\n\n{request.get('description') or ''}".strip())
            parts.append(_plain(_shown_args(request)))
    if forms:
        several = sum(len(_requests(one["value"])) for one in asked) > 1
        parts.append(f"{_FORMS}{'; one line for each, in order' if several else ''}.")
    return "\n\n".join([*(part for part in parts if part), f"(It waits as `{run}`.)"])


def question_call(run: str, asked: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The same as a call of `ask_user`; None where its form has no room for it."""
    questions: list[dict[str, Any]] = []
    for one in asked:
        for request in _requests(one["value"]):
            number = len(questions) + 1
            questions.append(
                {
                    "id": f"q{number}",
                    "header": str(request["name"])[:80],
                    "question": (f"{request.get('description') or ''}\n{_plain(_shown_args(request))}").strip()[:500],
                    "options": [
                        {"label": "Approve", "description": "It goes out as it is."},
                        {"label": "Reject", "description": "It is withheld."},
                    ],
                }
            )
    if not 1 <= len(questions) <= _MOST:
        return None
    function = {"name": ASK_USER, "arguments": json.dumps({"questions": questions}, ensure_ascii=False)}
    return {"index": 0, "id": f"{_CALL}{run}", "type": "function", "function": function}


def answer_in(request: ChatRequest) -> Answered | None:
    """The answer that ends a conversation, if what came before it was a question of ours."""
    last = request.messages[-1]
    if last.role == "tool" and (last.tool_call_id or "").startswith(f"{_CALL}run-"):
        return Answered((last.tool_call_id or "").removeprefix(_CALL), _of_tool(text_of(last)))
    if last.role != "user" or len(request.messages) < 2 or request.messages[-2].role != "assistant":
        return None
    marks = _MARK.findall(text_of(request.messages[-2]))
    return Answered(marks[-1], text_of(last)) if marks else None


def decision_of(said: str, asked: Sequence[Mapping[str, Any]]) -> Any:
    """What the graph is given; None where the words decide nothing.

    `approve` and `reject` stand for all that was asked; otherwise there is a line for each.
    """
    wanted = [_requests(one["value"]) for one in asked]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    number = sum(len(requests) for requests in wanted)
    if number == 0:
        return (said if len(asked) == 1 else {one["id"]: said for one in asked}) if said.strip() else None
    if number == 1:
        lines = [said.strip()]
    elif len(lines) == 1 and not lines[0].lower().startswith("edit"):
        lines = lines * number
    if len(lines) != number:
        return None
    given = iter(lines)
    answers: dict[str, Any] = {}
    for one, requests in zip(asked, wanted, strict=True):
        decisions = [_decision(next(given), request) for request in requests]
        if any(decision is None for decision in decisions):
            return None
        answers[str(one["id"])] = {"decisions": decisions}
    return answers if len(asked) > 1 else next(iter(answers.values()))


def _decision(said: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    verb, _, rest = said.partition(":")
    verb, rest = verb.strip().strip("`*.!").lower(), rest.strip()
    if verb in ("approve", "approved") and not rest:
        return {"type": "approve"}
    if verb in ("reject", "rejected"):
        return {"type": "reject", "message": rest}
    if verb != "edit" or not rest:
        return None
    args = cast("dict[str, Any]", request.get("args") or {})
    if "text" in args:
        edited: Any = {**args, "text": rest}
    else:
        try:
            edited = json.loads(rest)
        except ValueError:
            return None
    if not isinstance(edited, dict):
        return None
    return {"type": "edit", "edited_action": {"name": request["name"], "args": edited}}


def _requests(value: object) -> list[dict[str, Any]]:
    given: Any = cast("dict[str, Any]", value).get("action_requests") if isinstance(value, dict) else None
    items = cast("list[Any]", given) if isinstance(given, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict) and "name" in item]


def _shown_args(request: Mapping[str, Any]) -> object:
    args: Any = request.get("args") or {}
    return args.get("text", args) if isinstance(args, dict) else args


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str, indent=1)


def _of_tool(content: str) -> str:
    """The answers in Open WebUI's form, a line for each question."""
    try:
        data: Any = json.loads(content)
    except ValueError:
        return content
    if not isinstance(data, dict) or data.get("status") != "answered":
        return ""
    answers: Any = cast("dict[str, Any]", data).get("answers")
    if not isinstance(answers, dict):
        return ""
    ordered = sorted(cast("dict[str, Any]", answers).items())
    return "\n".join(str(value) for _, value in ordered)
