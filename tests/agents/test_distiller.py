from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from chat_server import MODEL, USAGE, ChatServer, body
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from wardround.agents.distiller import distiller
from wardround.agents.turn import Call
from wardround.agents.urgency import Urgency, UrgencyKind
from wardround.corpora import Corpus
from wardround.corpora.medicines import Attribute
from wardround.errors import ModelUnavailable, UserError

Scripted = Callable[..., Any]


def tool(**args: Any) -> dict[str, Any]:
    return {"name": "search_medicine", "args": args}


def says(*calls: dict[str, Any], text: str = "", times: int | None = None) -> dict[str, Any]:
    reply: dict[str, Any] = {"tool_calls": calls} if calls else {"content": text}
    return {"role": "distiller", "reply": reply} | ({"times": times} if times else {})


def distilled(model: Any, medicines: Corpus, *turns: str, **state: Any) -> Any:
    messages: list[AnyMessage] = [
        HumanMessage(text) if place % 2 == 0 else AIMessage(text) for place, text in enumerate(turns)
    ]
    asked: Any = {"messages": messages, **state}
    return distiller(model, medicines).invoke(asked)


def origins(calls: list[Call]) -> list[str]:
    return [call.distilled_by.value for call in calls]


IBUPROFEN = tool(medicine="ibuprofen", attribute="dosage", keywords="")


def test_one_medicine(scripted: Scripted, essential: Corpus) -> None:
    found = distilled(scripted(says(IBUPROFEN)), essential, "How many ibuprofen a day?")
    assert [(c.medicine, c.attribute, c.distilled_by.value) for c in found["calls"]] == [
        ("ibuprofen", Attribute.DOSAGE, "model")
    ]
    assert found["flags"] == []


def test_two_medicines(scripted: Scripted, essential: Corpus) -> None:
    model = scripted(
        says(
            tool(medicine="ibuprofen", attribute="interactions", keywords="warfarin"),
            tool(medicine="warfarin", attribute="interactions", keywords="ibuprofen"),
        )
    )
    found = distilled(model, essential, "Do ibuprofen and warfarin go together?")
    assert [(c.medicine, c.keywords) for c in found["calls"]] == [("ibuprofen", "warfarin"), ("warfarin", "ibuprofen")]
    assert origins(found["calls"]) == ["model", "model"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (says(tool(medicine="ibuprofen", attribute="taste")), "attribute"),
        (says({"name": "prescribe", "args": {"medicine": "ibuprofen"}}), "prescribe"),
        (says(tool()), "medicine or keywords"),
        (says(tool(medicine="", keywords="  ")), "medicine or keywords"),
        (says(tool(medicine=["ibuprofen"], keywords="x")), "medicine"),
        (says(tool(medicine="ibuprofen", dose="400 mg")), "dose"),
        (says(text="Take two."), "no call"),
        (says(text=""), "no call"),
        (says(text="NONE"), "no call"),
    ],
)
def test_a_bad_reply_is_repaired_once(scripted: Scripted, essential: Corpus, bad: dict[str, Any], reason: str) -> None:
    told = {"role": "distiller", "last": "cannot be used", "reply": {"tool_calls": [IBUPROFEN]}}
    found = distilled(scripted({**bad, "times": 1}, told), essential, "How many ibuprofen a day?")
    assert origins(found["calls"]) == ["repair"]
    assert reason in found["calls"][0].reason
    assert found["flags"] == []


@pytest.mark.parametrize("bad", [says(tool(attribute="taste")), says(text="Take two."), says(tool())])
def test_a_bad_reply_twice_gives_way_to_the_rules_and_is_flagged(
    scripted: Scripted, essential: Corpus, bad: dict[str, Any]
) -> None:
    found = distilled(scripted({**bad, "times": 2}), essential, "How many ibuprofen a day?")
    assert [(c.medicine, c.attribute) for c in found["calls"]] == [("ibuprofen", Attribute.DOSAGE)]
    assert origins(found["calls"]) == ["fallback"]
    assert [flag.kind for flag in found["flags"]] == ["fallback"]


def test_arguments_that_are_no_json(chat_server: ChatServer, served: Callable[..., Any], essential: Corpus) -> None:
    def arguments(text: str) -> Any:
        function = {"name": "search_medicine", "arguments": text}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": function}],
        }
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        whole = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": MODEL,
            "choices": [choice],
            "usage": USAGE,
        }
        return body(json.dumps(whole))

    chat_server.then(arguments('{"medicine": "ibupro'), arguments(json.dumps(IBUPROFEN["args"])))
    found = distilled(served(), essential, "How many ibuprofen a day?")
    assert origins(found["calls"]) == ["repair"]
    second = chat_server.requests[1].body["messages"][-1]["content"]
    assert "ibupro" in second and "no JSON" in second


def test_the_tool_is_offered_strictly(chat_server: ChatServer, served: Callable[..., Any], essential: Corpus) -> None:
    distilled(served(), essential, "How many ibuprofen a day?")
    offered = chat_server.requests[0].body["tools"][0]["function"]
    assert (offered["name"], offered["strict"]) == ("search_medicine", True)
    assert offered["parameters"]["additionalProperties"] is False
    assert set(offered["parameters"]["required"]) == {"medicine", "attribute", "keywords"}


def test_small_talk_asks_no_model(scripted: Scripted, essential: Corpus) -> None:
    assert distilled(scripted({"error": "unavailable"}), essential, "Hello, thank you!") == {"calls": [], "flags": []}


def test_none_where_nothing_is_named(scripted: Scripted, essential: Corpus) -> None:
    assert distilled(scripted(says(text="NONE.")), essential, "The weather is lovely today.")["calls"] == []


def test_none_is_not_believed_of_an_unknown_medicine(scripted: Scripted, essential: Corpus) -> None:
    found = distilled(scripted(says(text="NONE")), essential, "Is zolgensma safe?")
    assert [c.medicine for c in found["calls"]] == ["zolgensma"]
    assert origins(found["calls"]) == ["fallback"]


def test_more_than_four_calls_are_cut(scripted: Scripted, essential: Corpus) -> None:
    many = [tool(medicine="ibuprofen", attribute=a.value, keywords="x") for a in list(Attribute)[:7]]
    found = distilled(scripted(says(*many)), essential, "Tell me all about ibuprofen. I am pregnant.")
    assert [c.attribute for c in found["calls"]] == list(Attribute)[:4]


def test_the_same_call_twice_is_made_once(scripted: Scripted, essential: Corpus) -> None:
    found = distilled(scripted(says(IBUPROFEN, IBUPROFEN)), essential, "How many ibuprofen a day?")
    assert len(found["calls"]) == 1


@pytest.mark.parametrize(
    ("said", "attribute"),
    [
        ("I am pregnant.", Attribute.PREGNANCY_LACTATION),
        ("I have kidney disease.", Attribute.PRECAUTIONS),
        ("I take warfarin.", Attribute.INTERACTIONS),
        ("My son is 2 years old.", Attribute.CHILDREN),
    ],
)
def test_a_stated_fact_starts_a_search_of_its_own(
    scripted: Scripted, essential: Corpus, said: str, attribute: Attribute
) -> None:
    found = distilled(scripted(says(IBUPROFEN)), essential, f"{said} How many ibuprofen?")
    assert [(c.medicine, c.attribute) for c in found["calls"]] == [
        ("ibuprofen", Attribute.DOSAGE),
        ("ibuprofen", attribute),
    ]
    assert origins(found["calls"]) == ["model", "rule"]


def test_a_fact_that_a_call_covers_is_not_searched_again(scripted: Scripted, essential: Corpus) -> None:
    call = tool(medicine="ibuprofen", attribute="pregnancy_lactation", keywords="")
    found = distilled(scripted(says(call)), essential, "I am pregnant. Is ibuprofen fine?")
    assert origins(found["calls"]) == ["model"]


def test_facts_never_make_more_than_four_calls(scripted: Scripted, essential: Corpus) -> None:
    said = "I am pregnant. I have kidney disease. I take warfarin. I am allergic to penicillin. I am 70 years old."
    found = distilled(scripted(says(IBUPROFEN)), essential, f"{said} How many ibuprofen?")
    assert len(found["calls"]) == 4


@pytest.mark.parametrize("said", ["I am not pregnant.", "I don't take warfarin.", "I have no kidney disease."])
def test_a_denied_fact_starts_no_search(scripted: Scripted, essential: Corpus, said: str) -> None:
    found = distilled(scripted(says(IBUPROFEN)), essential, said, "Noted.", "How many ibuprofen?")
    assert origins(found["calls"]) == ["model"]


def test_an_overdose_is_searched_first_and_within_the_limit(scripted: Scripted, essential: Corpus) -> None:
    many = [tool(medicine="ibuprofen", attribute=a.value, keywords="") for a in list(Attribute)[:4]]
    urgency = Urgency(kind=UrgencyKind.OVERDOSE, quote="x")
    found = distilled(scripted(says(*many)), essential, "I took 40 ibuprofen.", urgency=urgency)
    assert (found["calls"][0].attribute, found["calls"][0].distilled_by.value) == (Attribute.OVERDOSE, "rule")
    assert len(found["calls"]) == 4


def test_an_overdose_call_of_the_model_stays_the_models(scripted: Scripted, essential: Corpus) -> None:
    urgency = Urgency(kind=UrgencyKind.OVERDOSE, quote="x")
    model = scripted(says(tool(medicine="Ibuprofen", attribute="overdose", keywords="")))
    found = distilled(model, essential, "I took 40 ibuprofen.", urgency=urgency)
    assert origins(found["calls"]) == ["model"]


def test_a_server_that_is_down_is_an_error_and_no_fallback(scripted: Scripted, essential: Corpus) -> None:
    with pytest.raises(ModelUnavailable):
        distilled(scripted({"error": "unavailable"}), essential, "How many ibuprofen a day?")


def test_a_conversation_without_a_question_is_refused(scripted: Scripted, essential: Corpus) -> None:
    with pytest.raises(UserError, match="does not end"):
        distilled(scripted(says(IBUPROFEN)), essential, "ibuprofen?", "Take one.")
