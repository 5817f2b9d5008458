"""What is served: each graph under its name, and whether it reads images, asks people and sends our events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from ..agents.turn import MedicineSearch
from ..corpora.patients import PatientStore
from ..errors import UserError
from ..graphs import diagnosis, progression, ward_round
from ..graphs.catalogue import GRAPHS
from ..graphs.catalogue import build as build_known
from ..graphs.events import answering_nodes
from ..models import profile_of
from .state_types import state_types

Compiled = CompiledStateGraph[Any, Any, Any, Any]

UTILITY: Final = "utility"
"""The plain model for what frontends ask on the side: titles, tags, follow-up questions."""
_READ_IMAGES: Final = frozenset({"diagnosis", "progression", "ward_round"})
_WITH_PATIENTS: Final = frozenset({"progression", "ward_round"})


@dataclass(frozen=True)
class Agent:
    """One model of the list."""

    name: str
    title: str
    graph: Compiled
    images: bool = False
    """Whether it is shown the images of a conversation."""
    tokens: frozenset[str] | None = None
    """For graphs that send no events of ours: the nodes whose models write the answer."""
    whole: bool = False
    """Whether it is given the conversation as it came, with what the frontend says to the system."""
    asks: bool = False
    """Whether it may stop and wait for a person."""
    context_tokens: int | None = None
    context: bool = False
    """Whether it takes a run context of ours."""
    types: tuple[type, ...] = ()
    """What its state holds beyond our own records, where it may wait."""


def known_agents(
    names: Sequence[str],
    *,
    model: BaseChatModel,
    medicines: MedicineSearch,
    patients: PatientStore | None = None,
    review: bool = False,
) -> list[Agent]:
    """The graphs of the catalogue by these names.

    `patients` are the records that `progression` and `ward_round` read, under the grant of each run. With `review`,
    `diagnosis` waits for a clinician before its answer goes out, in the ward round too.

    Raises:
        UserError: there is no graph of that name.
    """
    profile = profile_of(model)
    agents: list[Agent] = []
    for name in names:
        reviewed = review and name in ("diagnosis", "ward_round")
        graph: Compiled
        if name == "diagnosis":
            graph = diagnosis.build(model=model, review=review)
        elif name == "progression":
            graph = progression.build(model=model, store=patients)
        elif name == "ward_round":
            diagnostician = diagnosis.build(model=model, review=review)
            graph = ward_round.build(model=model, medicines=medicines, patients=patients, diagnostician=diagnostician)
        else:
            graph = build_known(name, model=model, medicines=medicines)
        agents.append(
            Agent(
                name=name,
                title=GRAPHS[name].title + (", diagnoses read by a clinician first" if reviewed else ""),
                graph=graph,
                images=profile.vision and name in _READ_IMAGES,
                asks=reviewed,
                context_tokens=profile.context_tokens,
                context=name in _WITH_PATIENTS,
            )
        )
    return agents


def own_agent(name: str, graph: Compiled) -> Agent:
    """An agent over a graph of the user's own, which takes `{"messages": [...]}` and ends with the answer as the last.

    Raises:
        UserError: it does not.
    """
    if not hasattr(graph, "builder") or "messages" not in get_type_hints(graph.builder.input_schema):
        raise UserError(f"the graph `{name}` takes no `messages`: serve one whose input is `{{'messages': [...]}}`")
    return Agent(
        name=name,
        title=f"a graph of your own, `{graph.name}`",
        graph=graph,
        images=True,
        tokens=answering_nodes(graph),
        whole=True,
        asks=True,
        types=state_types(graph),
    )


def utility_agent(model: BaseChatModel) -> Agent:
    """The plain model, without any graph of ours."""
    from langgraph.graph import END, START, MessagesState, StateGraph

    async def answer(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"], config)]}

    builder = StateGraph(MessagesState).add_node("answer", answer)
    graph = builder.add_edge(START, "answer").add_edge("answer", END).compile(name=UTILITY)
    profile = profile_of(model)
    return Agent(
        name=UTILITY,
        title="the plain model, for titles and tags",
        graph=graph,
        images=profile.vision,
        tokens=frozenset({"answer"}),
        whole=True,
        context_tokens=profile.context_tokens,
    )


def by_name(agents: Sequence[Agent]) -> Mapping[str, Agent]:
    """The agents by their names.

    Raises:
        UserError: two have the same.
    """
    found: dict[str, Agent] = {}
    for agent in agents:
        if agent.name in found:
            raise UserError(f"two models would be called `{agent.name}`: give the graph another name")
        found[agent.name] = agent
    return found
