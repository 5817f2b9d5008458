"""The graph `progression`: what changed between two films, answered from images and the patient's earlier records.

MedRecord-Augmented Generation after MMXU (arXiv 2502.11651): find the region that is asked about, fetch what earlier
reports say of it (regional), the whole reports (global), or both, and answer with images and records together. Which
patient's records may be read, and before when, comes from the run context alone; without one there are no records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypedDict, cast
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.runtime import get_runtime
from langgraph.types import Overwrite

from ..agents.asked_films import located, options_in, question_of
from ..agents.dialogue import check_dialogue
from ..agents.historian import read_films
from ..agents.images import image_count, image_warnings
from ..agents.node import Node, node
from ..agents.purse import Limits, Purse
from ..agents.reading_records import NumberedRecord, Reading
from ..agents.streaming import emit
from ..agents.turn import AnsweredBy, Flag, merge_flags
from ..corpora.patients import (
    Bound,
    Comparisons,
    Grant,
    History,
    PatientStore,
    Region,
    RunContext,
    Scope,
    binding,
    granted,
    keep_bound,
)
from ..errors import AccessDenied, UserError
from ..models import profile_of
from ..tools.patient_history import patient_history

Records = Literal["none", "global", "regional", "both"]
Locate = Literal["rules", "model"]
MOST_IMAGES: Final = 8
_NOTHING: Final = (
    "There are neither films nor earlier records to answer from. Give the two films, or ask with the patient's records."
)


class ProgressionInput(TypedDict):
    """What a run starts from."""

    messages: Annotated[list[AnyMessage], add_messages]
    """The conversation; `agents.asked_films.film_message` makes its last message of a question, options and films."""


class ProgressionOutput(TypedDict):
    """What a run ends with. `messages` has the answer appended."""

    messages: Annotated[list[AnyMessage], add_messages]
    reading: Reading
    """The answer; its citations point into `records`."""
    letter: str | None
    """The option chosen, where the question has options."""
    records: list[NumberedRecord]
    """What was fetched."""
    regions: list[Region]
    """What is asked about."""
    flags: Annotated[list[Flag], merge_flags]


class ProgressionState(ProgressionOutput):
    """The whole state. All but `messages` and `bound` belongs to one turn."""

    bound: Annotated[Bound | None, keep_bound]
    """The patient that the conversation belongs to."""
    shown: str
    """The records as the model sees them, or why there are none."""


Compiled = CompiledStateGraph[ProgressionState, RunContext, ProgressionInput, ProgressionOutput]


def build(
    *,
    model: BaseChatModel,
    store: PatientStore | None = None,
    records: Records = "regional",
    comparisons: Comparisons = Comparisons.MARK,
    limit: int = 3,
    tokens: int = 1500,
    locate: Locate = "rules",
    images: bool = True,
    without_vision: Literal["refuse", "records"] = "refuse",
    limits: Limits | None = None,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Compiled:
    """Compile the graph: open, locate the region, fetch records, answer.

    Args:
        model: reads films and records; a weak one only chooses among fixed answers.
        store: the patient records. None: it answers from the films alone.
        records: which of them: `none`, whole reports (`global`), what concerns the region (`regional`), or `both`. A
            regional question whose region can't be found gets whole reports, and a flag says so.
        comparisons: sentences that compare with a still earlier film: marked, plain, or left out.
        limit: earlier studies at most, newest first.
        tokens: of records, roughly.
        locate: `model` asks the model for the region where the rules find none.
        images: False leaves the images out, whatever the message holds.
        without_vision: what to do with images where the model sees none: refuse, or answer by the records.
        limits: of tokens and time.
        checkpointer: any of LangGraph's.

    The result takes `{"messages": [...]}` with `context=RunContext(grant=issue(...))`.
    """
    held = limits or Limits()
    builder = StateGraph(
        ProgressionState,
        context_schema=RunContext,
        input_schema=ProgressionInput,
        output_schema=ProgressionOutput,
    )
    builder.add_node("open", _opener(model, images=images, without_vision=without_vision))
    builder.add_node("locate", _locator(model if locate == "model" else None))
    builder.add_node("fetch", _fetcher(store, records, comparisons, limit, tokens))
    builder.add_node("answer", _answerer(model, held, images=images and profile_of(model).vision))
    builder.add_edge(START, "open")
    builder.add_edge("open", "locate")
    builder.add_edge("locate", "fetch")
    builder.add_edge("fetch", "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=checkpointer, name="progression")


def grant_of_run() -> Grant | None:
    """The grant of the run that is under way; None where it has no patient.

    Raises:
        AccessDenied: the context is not one that our code made.
    """
    context: object = cast("object", get_runtime(RunContext).context)  # None without one, or what a client sent
    if context is None or (type(context) is RunContext and context.grant is None):
        return None
    return granted(context)


def bound_by_run(before: Bound | None) -> dict[str, Bound]:
    """What binds the conversation to the run's patient, for the state; empty without a patient.

    Raises:
        AccessDenied: the conversation belongs to a patient, and the run has none.
    """
    grant = grant_of_run()
    if grant is None:
        if before is not None:
            raise AccessDenied(
                "this conversation belongs to a patient: go on with the same patient, or start a new one"
            )
        return {}
    return {"bound": binding(RunContext(grant))}


def _opener(
    model: BaseChatModel, *, images: bool, without_vision: Literal["refuse", "records"]
) -> Node[ProgressionState, dict[str, Any]]:
    async def open_turn(state: ProgressionState, _config: RunnableConfig) -> dict[str, Any]:
        bound = bound_by_run(state.get("bound"))
        check_dialogue(state["messages"])
        flags = [Flag(kind="burnt_in_text", text=f"{text}.") for text in image_warnings(state["messages"])]
        count, profile = image_count(state["messages"]), profile_of(model)
        if count > MOST_IMAGES:
            raise UserError(f"the question shows {count} images: at most {MOST_IMAGES}")
        if count and not (images and profile.vision):
            if images and without_vision == "refuse":
                raise UserError(
                    f"the question shows {count} images and `{profile.name}` sees none: choose a model with vision, "
                    "say `vision: true` in WARDROUND_PROFILE if it has it, leave the images out, or let it answer by "
                    "the records alone"
                )
            flags.append(Flag(kind="images_not_shown", text=f"{count} images were not shown to the model."))
        return {
            **bound,
            "records": [],
            "regions": [],
            "letter": None,
            "shown": "",
            "flags": Overwrite(flags),
        }

    return node(open_turn, "open")


def _locator(model: BaseChatModel | None) -> Node[ProgressionState, dict[str, Any]]:
    async def locate(state: ProgressionState, config: RunnableConfig) -> dict[str, Any]:
        regions, problem = await located(question_of(state["messages"]), config, model=model)
        emit("status", node="locate", regions=[region.value for region in regions])
        flags = [Flag(kind="fallback", text=f"The region was looked for by rules only: {problem}.")] if problem else []
        return {"regions": list(regions), "flags": flags}

    return node(locate, "locate")


def _fetcher(
    store: PatientStore | None, records: Records, comparisons: Comparisons, limit: int, tokens: int
) -> Node[ProgressionState, dict[str, Any]]:
    tools = None
    if store is not None and records != "none":
        tools = ToolNode([patient_history(store, tokens=tokens, comparisons=comparisons)])

    async def fetch(state: ProgressionState, config: RunnableConfig) -> dict[str, Any]:
        if records == "none":
            return {}
        if tools is None or grant_of_run() is None:
            why = "no patient is named by the run" if tools else "there are no patient records here"
            return {"flags": [Flag(kind="no_records", text=f"Answered without earlier records: {why}.")]}
        scope, flags = Scope(records), list[Flag]()
        if scope is not Scope.GLOBAL and not state["regions"]:
            scope = Scope.GLOBAL
            flags.append(Flag(kind="region_not_found", text="No region was found in the question: whole reports."))
        region = " and ".join(one.value for one in state["regions"]) or None
        arguments = {"region": region, "scope": scope.value, "limit": limit}
        emit("tool_start", tool="patient_history", arguments=arguments)
        call = {"name": "patient_history", "args": arguments, "id": uuid4().hex, "type": "tool_call"}
        asked = AIMessage("", tool_calls=[call])
        reply: Any = await tools.ainvoke({"messages": [asked]}, config)
        message: ToolMessage = reply["messages"][-1]
        found: History = message.artifact
        emit("tool_end", tool="patient_history", hits=len(found.records))
        if found.empty_because:
            flags.append(Flag(kind="nothing_found", text=f"No earlier record: {found.empty_because}."))
        if found.comparing_left_out:
            text = f"{found.comparing_left_out} sentences that compare with still earlier films were left out."
            flags.append(Flag(kind="comparing_left_out", text=text))
        numbered = [NumberedRecord(n=n, record=record) for n, record in enumerate(found.records, start=1)]
        for n, record in enumerate(found.records, start=1):
            about = {"title": f"Study {record.study_id}", "source": "patient record", "date": record.date, "url": None}
            emit("source", n=n, id=record.id, text=record.text, **about)
        return {"records": numbered, "shown": str(message.text), "flags": flags}

    return node(fetch, "fetch")


def _answerer(model: BaseChatModel, limits: Limits, *, images: bool) -> Node[ProgressionState, dict[str, Any]]:
    async def answer(state: ProgressionState, config: RunnableConfig) -> dict[str, Any]:
        messages = state["messages"] if images else _without_images(state["messages"])
        if not (image_count(messages) or state["records"] or options_in(question_of(messages))):
            emit("text", text=_NOTHING)
            reading = Reading(text=_NOTHING, answered_by=AnsweredBy.RULE)
            return {"reading": reading, "messages": [AIMessage(_NOTHING)]}
        reading, flags = await read_films(
            Purse(model, limits), messages, config, records=state["records"], shown=state["shown"]
        )
        if not image_count(messages):
            text = "The model was shown no film: it answered by the question and the records alone."
            flags.append(Flag(kind="films_not_seen", text=text))
        if reading.answered_by is not AnsweredBy.QUOTES and any(cited.compares for cited in reading.citations):
            text = "The answer cites a sentence that compares with a still earlier film."
            flags.append(Flag(kind="cites_comparison", text=text))
        emit("text", text=reading.text)
        return {
            "reading": reading,
            "letter": reading.letter,
            "flags": flags,
            "messages": [AIMessage(reading.text)],
        }

    return node(answer, "answer")


def _without_images(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The conversation with the images taken out, and with them the labels that stood before them."""
    return [
        HumanMessage(question_of([message]))
        if isinstance(message, HumanMessage) and image_count([message])
        else message
        for message in messages
    ]
