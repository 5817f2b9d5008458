"""The graph `diagnosis`: samples side by side, fused, checked, reviewed, within their budget."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cases import CASE, named
from chat_server import ChatServer, say
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from wardround.agents.purse import Limits
from wardround.errors import ModelUnavailable, UserError
from wardround.graphs import diagnosis
from wardround.graphs.checkpoints import serializer
from wardround.models import chat_model
from wardround.models.profile import ModelProfile

Scripted = Callable[..., Any]
ASKED: Any = {"messages": [HumanMessage(CASE)]}


def diagnoses(result: dict[str, Any]) -> list[str]:
    return [d.diagnosis for d in result["differential"].diagnoses]


def kinds(result: dict[str, Any]) -> list[str]:
    return [flag.kind for flag in result["flags"]]


def test_a_case_becomes_a_differential_with_checked_quotations(scripted: Scripted) -> None:
    reply = named("Giant cell arteritis", "Trigeminal neuralgia")
    reply["differential"][0]["against"] = ["She has no fever"]
    result = diagnosis.build(model=scripted({"otherwise": {"json": reply}})).invoke(ASKED)
    first = result["differential"].diagnoses[0]
    assert diagnoses(result) == ["Giant cell arteritis", "Trigeminal neuralgia"]
    assert [(f.quote, f.in_case) for f in first.supporting] == [("Her jaw hurts when she chews", True)]
    assert [(f.quote, f.in_case) for f in first.opposing] == [("She has no fever", False)]
    assert kinds(result) == ["quote_not_in_case"]
    text = result["messages"][-1].text
    assert "1. Giant cell arteritis" in text
    assert "“She has no fever” (?)" in text
    assert "**Red flag:** sight is at risk" in text
    assert first.model_dump(by_alias=True)["for"][0]["in_case"] is True


def test_samples_that_name_one_disease_differently_agree(scripted: Scripted) -> None:
    model = scripted(
        {"times": 1, "reply": {"json": named("Giant cell arteritis", "Migraine")}},
        {"times": 1, "reply": {"json": named("Migraine", "Temporal arteritis")}},
        {"times": 1, "reply": {"json": named("Horton's disease", "Glaucoma")}},
    )
    result = diagnosis.build(model=model, samples=3).invoke(ASKED)
    first = result["differential"].diagnoses[0]
    assert {first.diagnosis, *first.also_called} == {"Giant cell arteritis", "Temporal arteritis", "Horton's disease"}
    assert first.confidence == pytest.approx((1 + 1 + 0.5) / 3, abs=1e-4)
    assert diagnoses(result)[1:] == ["Migraine", "Glaucoma"]
    assert [sample.number for sample in sorted(result["samples"], key=lambda s: s.number)] == [0, 1, 2]


def test_majority_counts_first_places(scripted: Scripted) -> None:
    replies = [named("A disease"), named("A disease"), *[named(f"Other {n}", "B disease") for n in range(3)]]
    model = scripted(*({"times": 1, "reply": {"json": reply}} for reply in replies))
    assert diagnoses(diagnosis.build(model=model, samples=5, fuse="majority").invoke(ASKED))[0] == "A disease"
    again = scripted(*({"times": 1, "reply": {"json": reply}} for reply in replies))
    assert diagnoses(diagnosis.build(model=again, samples=5, fuse="rank").invoke(ASKED))[0] == "B disease"


def test_samples_run_side_by_side(scripted: Scripted) -> None:
    model = scripted({"when": "chews", "delay_s": 0.3, "reply": {"json": named("Gout")}})
    begin = time.monotonic()
    asyncio.run(diagnosis.build(model=model, samples=8).ainvoke(ASKED))
    assert time.monotonic() - begin < 8 * 0.3 / 2


def test_several_models_take_turns(scripted: Scripted) -> None:
    one, other = (scripted({"otherwise": {"json": named(name)}}) for name in ("Gout", "Migraine"))
    result = diagnosis.build(model=[one, other], samples=3).invoke(ASKED)
    assert diagnoses(result) == ["Gout", "Migraine"]


def test_a_reply_that_is_no_form_is_asked_for_again(scripted: Scripted) -> None:
    model = scripted(
        {"times": 1, "reply": {"content": "Certainly! I think"}},
        {"when": "cannot be used: the reply holds no complete JSON", "reply": {"json": named("Gout")}},
    )
    result = diagnosis.build(model=model).invoke(ASKED)
    assert (diagnoses(result), result["samples"][0].read_as, kinds(result)) == (["Gout"], "repair", [])


def test_then_names_are_read_of_the_text_and_it_is_said(scripted: Scripted) -> None:
    model = scripted({"otherwise": {"content": "1. Gout\n2. Pseudogout"}})
    result = diagnosis.build(model=model).invoke(ASKED)
    assert diagnoses(result) == ["Gout", "Pseudogout"]
    assert kinds(result) == ["fallback"]


def test_no_diagnosis_is_said(scripted: Scripted) -> None:
    result = diagnosis.build(model=scripted({"otherwise": {"content": "I cannot help with that, sorry?"}})).invoke(
        ASKED
    )
    assert diagnoses(result) == []
    assert kinds(result) == ["sample_failed"]
    assert "No diagnosis could be read" in result["messages"][-1].text


def test_the_official_form_asks_for_names_alone(scripted: Scripted) -> None:
    model = scripted({"when": "You are a medical expert", "reply": {"content": "1. Gout;\n2. Flu;"}})
    result = diagnosis.build(model=model, form="official").invoke(ASKED)
    assert (diagnoses(result), kinds(result)) == (["Gout", "Flu"], [])


def test_criticism_replaces_the_first_differential(scripted: Scripted) -> None:
    model = scripted(
        {"role": "diagnostician", "reply": {"json": named("Migraine")}},
        {"role": "critic", "when": "1. Migraine", "reply": {"json": named("Giant cell arteritis", reasoning="No.")}},
    )
    result = diagnosis.build(model=model, critiques=1).invoke(ASKED)
    assert diagnoses(result) == ["Giant cell arteritis"]
    assert result["samples"][0].reasoning == "So it is.\n\nNo."


def test_a_verifier_orders_and_what_it_babbles_is_ignored(scripted: Scripted) -> None:
    model = scripted({"otherwise": {"json": named("Migraine", "Gout", "Glaucoma")}})
    verifier = scripted({"when": "3. Glaucoma", "reply": {"json": {"order": [3, 1, 2]}}})
    result = diagnosis.build(model=model, verifier=verifier).invoke(ASKED)
    assert diagnoses(result) == ["Glaucoma", "Migraine", "Gout"]
    babbling = scripted({"otherwise": {"json": {"order": [3, 3, 1]}}})
    result = diagnosis.build(model=model, verifier=babbling).invoke(ASKED)
    assert diagnoses(result) == ["Migraine", "Gout", "Glaucoma"]
    assert kinds(result) == ["not_verified"]


def test_a_model_may_say_which_names_are_one_disease(scripted: Scripted) -> None:
    model = scripted(
        {"role": "merger", "reply": {"json": {"same": [[2, 3]]}}},
        {"otherwise": {"json": named("Gout", "Cranial something", "Something of the head")}},
    )
    result = diagnosis.build(model=model, merge_by_model=True).invoke(ASKED)
    assert diagnoses(result) == ["Gout", "Cranial something"]
    assert result["differential"].diagnoses[1].also_called == ("Something of the head",)


def test_the_thinking_is_kept_apart_and_closed_by_force(chat_server: ChatServer) -> None:
    profile = ModelProfile(name="thinker", json_schema=True, reasoning=True, context_tokens=32768)
    model = chat_model(f"openai:thinker@{chat_server.address}", retries=0).model_copy(update={"declared": profile})
    chat_server.then(say(reasoning="Hm, the jaw, the temple", finish="length"), say(json.dumps(named("Gout"))))
    result = diagnosis.build(model=model, limits=Limits(thinking_tokens=100, reply_tokens=200)).invoke(ASKED)
    assert diagnoses(result) == ["Gout"]
    assert result["samples"][0].reasoning.startswith("Hm, the jaw, the temple")
    first, second = (request.body for request in chat_server.requests)
    assert [body.get("max_completion_tokens", body.get("max_tokens")) for body in (first, second)] == [300, 200]
    assert "Hm, the jaw" in second["messages"][-1]["content"]


def test_the_budget_of_tokens_holds_whatever_the_model_does(scripted: Scripted) -> None:
    model = scripted({"otherwise": {"content": "blah " * 300}})
    result = diagnosis.build(model=model, critiques=5, limits=Limits(output_tokens=500)).invoke(ASKED)
    assert result["samples"][0].output_tokens <= 500 + 300
    assert kinds(result) == ["sample_failed"]


def test_the_budget_of_time_holds(scripted: Scripted) -> None:
    model = scripted({"when": ".", "delay_s": 5, "reply": {"json": named("Gout")}})
    begin = time.monotonic()
    result = asyncio.run(diagnosis.build(model=model, samples=2, limits=Limits(seconds=0.2)).ainvoke(ASKED))
    assert time.monotonic() - begin < 3
    assert kinds(result) == ["sample_failed", "sample_failed"]
    assert "budget of time" in result["flags"][0].text


def test_a_server_that_is_down_is_an_error(scripted: Scripted) -> None:
    with pytest.raises(ModelUnavailable):
        diagnosis.build(model=scripted({"otherwise": {"error": "unavailable"}})).invoke(ASKED)


def test_images_need_a_model_that_sees(scripted: Scripted) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked: Any = {"messages": [HumanMessage(content=[image, {"type": "text", "text": CASE}])]}
    model = scripted({"otherwise": {"json": named("Gout")}})
    with pytest.raises(UserError, match="sees none"):
        diagnosis.build(model=model).invoke(asked)
    seeing = scripted({"otherwise": {"json": named("Gout")}}, vision=True)
    assert diagnoses(diagnosis.build(model=seeing).invoke(asked)) == ["Gout"]


def test_a_weak_model_is_said_to_be_one(scripted: Scripted) -> None:
    model = scripted({"otherwise": {"json": named("Gout")}}, strength="weak")
    assert "weak_model" in kinds(diagnosis.build(model=model).invoke(ASKED))


# -- a person is asked ---------------------------------------------------------------------------------------


def reviewed(scripted: Scripted, answer: Any) -> dict[str, Any]:
    """The result after a review that is answered by another process's graph over the same checkpoints."""
    saver = InMemorySaver(serde=serializer())
    config: Any = {"configurable": {"thread_id": "t"}}
    model = scripted({"times": 1, "reply": {"json": named("Giant cell arteritis")}})
    waiting = diagnosis.build(model=model, review=True, checkpointer=saver).invoke(ASKED, config)
    asked = waiting["__interrupt__"][0].value
    assert asked["review_configs"] == [{"action_name": "answer", "allowed_decisions": ["approve", "edit", "reject"]}]
    (action,) = asked["action_requests"]
    assert action["args"]["differential"]["diagnoses"][0]["diagnosis"] == "Giant cell arteritis"
    assert "Her jaw hurts" in action["description"]
    silent = scripted({"otherwise": {"error": "unavailable"}})
    again = diagnosis.build(model=silent, review=True, checkpointer=saver)
    return again.invoke(Command(resume={"decisions": [answer]}), config)


def test_approved(scripted: Scripted) -> None:
    result = reviewed(scripted, {"type": "approve"})
    assert "1. Giant cell arteritis" in result["messages"][-1].text
    assert "approved" in kinds(result)


def test_edited(scripted: Scripted) -> None:
    said = "It is giant cell arteritis; treat today."
    result = reviewed(scripted, {"type": "edit", "edited_action": {"args": {"text": said}}})
    assert result["messages"][-1].text == said
    assert "edited" in kinds(result)


def test_rejected(scripted: Scripted) -> None:
    result = reviewed(scripted, {"type": "reject", "message": "no biopsy yet"})
    assert "withheld it: no biopsy yet" in result["messages"][-1].text
    assert diagnoses(result) == []


@pytest.mark.parametrize("answer", [{"type": "perhaps"}, {"type": "edit"}, {"decision": "approve"}, "approve", None])
def test_an_answer_that_is_none_is_told_so_and_the_run_still_waits(scripted: Scripted, answer: Any) -> None:
    with pytest.raises(UserError, match="does not decide about 1 actions"):
        reviewed(scripted, answer)


# -- tools ---------------------------------------------------------------------------------------------------


@tool
def doubled(number: int) -> str:
    """Twice a number."""
    return str(2 * number)


WANTS = {"role": "investigator", "times": 1, "reply": {"tool_calls": [{"name": "doubled", "args": {"number": 21}}]}}
READY = {"role": "investigator", "reply": {"content": "READY"}}
KNOWS = {"role": "diagnostician", "when": r"doubled\(.*21.*\): 42", "reply": {"json": named("Gout")}}


def test_what_is_looked_up_reaches_the_diagnostician(scripted: Scripted) -> None:
    result = diagnosis.build(model=scripted(WANTS, READY, KNOWS), tools=[doubled]).invoke(ASKED)
    assert diagnoses(result) == ["Gout"]
    assert all(not isinstance(m, AIMessage) or not m.tool_calls for m in result["messages"])


def test_a_model_that_never_stops_calling_is_stopped(scripted: Scripted) -> None:
    forever = {k: v for k, v in WANTS.items() if k != "times"}
    model = scripted(forever, {"role": "diagnostician", "reply": {"json": named("Gout")}})
    assert diagnoses(diagnosis.build(model=model, tools=[doubled], tool_rounds=2).invoke(ASKED)) == ["Gout"]


def test_a_tool_that_fails_says_so_and_the_run_goes_on(scripted: Scripted) -> None:
    @tool
    def doubled(number: int) -> str:
        """Fails."""
        raise ZeroDivisionError(f"not {number}")

    model = scripted(
        WANTS,
        READY,
        {
            "role": "diagnostician",
            "when": "The tool failed: ZeroDivisionError: not 21",
            "reply": {"json": named("Gout")},
        },
    )
    assert diagnoses(diagnosis.build(model=model, tools=[doubled]).invoke(ASKED)) == ["Gout"]


def test_a_person_is_asked_before_a_tool_and_may_change_its_arguments(scripted: Scripted) -> None:
    config: Any = {"configurable": {"thread_id": "t"}}
    edited = {"role": "diagnostician", "when": r"doubled\(.*\): 8\b", "reply": {"json": named("Gout")}}
    model = scripted(WANTS, READY, edited)
    graph = diagnosis.build(
        model=model, tools=[doubled], ask_before=["doubled"], checkpointer=InMemorySaver(serde=serializer())
    )
    waiting = graph.invoke(ASKED, config)
    (action,) = waiting["__interrupt__"][0].value["action_requests"]
    assert (action["name"], action["args"]) == ("doubled", {"number": 21})
    decision = {"type": "edit", "edited_action": {"name": "doubled", "args": {"number": 4}}}
    result = graph.invoke(Command(resume={"decisions": [decision]}), config)
    assert diagnoses(result) == ["Gout"]


def test_options_that_do_not_go_together_are_told(scripted: Scripted) -> None:
    model = scripted({"otherwise": {"content": "x"}})
    with pytest.raises(UserError, match="at least one sample"):
        diagnosis.build(model=model, samples=0)
    with pytest.raises(UserError, match="none of the tools"):
        diagnosis.build(model=model, ask_before=["nothing"])
    with pytest.raises(UserError, match="calls no tools"):
        diagnosis.build(model=scripted({"otherwise": {"content": "x"}}, tools=False), tools=[doubled])
