"""The distiller: turns a conversation into calls of `search_medicine` (the first step of Distill-Retrieve-Read).

After RagPULSE (arXiv 2404.17897): the model reads the whole conversation and asks the database a short keyword query,
instead of the database being searched with the conversation. A strong model calls the tool; a weak one fills in a form
(`weak_distilling.py`). What cannot be used is asked for once more, with the reason, and then replaced by the rules.
Every call says which of these it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NotRequired, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, ConfigDict, ValidationError

from ..corpora.medicines import Attribute, SearchCall
from ..corpora.words import has_chinese
from ..models import profile_of
from .calling import role_config
from .dialogue import check_dialogue, transcript
from .node import Node, node
from .prompting import Prompt, prompt
from .rules import MOST_CALLS, completed, is_small_talk, named_medicines, rule_calls
from .tuned_distilling import tuned_calls
from .turn import Call, DistilledBy, Flag, MedicineSearch
from .urgency import Urgency
from .weak_distilling import NotUsable, fill_in_form

_CHARACTERS_A_TOKEN: Final = 3
"""A low estimate for English and leaflet words; Chinese has fewer, and its conversations are short."""
_NO_SEARCH: Final = "NONE"


class DistillerInput(TypedDict):
    """State the node reads."""

    messages: Sequence[AnyMessage]
    urgency: NotRequired[Urgency | None]


class DistillerOutput(TypedDict):
    """State the node writes."""

    calls: list[Call]
    flags: list[Flag]


class ToolArguments(BaseModel):
    """Arguments of `search_medicine` as a strict tool schema: every key present, nothing else."""

    model_config = ConfigDict(extra="forbid")
    medicine: str | None
    attribute: Attribute | None
    keywords: str


def distiller(model: BaseChatModel, medicines: MedicineSearch) -> Node[DistillerInput, DistillerOutput]:
    """A node that writes the search calls for the last turn.

    Args:
        model: any chat model; its `ModelProfile` decides between tool calls, a constrained form and plain JSON.
        medicines: the index whose names count as known.

    Raises (the node):
        UserError: the conversation has nothing to answer.
        ModelError: the model server does not answer; nothing is made up in its place.
    """
    profile = profile_of(model)
    calls_tools = profile.tools and profile.strength == "strong"
    tuned = "distiller" in profile.adapters

    async def distill(state: DistillerInput, config: RunnableConfig) -> DistillerOutput:
        messages = list(state["messages"])
        check_dialogue(messages)
        if is_small_talk(messages[-1].text):
            return {"calls": [], "flags": []}
        flags: list[Flag] = []
        try:
            if tuned and not has_chinese(
                messages[-1].text
            ):  # adapters learned English only: docs/training-distiller.md
                calls = await tuned_calls(model, messages, medicines, config)
            elif calls_tools:
                calls = await _distilled(model, messages, medicines, config)
            elif named_medicines(messages, medicines):
                calls = [await fill_in_form(model, messages, medicines, config)]
                calls = _with_second_medicine(calls, messages, medicines)
            else:
                calls = rule_calls(
                    messages,
                    medicines,
                    distilled_by=DistilledBy.RULE,
                    reason="the conversation names no known medicine",
                )
        except NotUsable as error:
            calls = rule_calls(messages, medicines, distilled_by=DistilledBy.FALLBACK, reason=str(error))
            flags.append(Flag(kind="fallback", text=f"The search was made by rules, not by the model: {error}."))
        return {"calls": completed(calls, messages, state.get("urgency"), medicines), "flags": flags}

    return node(distill, "distill")


async def _distilled(
    model: BaseChatModel, messages: Sequence[AnyMessage], medicines: MedicineSearch, config: RunnableConfig
) -> list[Call]:
    """A strong model's calls.

    Raises:
        NotUsable: neither its first reply nor the repaired one can be used.
    """
    rejected: _Rejected | None = None
    for origin in (DistilledBy.MODEL, DistilledBy.REPAIR):
        try:
            found = await _ask_with_tools(model, messages, medicines, rejected, config)
        except _Rejected as error:
            rejected = error
            continue
        reason = str(rejected) if rejected else ""
        return [Call(**c.model_dump(), distilled_by=origin, reason=reason) for c in found[:MOST_CALLS]]
    raise NotUsable(str(rejected))


class _Rejected(Exception):
    """A reply that could not be used, with the reason as text."""

    def __init__(self, message: AIMessage, reason: str) -> None:
        super().__init__(reason)
        self.message = message


@lru_cache(maxsize=1)
def _tool() -> dict[str, Any]:
    """The tool as the protocol has it. Made once: pydantic takes a millisecond for the schema."""
    return {
        "type": "function",
        "function": {
            "name": "search_medicine",
            "description": "Search the medicine database.",
            "parameters": ToolArguments.model_json_schema(),
            "strict": True,
        },
    }


async def _ask_with_tools(
    model: BaseChatModel,
    messages: Sequence[AnyMessage],
    medicines: MedicineSearch,
    rejected: _Rejected | None,
    config: RunnableConfig,
) -> list[SearchCall]:
    task = prompt("distill")
    reply = await model.bind_tools([_tool()]).ainvoke(
        _prompted(task, model, messages, rejected), role_config(config, "distiller", task)
    )
    assert isinstance(reply, AIMessage)  # noqa: S101 - chat models answer with nothing else
    if reply.invalid_tool_calls:
        raise _Rejected(reply, f"the arguments are no JSON: {reply.invalid_tool_calls[0].get('error') or 'unreadable'}")
    if not reply.tool_calls:
        question = messages[-1]
        names_one = named_medicines([question], medicines) or medicines.unknown_names(question.text)
        if reply.text.strip().strip(".").upper() == _NO_SEARCH and not names_one:
            return []
        raise _Rejected(reply, "no call of search_medicine was made")
    return [_validated(c["name"], c["args"], reply) for c in reply.tool_calls]


def _validated(name: str, arguments: dict[str, Any], reply: AIMessage) -> SearchCall:
    if name != "search_medicine":
        raise _Rejected(reply, f"there is no tool `{name}`, only search_medicine")
    try:
        call = SearchCall.model_validate({k: v for k, v in arguments.items() if v is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise _Rejected(reply, f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}") from None
    if not call.medicine and not call.keywords.strip():
        raise _Rejected(reply, "a call needs a medicine or keywords")
    return call


def _prompted(
    task: Prompt, model: BaseChatModel, messages: Sequence[AnyMessage], rejected: _Rejected | None
) -> list[BaseMessage]:
    room = (profile_of(model).context_tokens // 2) * _CHARACTERS_A_TOKEN - len(task.text)
    asked = f"Conversation:\n{transcript(messages, most_characters=max(room, 600))}"
    if rejected:
        made = [*rejected.message.tool_calls, *rejected.message.invalid_tool_calls]
        reply = rejected.message.text.strip() or str([(c["name"], c["args"]) for c in made])
        asked += f"\n\nYour reply was: {reply[:300]}\nIt cannot be used: {rejected}. Reply again, correctly."
    return [*task.messages(), HumanMessage(asked)]


def _with_second_medicine(calls: list[Call], messages: Sequence[AnyMessage], medicines: MedicineSearch) -> list[Call]:
    """A weak model fills in one form: where the rules see two medicines in question, the other is searched too."""
    by_rule = rule_calls(messages, medicines, distilled_by=DistilledBy.RULE, reason="second medicine in the question")
    if len(by_rule) < 2 or len(calls) != 1 or calls[0].medicine not in {c.medicine for c in by_rule}:
        return calls
    first, same = calls[0], next(c for c in by_rule if c.medicine == calls[0].medicine)
    if first.attribute is same.attribute:
        first = first.model_copy(update={"other_names": same.other_names})
    return [first, *(c for c in by_rule if c.medicine != first.medicine)]
