"""The form of the tuned distiller: what it is asked, what it may answer, and what becomes of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from chat_server import ChatServer
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from wardround.agents.choices import Choice, medicine_choices
from wardround.agents.distiller import distiller
from wardround.agents.tuned_distilling import Form, form_schema, reply, request
from wardround.corpora import Corpus
from wardround.corpora.medicines import Attribute

Scripted = Callable[..., Any]
TUNED = {"strength": "weak", "json_schema": True, "adapters": {"distiller": "distiller-x"}}


def says(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "distiller", "reply": {"content": json.dumps({"calls": calls})}}


def found(model: Any, medicines: Corpus, *turns: str) -> Any:
    messages: list[AnyMessage] = [AIMessage(t) if n % 2 else HumanMessage(t) for n, t in enumerate(turns)]
    return distiller(model, medicines).invoke({"messages": messages})


def test_the_request_has_the_turns_the_question_and_the_names() -> None:
    messages = [HumanMessage("I take WARFARIN."), AIMessage("Yes?"), HumanMessage("Is it\nok?")]
    asked = request(messages, [Choice("warfarin", "warfarin")])
    assert asked[-1].text == "user: i take warfarin.\nassistant: yes?\nquestion: is it ok?\nnames: warfarin"


def test_the_reply_is_what_the_schema_allows() -> None:
    forms = [Form(medicine="warfarin", attribute=Attribute.DOSAGE), Form(keywords="gout")]
    assert json.loads(reply(forms)) == {
        "calls": [{"medicine": "warfarin", "attribute": "dosage"}, {"keywords": "gout"}]
    }
    item = form_schema(["warfarin"])["properties"]["calls"]["items"]
    assert item["anyOf"][0]["properties"]["medicine"]["enum"] == ["warfarin"]
    assert "anyOf" not in form_schema([])["properties"]["calls"]["items"]


def test_what_the_model_chooses_is_believed(scripted: Scripted, essential: Corpus) -> None:
    model = scripted(says({"medicine": "ibuprofen", "attribute": "storage"}), **TUNED)
    calls = found(model, essential, "I have ibuprofen.", "Yes?", "How many a day?")["calls"]
    assert [(c.medicine, c.attribute, c.distilled_by.value) for c in calls] == [
        ("ibuprofen", Attribute.STORAGE, "model")
    ]


def test_two_medicines_are_searched_for_each_other(scripted: Scripted, essential: Corpus) -> None:
    both = [{"medicine": name, "attribute": "interactions"} for name in ("ibuprofen", "warfarin")]
    calls = found(scripted(says(*both), **TUNED), essential, "ibuprofen and warfarin?")["calls"]
    assert [c.medicine for c in calls] == ["ibuprofen", "warfarin"]
    assert "warfarin" in calls[0].other_names
    assert "ibuprofen" in calls[1].other_names


def test_a_complaint_is_searched_for_in_indications(scripted: Scripted, essential: Corpus) -> None:
    calls = found(scripted(says({"keywords": "hay fever"}), **TUNED), essential, "What helps when I sneeze?")["calls"]
    assert [(c.medicine, c.attribute, c.keywords) for c in calls] == [(None, Attribute.INDICATIONS, "hay fever")]


def test_no_calls_mean_no_search(scripted: Scripted, essential: Corpus) -> None:
    assert found(scripted(says(), **TUNED), essential, "Do you know a good plumber?")["calls"] == []


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"content": "Take two."}, "no list of calls"),
        ({"content": '{"calls": [{"medicine": "aspirin", "attribute": "dosage"}]}'}, "names no medicine `aspirin`"),
        ({"content": '{"calls": [{"medicine": "ibuprofen", "attribute": "taste"}]}'}, "not of the form"),
        ({"content": '{"calls": [{}]}'}, "neither a medicine nor keywords"),
    ],
)
def test_what_is_not_of_the_form_is_left_to_the_rules(
    scripted: Scripted, essential: Corpus, told: dict[str, Any], reason: str
) -> None:
    state = found(scripted({"role": "distiller", "reply": told}, **TUNED), essential, "How many ibuprofen a day?")
    assert [(c.medicine, c.distilled_by.value) for c in state["calls"]] == [("ibuprofen", "fallback")]
    assert reason in state["flags"][0].text


def test_the_adapter_is_asked_for_by_name(
    served: Callable[..., Any], chat_server: ChatServer, essential: Corpus
) -> None:
    model = served(adapters={"distiller": "distiller-x"})
    found(model, essential, "How many ibuprofen a day?")
    assert {seen.body["model"] for seen in chat_server.requests} == {"distiller-x"}


def test_a_name_cut_in_two_is_a_choice(essential: Corpus) -> None:
    choices = medicine_choices([HumanMessage("my azi thromicyn is gone")], essential)
    assert Choice("azi thromicyn", "azithromycin") in choices


def test_a_chinese_question_is_distilled_without_the_adapter(scripted: Scripted, essential: Corpus) -> None:
    form = {"role": "distiller", "reply": {"content": '{"medicine": "布洛芬", "attribute": "dosage"}'}}
    calls = found(scripted(form, **TUNED), essential, "布洛芬一天吃几次？")["calls"]
    assert calls[0].medicine == "布洛芬"


def test_the_medicine_named_last_comes_first(scripted: Scripted, essential: Corpus) -> None:
    model = scripted(says({"medicine": "ibuprofen", "attribute": "dosage"}), **TUNED)
    calls = found(model, essential, "I have ibuprofen.", "Yes?", "And metformin.", "Go on.", "How often?")["calls"]
    assert [(c.medicine, c.attribute, c.distilled_by.value) for c in calls] == [
        ("metformin", Attribute.DOSAGE, "rule"),
        ("ibuprofen", Attribute.DOSAGE, "model"),
    ]


def test_of_medicines_in_the_question_the_model_chooses(scripted: Scripted, essential: Corpus) -> None:
    model = scripted(says({"medicine": "ibuprofen", "attribute": "dosage"}), **TUNED)
    calls = found(model, essential, "I have metformin.", "Yes?", "Beside metformin, how often ibuprofen?")["calls"]
    assert [(c.medicine, c.attribute, c.distilled_by.value) for c in calls[:1]] == [
        ("ibuprofen", Attribute.DOSAGE, "model")
    ]
