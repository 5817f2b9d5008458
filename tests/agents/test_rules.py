from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from wardround.agents.rules import (
    MOST_CALLS,
    calls_for_facts,
    calls_for_urgency,
    completed,
    is_small_talk,
    keywords_of,
    named_medicines,
    rule_calls,
)
from wardround.agents.turn import Call, DistilledBy
from wardround.agents.urgency import Urgency, UrgencyKind
from wardround.corpora import Corpus
from wardround.corpora.medicines import Attribute

A = Attribute


def said(*turns: str) -> list[AnyMessage]:
    return [HumanMessage(text) if place % 2 == 0 else AIMessage(text) for place, text in enumerate(turns)]


def calls(medicines: Corpus, *turns: str) -> list[tuple[str | None, Attribute | None]]:
    made = rule_calls(said(*turns), medicines, distilled_by=DistilledBy.RULE)
    assert {c.distilled_by for c in made} <= {DistilledBy.RULE}
    return [(c.medicine, c.attribute) for c in made]


@pytest.mark.parametrize(
    "text", ["Hello", "hi there!", "Thank you so much, doctor.", "Thanks a lot", "ok, bye", "你好", "谢谢医生！", "..."]
)
def test_small_talk(text: str) -> None:
    assert is_small_talk(text)


@pytest.mark.parametrize("text", ["Hello, is ibuprofen safe?", "tahi", "ok what about 2?", "谢谢，布洛芬怎么吃", "no"])
def test_no_small_talk(text: str) -> None:
    assert not is_small_talk(text)


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (("what is the dose of ibuprofen",), [("ibuprofen", A.DOSAGE)]),
        (("布洛芬的用量是多少",), [("布洛芬", A.DOSAGE)]),
        (("I take warfarin.", "Noted.", "Can I drive on it?"), [("warfarin", A.PRECAUTIONS)]),
        (("ibuprofen and warfarin?",), [("ibuprofen", A.INTERACTIONS), ("warfarin", A.INTERACTIONS)]),
        (
            ("I take warfarin.", "Noted.", "Can I combine ibuprofen with it?"),
            [("ibuprofen", A.INTERACTIONS), ("warfarin", A.INTERACTIONS)],
        ),
        (("what helps against hay fever",), [(None, A.INDICATIONS)]),
        (("how should it be stored?",), []),
        (("is zolgensma safe in pregnancy",), [("zolgensma", A.PREGNANCY_LACTATION)]),
        (("hello",), []),
    ],
)
def test_calls_by_rule(
    essential: Corpus, turns: tuple[str, ...], expected: list[tuple[str | None, Attribute | None]]
) -> None:
    assert calls(essential, *turns) == expected


def test_an_unknown_medicine_is_asked_for_and_not_the_one_before(essential: Corpus) -> None:
    assert calls(essential, "I take warfarin.", "Noted.", "Is zolgensma safe?")[0][0] == "zolgensma"


def test_the_last_named_medicine_comes_first_and_each_once(essential: Corpus) -> None:
    named = named_medicines(said("warfarin", "warfarin and tylenol", "ibuprofen? Warfarin?"), essential)
    assert [(m.name, m.turn) for m in named] == [("ibuprofen", 2), ("warfarin", 2), ("tylenol", 1)]


@pytest.mark.parametrize("kind", [UrgencyKind.OVERDOSE, UrgencyKind.POISONING_CHILD])
def test_too_much_taken_is_searched_as_an_overdose(essential: Corpus, kind: UrgencyKind) -> None:
    made = calls_for_urgency(Urgency(kind=kind, quote="x"), said("I took ibuprofen"), essential)
    assert [(c.medicine, c.attribute, c.distilled_by) for c in made] == [("ibuprofen", A.OVERDOSE, DistilledBy.RULE)]


@pytest.mark.parametrize("urgency", [None, Urgency(kind=UrgencyKind.STROKE, quote="x")])
def test_other_emergencies_start_no_search(essential: Corpus, urgency: Urgency | None) -> None:
    assert calls_for_urgency(urgency, said("I took ibuprofen"), essential) == []


def test_the_medicine_asked_about_is_no_other_medicine(essential: Corpus) -> None:
    asked = [Call(medicine="coumadin", attribute=A.DOSAGE, distilled_by=DistilledBy.MODEL)]
    assert calls_for_facts(said("I take warfarin. How much coumadin?"), asked, essential) == []


def test_another_medicine_is_looked_for_by_its_class_too(essential: Corpus) -> None:
    asked = [Call(medicine="ibuprofen", attribute=A.DOSAGE, distilled_by=DistilledBy.MODEL)]
    added = calls_for_facts(said("I take coumadin. How much ibuprofen?"), asked, essential)
    assert [c.attribute for c in added] == [A.INTERACTIONS]
    assert {"coumadin", "warfarin", "vitamin k antagonist"} <= set(added[0].other_names)


def test_completed_keeps_the_order_and_each_search_once(essential: Corpus) -> None:
    one, two = (Call(medicine=m, attribute=A.DOSAGE, distilled_by=DistilledBy.MODEL) for m in ("ibuprofen", "warfarin"))
    made = completed([one, two, one.model_copy(update={"distilled_by": DistilledBy.RULE})], said("x"), None, essential)
    assert made == [one, two]


def test_completed_never_gives_more_than_the_limit(essential: Corpus) -> None:
    many = [Call(medicine=f"m{i}", distilled_by=DistilledBy.MODEL) for i in range(9)]
    urgency = Urgency(kind=UrgencyKind.OVERDOSE, quote="x")
    made = completed(many, said("I am pregnant and took ibuprofen"), urgency, essential)
    assert len(made) == MOST_CALLS
    assert made[0].attribute is A.OVERDOSE


def test_keywords_are_few_and_once() -> None:
    assert keywords_of("Can I take it with milk, milk, or with a glass of juice?").split().count("milk") == 1
    assert len(keywords_of("word " + " ".join(f"x{i}" for i in range(50))).split()) <= 8
