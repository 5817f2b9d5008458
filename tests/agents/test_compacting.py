"""Compacting: nothing is lost that must not be."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from wardround.agents.compacting import compacted
from wardround.agents.facts import stated_facts
from wardround.corpora import Corpus

CHATTER = ["The weather was fine.", "My neighbour came by.", "I wonder what to cook.", "So it goes."]
TOLD = [
    "I am allergic to penicillin.",
    "I'm seven months pregnant.",
    "She takes warfarin every evening.",
    "My kidneys do not work well.",
    "He is 4 years old.",
    "I have had metformin for years.",
    "I tried zzyzxolol once.",
]
sentences = st.lists(st.sampled_from([*CHATTER, *TOLD]), min_size=1, max_size=4).map(" ".join)


def conversation(said: list[str]) -> list[AnyMessage]:
    messages: list[AnyMessage] = []
    for text in said:
        messages += [HumanMessage(text), AIMessage("I see. " + "Go on, please. " * 20)]
    return [*messages, HumanMessage("And now?")]


def known(messages: list[AnyMessage], medicines: Corpus) -> tuple[set[str], set[object]]:
    texts = [m.text for m in messages if isinstance(m, HumanMessage)]
    return {m.key for t in texts for m in medicines.mentions(t)}, {(f.kind, f.detail) for f in stated_facts(texts)}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(sentences, min_size=1, max_size=12))
def test_no_medicine_and_no_fact_is_lost(essential: Corpus, said: list[str]) -> None:
    whole = conversation(said)
    seen = compacted(whole, essential, most_characters=500, kept_turns=4)
    assert known(seen, essential) == known(whole, essential)
    assert seen[-min(len(whole), 4) :] == whole[-4:]
    again = compacted([*seen, *conversation(["Hm."])], essential, most_characters=500, kept_turns=4)
    assert known(again, essential) == known(whole, essential)


def test_a_short_one_stays_as_it_is(essential: Corpus) -> None:
    whole = conversation(["I am allergic to penicillin."])
    assert compacted(whole, essential) == whole


def test_chatter_goes(essential: Corpus) -> None:
    seen = compacted(conversation([CHATTER[0]] * 50), essential, most_characters=500, kept_turns=4)
    assert len(seen) == 4


def test_a_name_that_nobody_knows_stays(essential: Corpus) -> None:
    seen = compacted(conversation([TOLD[-1], *[CHATTER[0]] * 50]), essential, most_characters=500, kept_turns=4)
    assert "zzyzxolol" in seen[0].text
