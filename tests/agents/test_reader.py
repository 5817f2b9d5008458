from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chat_server import ChatServer, cut
from langchain_core.messages import HumanMessage
from wardround.agents.checking import EvidenceItem
from wardround.agents.reader import Draft, mode_for, quote_form, quoter, reader, repairer
from wardround.agents.turn import AnsweredBy, Call, DistilledBy
from wardround.corpora import Corpus
from wardround.corpora.medicines import Attribute, SearchCall
from wardround.errors import ModelUnavailable

Scripted = Callable[..., Any]
GOOD = "Take 1 ibuprofen 200 mg tablet every 4 to 6 hours while the symptoms last [1]."


def state(medicines: Corpus, question: str = "How much ibuprofen can I take?", **more: Any) -> Any:
    call = Call(medicine="ibuprofen", attribute=Attribute.DOSAGE, distilled_by=DistilledBy.MODEL)
    hits = medicines.search(call.search, 2)
    evidence = [EvidenceItem(n=n, passage=h.passage) for n, h in enumerate(hits, start=1)]
    return {"messages": [HumanMessage(question)], "calls": [call], "evidence": evidence, **more}


def says(text: str, **rule: Any) -> dict[str, Any]:
    return {"role": "reader", "reply": {"content": text}, **rule}


def test_an_answer_that_holds(scripted: Scripted, essential: Corpus) -> None:
    draft = reader(scripted(says(GOOD)), essential).invoke(state(essential))["draft"]
    assert (draft.text, draft.problems, draft.answered_by) == (GOOD, (), AnsweredBy.MODEL)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("Take 1 tablet every 4 to 6 hours [7].", "no passage `[7]`"),
        ("Take 1 ibuprofen 800 mg tablet every 4 to 6 hours [1].", "800 mg"),
        ("Take 1 ibuprofen 200 mcg tablet every 4 to 6 hours [1].", "200 mcg"),
        ("Take 1 ibuprofen 200 g tablet [1].", "200 g"),
        ("Take 1 ibuprofen tablet every 12 hours [1].", "12 hours"),
        ("It is safe for everybody to take ibuprofen.", "no passage is cited"),
        ("The label says “ibuprofen is safe for everybody at any age” [1].", "does not stand verbatim"),
        ("一次服用 800 毫克 [1]。", "800"),
        ("", "the reply is empty"),
        ("   \n\n ", "the reply is empty"),
    ],
)
def test_what_the_check_finds(scripted: Scripted, essential: Corpus, answer: str, problem: str) -> None:
    draft = reader(scripted(says(answer)), essential).invoke(state(essential))["draft"]
    assert problem in draft.problems[0]


def test_a_sentence_about_another_medicine_than_the_one_cited(scripted: Scripted, essential: Corpus) -> None:
    asked = state(essential)
    hit = essential.search(SearchCall(medicine="warfarin", attribute=Attribute.STORAGE), 1)[0]
    asked["evidence"] = [*asked["evidence"], EvidenceItem(n=3, passage=hit.passage)]
    draft = reader(scripted(says("Warfarin is taken every few hours [1].")), essential).invoke(asked)["draft"]
    assert "warfarin" in draft.problems[0]


def test_a_passage_for_which_there_was_no_room_cannot_be_cited(scripted: Scripted, essential: Corpus) -> None:
    model = scripted({"when": 'passage n="2"', "error": "reply"}, says("It is kept dry [2]."), context_tokens=300)
    draft = reader(model, essential).invoke(state(essential))["draft"]
    assert "no passage `[2]`" in draft.problems[0]


def test_the_repair_is_told_the_answer_and_its_problems(scripted: Scripted, essential: Corpus) -> None:
    rejected = Draft(sentences=("Take 9 g.",), problems=("`9 g` is nowhere",), answered_by=AnsweredBy.MODEL)
    model = scripted(says(GOOD, last=r"Take 9 g\.[\s\S]*9 g` is nowhere"))
    draft = repairer(model, essential).invoke(state(essential, draft=rejected))["draft"]
    assert (draft.text, draft.problems, draft.answered_by) == (GOOD, (), AnsweredBy.REPAIR)


def test_quotes_by_rule_say_why(essential: Corpus) -> None:
    rejected = Draft(sentences=("x",), problems=("`9 g` is nowhere",), answered_by=AnsweredBy.REPAIR)
    asked = state(essential, draft=rejected)
    made = quoter().invoke(asked)
    assert made["draft"].answered_by is AnsweredBy.QUOTES
    assert made["draft"].sentences
    assert [f.kind for f in made["flags"]] == ["unchecked_withdrawn"]
    assert "9 g" in made["flags"][0].text


def test_a_stream_that_is_cut_is_an_error(
    chat_server: ChatServer, served: Callable[..., Any], essential: Corpus
) -> None:
    chat_server.always(cut("Take 1 ibuprofen 200 mg tablet [1]. And then"))
    with pytest.raises(ModelUnavailable, match="broke off"):
        reader(served(), essential).invoke(state(essential))


def test_quotes_mode_picks_whole_sentences(scripted: Scripted, essential: Corpus) -> None:
    asked = state(essential)
    model = scripted({"role": "reader", "reply": {"json": {"sentences": [2]}}}, strength="weak")
    draft = reader(model, essential).invoke(asked)["draft"]
    assert (draft.answered_by, draft.verbatim, len(draft.sentences)) == (AnsweredBy.MODEL, True, 2)
    whole = " ".join(" ".join(item.passage.text.split()) for item in asked["evidence"])
    for line in draft.sentences:
        assert line[line.index("“") + 1 : line.rindex("”")] in whole


@pytest.mark.parametrize(
    "reply",
    [
        {"json": {"sentences": [99]}},
        {"json": {"sentences": [0, -1, True, "1", 1.5, None]}},
        {"json": {"sentences": []}},
        {"json": {"sentences": 1}},
        {"json": {"other": [1]}},
        {"json": [1]},
        {"content": "I would say the first."},
        {"content": ""},
    ],
)
def test_a_choice_that_cannot_be_read_is_made_by_rule_and_flagged(
    scripted: Scripted, essential: Corpus, reply: dict[str, Any]
) -> None:
    made = reader(scripted({"reply": reply}, strength="weak"), essential).invoke(state(essential))
    assert made["draft"].answered_by is AnsweredBy.QUOTES
    assert made["draft"].sentences
    assert [f.kind for f in made["flags"]] == ["fallback"]


def test_quotes_mode_without_anything_relevant_asks_no_model(scripted: Scripted, essential: Corpus) -> None:
    asked = state(essential, "Can I swim in the sea?")
    asked["calls"] = []
    asked["evidence"] = asked["evidence"][:1]
    made = reader(scripted({"error": "unavailable"}, strength="weak"), essential).invoke(asked)
    assert (made["draft"].sentences, made["flags"]) == ((), [])


def test_the_mode_follows_the_strength(scripted: Scripted) -> None:
    rule = {"otherwise": {"content": "x"}}
    assert (mode_for(scripted(rule)), mode_for(scripted(rule, strength="weak"))) == ("free", "quotes")


def test_the_form_allows_the_offered_numbers_only() -> None:
    items = quote_form(3)["properties"]["sentences"]
    assert (items["items"]["enum"], items["minItems"], items["maxItems"]) == ([1, 2, 3], 1, 3)
