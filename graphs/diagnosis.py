"""The graph `diagnosis`: a case in, a ranked differential out; more samples, rounds and checks as options.

After MedE2 (arXiv 2505.23118), whose models reason at length, and DiagnosisArena (arXiv 2505.14107), whose form of
answer it has. Spending more at inference: n samples side by side, merged by meaning and fused, or put in order by a
verifier; rounds of self-criticism; tools; a person asked before the answer goes out.
"""

from __future__ import annotations

import asyncio
import operator
import time
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Final, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Overwrite, Send

from ..agents.asking_people import Action, decisions
from ..agents.case import case_text
from ..agents.diagnostician import Form, one_sample
from ..agents.dialogue import check_dialogue
from ..agents.differential import Differential, Sample, described
from ..agents.fusing import Fuse, candidates, differential, ordered, same_by_model, verified
from ..agents.images import image_warnings
from ..agents.looking_up import looked_up, planner, tool_runner
from ..agents.node import Node, node
from ..agents.purse import Limits, Purse
from ..agents.streaming import emit
from ..agents.turn import Flag, merge_flags
from ..corpora.diseases import icd10cm
from ..errors import UserError
from ..models import profile_of
from ..models.openai_chat import SEED

TEMPERATURE: Final = 0.7
"""Of the samples, where there are several: at 0 they would be alike."""
_DECIDED: Final = {
    "approve": ("approved", "Approved by a clinician."),
    "edit": ("edited", "Edited by a clinician."),
    "reject": ("rejected", "Withheld by a clinician."),
}


class DiagnosisInput(TypedDict):
    """What a run starts from."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The conversation with the case; `agents.case.read_case` makes its message of a file."""


class DiagnosisOutput(TypedDict):
    """What a run ends with. `messages` has the answer appended."""

    messages: Annotated[list[AnyMessage], add_messages]
    differential: Differential
    samples: Annotated[list[Sample], operator.add]
    flags: Annotated[list[Flag], merge_flags]


class DiagnosisState(DiagnosisOutput):
    """The whole state. All but `messages` belongs to one turn."""

    lookups: Annotated[list[AnyMessage], operator.add]
    deadline: float | None
    verdict: dict[str, str]
    """What the person who was asked said."""


class SampleInput(TypedDict):
    """What one sample starts from."""

    messages: Sequence[AnyMessage]
    lookups: Sequence[AnyMessage]
    deadline: float | None
    number: int


Compiled = CompiledStateGraph[DiagnosisState, Any, DiagnosisInput, DiagnosisOutput]


def build(
    *,
    model: BaseChatModel | Sequence[BaseChatModel],
    samples: int = 1,
    fuse: Fuse = "rank",
    verifier: BaseChatModel | None = None,
    merge_by_model: bool = False,
    critiques: int = 0,
    form: Form = "reasoned",
    temperature: float = TEMPERATURE,
    limits: Limits | None = None,
    tools: Sequence[BaseTool] = (),
    tool_rounds: int = 3,
    ask_before: Collection[str] = (),
    review: bool = False,
    codes: bool = False,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Compiled:
    """Compile the graph: open, (look up,) sample side by side, fuse, (be reviewed,) finish.

    Args:
        model: reads the case; of several, each takes its turn among the samples.
        samples: readings of the case, each with a seed of its own.
        fuse: how their ranks become one: `rank` (reciprocal rank fusion) or `majority` of first places.
        verifier: a model that puts the merged diagnoses in order instead.
        merge_by_model: let the model say which of the names that rules tell apart are one disease.
        critiques: rounds in which a sample is criticised and given anew.
        form: `official` asks as DiagnosisArena's script does: five names, no quotations.
        temperature: of the samples, where there are several.
        limits: of tokens and time, over everything.
        tools: what the model may call before it reads the case; it must call tools.
        tool_rounds: how often it may.
        ask_before: names of tools before which a person is asked.
        review: ask a person before the answer goes out; needs a checkpointer.
        codes: look up ICD-10-CM codes; needs the extra `icd`.
        checkpointer: any of LangGraph's.

    The result takes `{"messages": [...]}` and gives `differential`, `samples`, `flags` and the messages.

    Raises:
        UserError: options that don't go together.
    """
    models = list(model) if isinstance(model, Sequence) else [model]
    held = limits or Limits()
    if samples < 1 or critiques < 0 or not models:
        raise UserError(f"`samples` is {samples} and `critiques` {critiques}: ask for at least one sample, and a model")
    if unknown := set(ask_before) - {tool.name for tool in tools}:
        raise UserError(f"`ask_before` names `{sorted(unknown)[0]}`, which is none of the tools")
    share = samples + int(merge_by_model) + int(verifier is not None) + (tool_rounds if tools else 0)
    builder = StateGraph(DiagnosisState, input_schema=DiagnosisInput, output_schema=DiagnosisOutput)
    builder.add_node("open", _opener(held))
    builder.add_node(
        "sample",
        _sampler(models, share, critiques, form, held, temperature if samples > 1 else None),
        input_schema=SampleInput,
    )
    weak = [profile_of(one).name for one in models if profile_of(one).strength == "weak"]
    builder.add_node(
        "fuse", _fuser(models[0] if merge_by_model else None, verifier, fuse, held, share, weak=weak, codes=codes)
    )
    builder.add_node("finish", _finisher())
    builder.add_edge(START, "open")

    def fan_out(state: DiagnosisState) -> list[Send]:
        given = {"messages": state["messages"], "lookups": state["lookups"], "deadline": state["deadline"]}
        return [Send("sample", {**given, "number": number}) for number in range(samples)]

    if tools:
        _add_tools(builder, models[0], tools, tool_rounds, ask_before, held, share, fan_out)
    else:
        builder.add_conditional_edges("open", fan_out, ["sample"])
    builder.add_edge("sample", "fuse")
    if review:
        builder.add_node("review", _reviewer())
        builder.add_edge("fuse", "review")
        builder.add_edge("review", "finish")
    else:
        builder.add_edge("fuse", "finish")
    builder.add_edge("finish", END)
    return builder.compile(checkpointer=checkpointer, name="diagnosis")


def _add_tools(
    builder: StateGraph[Any, Any, Any, Any],
    model: BaseChatModel,
    tools: Sequence[BaseTool],
    rounds: int,
    ask_before: Collection[str],
    limits: Limits,
    share: int,
    fan_out: Any,
) -> None:
    builder.add_node("look_up", planner(model, tools, limits=limits, share=share))
    builder.add_node("use_tools", tool_runner(tools, ask_before=ask_before))

    def after(state: DiagnosisState) -> Any:
        last = state["lookups"][-1] if state["lookups"] else None
        asked = sum(isinstance(m, AIMessage) for m in state["lookups"])
        wants = isinstance(last, AIMessage) and bool(last.tool_calls)
        return "use_tools" if wants and asked <= rounds else fan_out(state)

    builder.add_edge("open", "look_up")
    builder.add_conditional_edges("look_up", after, ["use_tools", "sample"])
    builder.add_edge("use_tools", "look_up")


def _opener(limits: Limits) -> Node[DiagnosisInput, dict[str, Any]]:
    async def open_case(state: DiagnosisInput, _config: RunnableConfig) -> dict[str, Any]:
        check_dialogue(state["messages"])
        warned = [Flag(kind="burnt_in_text", text=f"{text}.") for text in image_warnings(state["messages"])]
        return {
            "samples": Overwrite([]),
            "flags": Overwrite(warned),
            "lookups": Overwrite([]),
            "differential": Differential(),
            "verdict": {},
            "deadline": time.time() + limits.seconds if limits.seconds else None,
        }

    return node(open_case, "open")


def _sampler(
    models: Sequence[BaseChatModel], share: int, critiques: int, form: Form, limits: Limits, temperature: float | None
) -> Node[SampleInput, dict[str, Any]]:
    async def sample(state: SampleInput, config: RunnableConfig) -> dict[str, Any]:
        number = state["number"]
        purse = Purse(models[number % len(models)], limits, share=share, deadline=state["deadline"])
        params: dict[str, Any] = {} if temperature is None else {"seed": SEED + number, "temperature": temperature}
        further: list[BaseMessage] = looked_up(state["lookups"])
        found = await one_sample(
            purse, state["messages"], config, number=number, form=form, further=further, params=params
        )
        for _ in range(critiques if found.diagnoses else 0):
            said = AIMessage(described(_alone(found)))
            again = await one_sample(
                purse, state["messages"], config, number=number, role="critic", further=[*further, said], params=params
            )
            if not again.diagnoses:
                break  # the budget is spent, or the reply is none: what there is stays
            thought = "\n\n".join(filter(None, (found.reasoning, again.reasoning)))
            found = again.model_copy(update={"reasoning": thought})
        emit("status", node="sample", sample=number, diagnoses=[d.diagnosis for d in found.diagnoses])
        return {"samples": [found]}

    return node(sample, "sample")


def _alone(sample: Sample) -> Differential:
    return Differential(diagnoses=sample.diagnoses, next_tests=sample.next_tests, red_flags=sample.red_flags)


def _fuser(
    merger: BaseChatModel | None,
    verifier: BaseChatModel | None,
    fuse: Fuse,
    limits: Limits,
    share: int,
    *,
    weak: Sequence[str],
    codes: bool,
) -> Node[DiagnosisState, dict[str, Any]]:
    async def fuse_samples(state: DiagnosisState, config: RunnableConfig) -> dict[str, Any]:
        samples = sorted(state["samples"], key=lambda s: s.number)
        flags = [*_weak_flags(weak), *_flags(samples)]
        found = ordered(candidates(samples), fuse)
        if merger is not None:
            purse = Purse(merger, limits, share=share, deadline=state["deadline"])
            found, problem = await same_by_model(purse, found, config)
            found = ordered(found, fuse)
            flags += [Flag(kind="not_merged", text=f"Names were merged by rules only: {problem}.")] if problem else []
        if verifier is not None and len(found) > 1:
            purse = Purse(verifier, limits, share=share, deadline=state["deadline"])
            found, problem = await verified(purse, state["messages"], found, config)
            flags += [Flag(kind="not_verified", text=f"The order is by {fuse}: {problem}.")] if problem else []
        result = differential(found, samples)
        if codes:
            result = await asyncio.to_thread(_coded, result)
        invented = sum(not f.in_case for d in result.diagnoses for f in (*d.supporting, *d.opposing))
        if invented:
            text = f"{invented} quotations do not stand in the case; they are marked with (?)."
            flags.append(Flag(kind="quote_not_in_case", text=text))
        return {"differential": result, "flags": flags}

    return node(fuse_samples, "fuse")


def _flags(samples: Sequence[Sample]) -> list[Flag]:
    flags: list[Flag] = []
    for sample in samples:
        which = f"Sample {sample.number + 1}" if len(samples) > 1 else "The reply"
        if not sample.diagnoses:
            flags.append(
                Flag(kind="sample_failed", text=f"{which} names no diagnosis: {sample.problem or 'none read'}.")
            )
        elif sample.problem and sample.read_as != "repair":
            how = f"{which} was not in the form ({sample.problem}); names were read of its text."
            flags.append(Flag(kind="fallback", text=how))
    return flags


def _weak_flags(weak: Sequence[str]) -> list[Flag]:
    text = "`{}` is a weak model: what it names shows that the parts work together, and is no diagnosis."
    return [Flag(kind="weak_model", text=text.format(name)) for name in dict.fromkeys(weak)]


def _coded(found: Differential) -> Differential:
    coded = [one.model_copy(update={"icd10cm": icd10cm(one.diagnosis)}) for one in found.diagnoses]
    return found.model_copy(update={"diagnoses": tuple(coded)})


def _reviewer() -> Node[DiagnosisState, dict[str, Any]]:
    """Stops until a person has decided about the action `answer`, whose `text` is what would go out."""

    async def review(state: DiagnosisState, _config: RunnableConfig) -> dict[str, Any]:
        text = described(state["differential"], flags=[f.text for f in state["flags"]])
        found = state["differential"].model_dump(mode="json", by_alias=True)
        about = f"The differential for this case:\n\n{case_text(state['messages'])[:2000]}"
        action = Action(name="answer", args={"text": text, "differential": found}, description=about)
        decision = decisions([action])[0]
        kind, said = _DECIDED[decision.type]
        instead = str(decision.args_of(action).get("text", ""))
        verdict = {"type": decision.type, "text": instead, "reason": decision.message}
        return {"verdict": verdict, "flags": [Flag(kind=kind, text=said)]}

    return node(review, "review")


def _finisher() -> Node[DiagnosisState, dict[str, Any]]:
    async def finish(state: DiagnosisState, _config: RunnableConfig) -> dict[str, Any]:
        verdict = state["verdict"]
        if verdict.get("type") == "reject":
            reason = verdict.get("reason") or "no reason was given"
            text = f"A clinician read the differential and withheld it: {reason}"
            emit("text", text=text)
            return {"messages": [AIMessage(text)], "differential": Differential()}
        if verdict.get("type") == "edit":
            text = verdict["text"]
        else:
            kinds = (
                "weak_model",
                "burnt_in_text",
                "quote_not_in_case",
                "sample_failed",
                "fallback",
                "not_verified",
                "not_merged",
            )
            text = described(state["differential"], flags=[f.text for f in state["flags"] if f.kind in kinds])
        emit("text", text=text)
        return {"messages": [AIMessage(text)]}

    return node(finish, "finish")
