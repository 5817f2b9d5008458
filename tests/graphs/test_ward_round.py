"""The graph `ward_round`: who answers, what the other one knows, what is nobody's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import CASE, named
from cohort_store import ids_of, kept
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from wardround.agents.router import Specialist, route_by_rule
from wardround.corpora import Corpus
from wardround.errors import AccessDenied
from wardround.graphs import diagnosis, ward_round
from wardround.graphs.checkpoints import serializer

Scripted = Callable[..., Any]
DOSE = {"role": "reader", "reply": {"content": "Take it with food [1]."}}
SEARCH = {
    "role": "distiller",
    "reply": {
        "tool_calls": [
            {"name": "search_medicine", "args": {"medicine": "ibuprofen", "attribute": "dosage", "keywords": "food"}}
        ]
    },
}
GCA = {"role": "diagnostician", "reply": {"json": named("Giant cell arteritis")}}


def to(specialist: str, when: str) -> dict[str, Any]:
    return {
        "role": "router",
        "when": f"{when}[^\\n]*\\n\\nAnswered before",
        "reply": {"json": {"specialist": specialist}},
    }


def ask(graph: Any, text: str, config: Any = None) -> dict[str, Any]:
    return graph.invoke({"messages": [HumanMessage(text)]}, config)


@pytest.mark.parametrize(
    ("said", "before", "specialist"),
    [
        ("Can I take ibuprofen with food?", None, "consultation"),
        ("What are the side effects of it?", None, "consultation"),
        (CASE, None, "diagnosis"),
        (f"{CASE} What is your differential?", None, "diagnosis"),
        ("What could the patient have?", None, "diagnosis"),
        ("Thank you!", "consultation", "none"),
        ("Who won the match?", None, "none"),
        ("And why not the other one?", "diagnosis", "diagnosis"),
        ("请问布洛芬的不良反应有哪些？", None, "consultation"),
        ("What changed in the left lower lung between these two films?", None, "progression"),
        ("Is the effusion larger than on the previous chest x-ray?", None, "progression"),
        ("这两张胸片有什么变化？", None, "progression"),
        ("Should I stop warfarin before an x-ray?", None, "consultation"),
    ],
)
def test_the_rule(essential: Corpus, said: str, before: str | None, specialist: str) -> None:
    known = Specialist(before) if before else None
    assert route_by_rule([HumanMessage(said)], essential, before=known) is Specialist(specialist)


def test_each_question_goes_to_its_specialist_and_the_conversation_is_one(
    scripted: Scripted, essential: Corpus
) -> None:
    model = scripted(to("consultation", "ibuprofen"), to("diagnosis", "mm/h, CRP 84 mg/l."), SEARCH, DOSE, GCA)
    graph = ward_round.build(model=model, medicines=essential, checkpointer=InMemorySaver(serde=serializer()))
    config = {"configurable": {"thread_id": "t"}}
    first = ask(graph, "Can I take ibuprofen with food?", config)
    assert first["specialist"] is Specialist.CONSULTATION
    assert first["answer"] is not None
    assert first["evidence"]
    second = ask(graph, CASE, config)
    assert second["specialist"] is Specialist.DIAGNOSIS
    assert [d.diagnosis for d in second["differential"].diagnoses] == ["Giant cell arteritis"]
    assert (second["answer"], second["evidence"]) == (None, [])
    names = [m.name for m in second["messages"] if isinstance(m, AIMessage)]
    assert names == ["consultation", "diagnosis"]


def test_what_is_nobodys_is_said_to_be(scripted: Scripted, essential: Corpus) -> None:
    graph = ward_round.build(model=scripted(to("none", "match")), medicines=essential)
    result = ask(graph, "Who won the match?")
    assert result["specialist"] is Specialist.NONE
    assert "belongs to none of us" in result["messages"][-1].text


def test_a_choice_that_is_none_leaves_it_to_the_rule(scripted: Scripted, essential: Corpus) -> None:
    babble = {"role": "router", "reply": {"json": {"specialist": "surgeon"}}}
    graph = ward_round.build(model=scripted(babble, SEARCH, DOSE), medicines=essential)
    result = ask(graph, "Can I take ibuprofen with food?")
    assert result["specialist"] is Specialist.CONSULTATION
    assert "`surgeon` is no specialist" in result["flags"][0].text


def test_the_hand_over_is_shown(scripted: Scripted, essential: Corpus) -> None:
    graph = ward_round.build(model=scripted(to("diagnosis", "CRP 84 mg/l."), GCA), medicines=essential)
    sent = list(graph.stream({"messages": [HumanMessage(CASE)]}, stream_mode="custom"))
    assert {"type": "hand_over", "to": "diagnosis", "before": None} in sent


def test_a_review_inside_of_it_makes_the_round_wait(scripted: Scripted, essential: Corpus) -> None:
    model = scripted(to("diagnosis", "CRP 84 mg/l."), GCA)
    graph = ward_round.build(
        model=model,
        medicines=essential,
        diagnostician=diagnosis.build(model=model, review=True),
        checkpointer=InMemorySaver(serde=serializer()),
    )
    config: Any = {"configurable": {"thread_id": "t"}}
    waiting = ask(graph, CASE, config)
    assert waiting["__interrupt__"][0].value["action_requests"][0]["name"] == "answer"
    result = graph.invoke(Command(resume={"decisions": [{"type": "reject", "message": "too early"}]}), config)
    assert "withheld it: too early" in result["messages"][-1].text


def test_a_long_conversation_still_knows_the_allergy(scripted: Scripted, essential: Corpus) -> None:
    earlier: list[AnyMessage] = [HumanMessage("I am allergic to penicillin. The weather is fine.")]
    for n in range(60):
        earlier += [AIMessage(f"Answer {n}. " + "word " * 60), HumanMessage(f"Chatter number {n}. " + "talk " * 60)]
    knows = {
        "role": "diagnostician",
        "when": r"Said earlier[\s\S]*allergic to penicillin",
        "reply": {"json": named("Gout")},
    }
    graph = ward_round.build(model=scripted(to("diagnosis", "CRP 84 mg/l."), knows), medicines=essential)
    result = graph.invoke({"messages": [*earlier, HumanMessage(CASE)]})
    assert [d.diagnosis for d in result["differential"].diagnoses] == ["Gout"]


FILMS = "What changed in the left lung between the two films?"


def test_films_without_a_patient_are_not_answered_about(scripted: Scripted, essential: Corpus) -> None:
    graph = ward_round.build(model=scripted(to("progression", "films")), medicines=essential)
    result = ask(graph, FILMS)
    assert result["specialist"] is Specialist.PROGRESSION
    assert "names no patient" in result["messages"][-1].text
    assert result["reading"] is None


def test_films_of_the_patient_of_the_run_are(scripted: Scripted, essential: Corpus, tmp_path: Path) -> None:
    held = kept(tmp_path, patients=5)
    question = held.questions[0]
    historian = {"role": "historian", "reply": {"content": "It was there before [1]."}}
    asks_dose = to("consultation", "ibuprofen")
    model = scripted(to("progression", "film"), asks_dose, historian, SEARCH, DOSE)
    saver = InMemorySaver(serde=serializer())
    graph = ward_round.build(model=model, medicines=essential, patients=held.store, checkpointer=saver)
    config: Any = {"configurable": {"thread_id": "t"}}
    said: Any = {"messages": [HumanMessage(f"{question.question} (films)")]}
    result = graph.invoke(said, config, context=held.context(question))
    assert result["messages"][-1].name == "progression"
    assert result["reading"].citations[0].record_id == result["records"][0].record.id

    def dose() -> Any:
        return {"messages": [HumanMessage("Can I take ibuprofen with food?")]}

    result = graph.invoke(dose(), config, context=held.context(question))
    assert (result["reading"], result["records"], result["answer"] is None) == (None, [], False)
    with pytest.raises(AccessDenied, match="belongs to a patient"):
        graph.invoke(dose(), config)
    other = next(q for q in held.questions if ids_of(q)[0] != ids_of(question)[0])
    with pytest.raises(AccessDenied, match="belongs to another patient"):
        graph.invoke(dose(), config, context=held.context(other))
    held.store.close()


def test_a_client_cannot_bring_its_own_patient(scripted: Scripted, essential: Corpus) -> None:
    graph: Any = ward_round.build(model=scripted(to("progression", "films")), medicines=essential)
    with pytest.raises(AccessDenied):
        graph.invoke({"messages": [HumanMessage(FILMS)]}, context={"grant": {"patient": "99000001"}})
