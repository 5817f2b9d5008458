"""What a diagnostician looks up before it reads the case: a few rounds of tool calls, and a person asked before some.

Two nodes. One asks the model which tools it wants; the other runs them, and stops for a person where a tool is named in
`ask_before`. They are apart so that what was asked of the model is not asked again when the person has answered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, TypedDict, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.types import interrupt

from ..errors import UserError
from ..models import profile_of
from .calling import role_config
from .node import Node, node
from .prompting import prompt
from .purse import Limits, OverBudget, Purse
from .streaming import emit

_LONGEST: Final = 4000
"""Characters of a tool's result that are kept."""


class LookUpInput(TypedDict):
    """State the nodes read."""

    messages: Sequence[AnyMessage]
    lookups: Sequence[AnyMessage]
    deadline: float | None


class LookUpOutput(TypedDict):
    """State the nodes write."""

    lookups: list[AnyMessage]


def planner(model: BaseChatModel, tools: Sequence[BaseTool], *, limits: Limits, share: int) -> Node[LookUpInput, Any]:
    """A node that asks the model what to look up next.

    Raises:
        UserError: the model's profile says that it calls no tools.
    """
    profile = profile_of(model)
    if not profile.tools:
        raise UserError(
            f"`{profile.name}` calls no tools: leave out `tools`, or say `tools: true` in WARDROUND_PROFILE"
        )
    task = prompt("diagnose_look_up")
    bound: Any = model.bind_tools(list(tools))

    async def plan(state: LookUpInput, config: RunnableConfig) -> LookUpOutput:
        purse = Purse(model, limits, share=share, deadline=state["deadline"])
        asked: list[BaseMessage] = [SystemMessage(task.text), *state["messages"], *state["lookups"]]
        named = role_config(config, "investigator", task)
        try:
            message = await purse.ask(asked, lambda said, most: bound.ainvoke(list(said), named, max_tokens=most))
        except OverBudget:
            return {"lookups": []}
        return {"lookups": [message] if message.tool_calls else []}

    return node(plan, "plan")


def tool_runner(tools: Sequence[BaseTool], *, ask_before: Collection[str]) -> Node[LookUpInput, LookUpOutput]:
    """A node that runs the calls that were asked for. A tool that fails says so in its result.

    A person may answer the interrupt `{"kind": "tool", "tool", "arguments"}` with `{"decision": "approve"}`, with
    `{"decision": "edit", "arguments": {...}}`, or with `{"decision": "reject", "reason": ...}`.
    """
    known = {tool.name: tool for tool in tools}

    async def run(state: LookUpInput, config: RunnableConfig) -> LookUpOutput:
        last = state["lookups"][-1]
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        # All questions first: what comes before an interrupt runs again when it is answered.
        decided = [_decision(call) if call["name"] in ask_before else {"decision": "approve"} for call in calls]
        results: list[AnyMessage] = []
        for call, decision in zip(calls, decided, strict=True):
            arguments = cast("dict[str, Any]", decision.get("arguments") or call["args"])
            if call["name"] not in known:
                text = f"There is no tool `{call['name']}`."
            elif decision["decision"] == "reject":
                text = f"Not allowed by the clinician: {decision.get('reason') or 'no reason given'}."
            else:
                text = await _run(known[call["name"]], arguments, config)
            results.append(ToolMessage(text[:_LONGEST], tool_call_id=call["id"] or "", name=call["name"]))
        return {"lookups": results}

    return node(run, "use_tools")


def _decision(call: Any) -> dict[str, Any]:
    answer = interrupt({"kind": "tool", "tool": call["name"], "arguments": call["args"]})
    return checked_decision(answer, "arguments")


def checked_decision(answer: Any, editable: str) -> dict[str, Any]:
    """A person's answer to an interrupt.

    Raises:
        UserError: it is none of approve, edit with what is editable, and reject.
    """
    if isinstance(answer, str):
        answer = {"decision": answer}
    if isinstance(answer, dict):
        decision = answer.get("decision")
        if decision in ("approve", "reject") or (decision == "edit" and answer.get(editable)):
            return answer
    raise UserError(
        f"`{str(answer)[:80]}` does not answer: give a `decision`, which is approve, edit with `{editable}`, or reject "
        "with a `reason`"
    )


async def _run(tool: BaseTool, arguments: dict[str, Any], config: RunnableConfig) -> str:
    emit("tool_start", tool=tool.name, arguments=arguments)
    try:
        result = str(await tool.ainvoke(arguments, config))
    except Exception as error:  # noqa: BLE001 - a tool may fail in any way; the model is told, the run goes on
        result = f"The tool failed: {type(error).__name__}: {error}"
    emit("tool_end", tool=tool.name, result=result[:_LONGEST])
    return result


def looked_up(lookups: Sequence[AnyMessage]) -> list[BaseMessage]:
    """What was looked up, as one message for the diagnostician."""
    results = [m for m in lookups if isinstance(m, ToolMessage)]
    if not results:
        return []
    asked = {c["id"]: c["args"] for m in lookups if isinstance(m, AIMessage) for c in m.tool_calls}
    lines = [f"{m.name}({asked.get(m.tool_call_id, {})}): {m.text}" for m in results]
    return [HumanMessage("Looked up:\n" + "\n".join(lines))]
