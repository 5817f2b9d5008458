"""What a diagnostician looks up before it reads the case: a few rounds of tool calls, and a person asked before some.

Two nodes. One asks the model which tools it wants; the other runs them, and stops for a person where a tool is named in
`ask_before`. They are apart so that what was asked of the model is not asked again when the person has answered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool

from ..errors import UserError
from ..models import profile_of
from .asking_people import Action, Decision, decisions
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

    About those named in `ask_before` a person decides first, in the form of `agents/asking_people.py`.
    """
    known = {tool.name: tool for tool in tools}

    async def run(state: LookUpInput, config: RunnableConfig) -> LookUpOutput:
        last = state["lookups"][-1]
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        actions = [_action(call) for call in calls]
        # Asked before any tool runs: what comes before an interrupt runs again when it is answered.
        doubtful = [action for action in actions if action.name in ask_before]
        decided = iter(decisions(doubtful) if doubtful else ())
        results: list[AnyMessage] = []
        for call, action in zip(calls, actions, strict=True):
            decision = next(decided) if action.name in ask_before else Decision(type="approve")
            if action.name not in known:
                text = f"There is no tool `{action.name}`."
            elif decision.type == "reject":
                text = f"Not allowed by the clinician: {decision.message or 'no reason given'}."
            else:
                text = await _run(known[action.name], decision.args_of(action), config)
            results.append(ToolMessage(text[:_LONGEST], tool_call_id=call["id"] or "", name=action.name))
        return {"lookups": results}

    return node(run, "use_tools")


def _action(call: ToolCall) -> Action:
    return Action(name=call["name"], args=call["args"], description=f"Look something up with `{call['name']}`.")


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
