from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chat_server import ChatServer, say
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from wardround.agents.distiller import distiller
from wardround.agents.weak_distilling import search_form
from wardround.corpora import Corpus
from wardround.corpora.medicines import Attribute

Scripted = Callable[..., Any]


def form(medicine: Any, attribute: Any, **rule: Any) -> dict[str, Any]:
    return {"role": "distiller", "reply": {"json": {"medicine": medicine, "attribute": attribute}}, **rule}


def distilled(model: Any, medicines: Corpus, *turns: str) -> Any:
    messages: list[AnyMessage] = [
        HumanMessage(text) if place % 2 == 0 else AIMessage(text) for place, text in enumerate(turns)
    ]
    return distiller(model, medicines).invoke({"messages": messages})


def weak(scripted: Scripted, *rules: dict[str, Any]) -> Any:
    return scripted(*rules, strength="weak", tools=False)


def test_a_choice_that_fits_is_the_models(scripted: Scripted, essential: Corpus) -> None:
    found = distilled(weak(scripted, form("ibuprofen", "dosage")), essential, "How many ibuprofen a day?")
    call = found["calls"][0]
    assert (call.medicine, call.attribute, call.distilled_by.value) == ("ibuprofen", Attribute.DOSAGE, "model")


def test_the_form_offers_the_medicines_of_the_last_turn_only(
    chat_server: ChatServer, served: Callable[..., Any], essential: Corpus
) -> None:
    chat_server.always(say('{"medicine": "advil", "attribute": "interactions"}'))
    distilled(
        served(strength="weak", tools=False), essential, "I take warfarin.", "Noted.", "Can I have advil or tylenol?"
    )
    schema = chat_server.requests[0].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["medicine"]["enum"] == ["advil", "tylenol"]
    assert "other" not in schema["properties"]["attribute"]["enum"]


def test_without_a_name_in_the_last_turn_earlier_ones_are_offered(
    chat_server: ChatServer, served: Callable[..., Any], essential: Corpus
) -> None:
    chat_server.always(say('{"medicine": "warfarin", "attribute": "dosage"}'))
    distilled(served(strength="weak", tools=False), essential, "I take warfarin.", "Noted.", "How often a day?")
    schema = chat_server.requests[0].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["medicine"]["enum"] == ["warfarin"]


def test_an_attribute_that_the_words_contradict_is_asked_for_again(scripted: Scripted, essential: Corpus) -> None:
    question = "Is ibuprofen safe with a kidney problem?"  # cue words for two attributes: there is a choice left
    model = weak(scripted, form("ibuprofen", "storage", times=1), form("ibuprofen", "precautions"))
    call = distilled(model, essential, question)["calls"][0]
    assert (call.attribute, call.distilled_by.value) == (Attribute.PRECAUTIONS, "repair")
    assert "storage" in call.reason


def test_the_second_form_is_narrowed_to_what_the_words_allow(
    chat_server: ChatServer, served: Callable[..., Any], essential: Corpus
) -> None:
    chat_server.always(say('{"medicine": "ibuprofen", "attribute": "storage"}'))
    distilled(served(strength="weak", tools=False), essential, "Is ibuprofen safe with a kidney problem?")
    first, second = (
        r.body["response_format"]["json_schema"]["schema"]["properties"]["attribute"]["enum"]
        for r in chat_server.requests
    )
    assert len(first) > 10
    assert set(second) == {"contraindications", "precautions"}


def test_where_the_words_leave_one_attribute_the_rules_take_over(scripted: Scripted, essential: Corpus) -> None:
    model = weak(scripted, form("ibuprofen", "storage", times=1))
    found = distilled(model, essential, "What is the dose of ibuprofen?")
    assert (found["calls"][0].attribute, found["calls"][0].distilled_by.value) == (Attribute.DOSAGE, "fallback")
    assert [flag.kind for flag in found["flags"]] == ["fallback"]


@pytest.mark.parametrize(
    "bad",
    [
        {"reply": {"content": "I would take two."}},
        {"reply": {"content": ""}},
        form("aspirin", "dosage"),
        form("ibuprofen", "taste"),
        form(None, None),
        form(["ibuprofen"], {"a": 1}),
    ],
)
def test_what_is_no_choice_falls_back(scripted: Scripted, essential: Corpus, bad: dict[str, Any]) -> None:
    found = distilled(weak(scripted, {**bad, "times": 2}), essential, "Tell me about ibuprofen please.")
    assert {c.distilled_by.value for c in found["calls"]} == {"fallback"}
    assert [flag.kind for flag in found["flags"]] == ["fallback"]


def test_a_second_medicine_is_added_by_rule_and_says_so(scripted: Scripted, essential: Corpus) -> None:
    model = weak(scripted, form("ibuprofen", "interactions"))
    calls = distilled(model, essential, "Can I take ibuprofen together with warfarin?")["calls"]
    assert [(c.medicine, c.distilled_by.value) for c in calls] == [("ibuprofen", "model"), ("warfarin", "rule")]
    assert "warfarin" in calls[0].other_names and "ibuprofen" in calls[1].other_names


def test_without_a_known_name_no_model_is_asked(scripted: Scripted, essential: Corpus) -> None:
    calls = distilled(weak(scripted, {"error": "unavailable"}), essential, "What helps against hay fever?")["calls"]
    assert [(c.medicine, c.attribute, c.distilled_by.value) for c in calls] == [(None, Attribute.INDICATIONS, "rule")]


def test_a_strong_model_without_tools_fills_in_the_form(scripted: Scripted, essential: Corpus) -> None:
    model = scripted(form("ibuprofen", "dosage"), tools=False)
    assert distilled(model, essential, "How many ibuprofen a day?")["calls"][0].distilled_by.value == "model"


def test_the_form_is_a_strict_schema() -> None:
    schema = search_form(["a"], [Attribute.DOSAGE])
    assert (schema["additionalProperties"], schema["required"]) == (False, ["medicine", "attribute"])
