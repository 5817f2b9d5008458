from __future__ import annotations

import pytest
from invented import invented
from wardround.agents.checking import EvidenceItem, check_answer, citations_of
from wardround.agents.quoting import MOST_OFFERED, quotable, quote_answer
from wardround.agents.turn import Call, DistilledBy
from wardround.corpora import Corpus
from wardround.corpora.medicines import Attribute, Passage, SearchCall

A = Attribute


def passages(*names: str, text: str = "", attribute: Attribute = A.DOSAGE) -> list[EvidenceItem]:
    items: list[EvidenceItem] = []
    for n, name in enumerate(names, start=1):
        medicine = invented(name)
        words = text or medicine.texts[attribute]
        passage = Passage(
            id=f"{medicine.id}#{attribute.value}",
            medicine_id=medicine.id,
            medicine=name,
            attribute=attribute,
            text=words,
            end=len(words),
            source=medicine.source,
        )
        items.append(EvidenceItem(n=n, passage=passage))
    return items


def call(medicine: str, attribute: Attribute | None) -> Call:
    return Call(medicine=medicine, attribute=attribute, distilled_by=DistilledBy.RULE)


def test_sentences_are_whole_and_verbatim() -> None:
    text = "Take 2.5 mg of Florbutinol, e.g. at noon. Never take more than 10 mg (see 4.2). Keep it dry."
    evidence = passages("Florbutinol", text=text)
    for sentence in quotable("how much florbutinol", [call("florbutinol", A.DOSAGE)], evidence):
        assert sentence.text in text
        assert sentence.text.endswith(".")
        assert sentence.text[0].isupper()


def test_nothing_that_has_to_do_with_it_is_nothing() -> None:
    evidence = passages(
        "Florbutinol", text="Florbutinol tablets are round and blue in colour.", attribute=A.DESCRIPTION
    )
    assert quotable("can I swim in the sea", [call("florbutinol", A.STORAGE)], evidence) == []


def test_no_more_than_asked_for() -> None:
    places = "kitchen garden office cellar tunnel castle harbour meadow airport theatre".split()
    text = " ".join(f"Florbutinol {place}: {place * 3} {place[::-1]} {place[1:]}." for place in places)
    assert len(quotable("florbutinol", [call("florbutinol", A.DOSAGE)], passages("Florbutinol", text=text))) == (
        MOST_OFFERED
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Take it at noon with plenty of water. Take it at noon with plenty of waters.", 1),
        ("Take at most 3 g of florbutinol a day. Take at most 4 g of florbutinol a day.", 2),
        ("Florbutinol may be used when pregnant by most. Florbutinol may not be used when pregnant by most.", 2),
    ],
)
def test_nearly_equal_sentences_come_once_but_not_where_a_number_or_a_negation_differs(text: str, kept: int) -> None:
    offered = quotable("florbutinol", [call("florbutinol", A.DOSAGE)], passages("Florbutinol", text=text))
    assert len(offered) == kept


def test_every_medicine_keeps_a_place() -> None:
    evidence = passages("Florbutinol", "Ostramycin")
    offered = quotable("dose", [call("florbutinol", A.DOSAGE), call("ostramycin", A.DOSAGE)], evidence)
    assert {s.medicine for s in offered[:2]} == {"Florbutinol", "Ostramycin"}


def test_the_other_medicine_of_an_interaction_weighs_most() -> None:
    text = "Florbutinol makes many things last longer than usual. Bevarone must not be taken with it."
    evidence = passages("Florbutinol", text=text, attribute=A.INTERACTIONS)
    asked = call("florbutinol", A.INTERACTIONS).model_copy(update={"other_names": ("bevarone",)})
    assert quotable("together?", [asked], evidence)[0].text.startswith("Bevarone")


def test_the_source_is_named_once_for_sentences_of_one_passage() -> None:
    evidence = passages("Florbutinol", text="Take florbutinol in the morning. Take florbutinol with water.")
    lines = quote_answer(quotable("florbutinol", [call("florbutinol", A.DOSAGE)], evidence))
    assert [line.startswith("Florbutinol, Dosage and administration: “") for line in lines] == [True, False]
    assert all(line.endswith("” [1]") for line in lines)


def test_quotes_of_the_whole_shipped_corpus_pass_the_check(essential: Corpus) -> None:
    checked = 0
    for medicine in essential.all_medicines():
        for attribute in (A.DOSAGE, A.STORAGE, A.INTERACTIONS):
            hits = essential.search(SearchCall(medicine=medicine.names.display, attribute=attribute), 3)
            evidence = [EvidenceItem(n=n, passage=h.passage) for n, h in enumerate(hits, start=1)]
            asked = [call(medicine.names.display, attribute)]
            chosen = quotable(f"{attribute.value} of {medicine.names.display}", asked, evidence)[:3]
            answer = "\n".join(quote_answer(chosen))
            assert check_answer(answer, evidence).problems == (), answer
            quotes = {c.quote for c in citations_of(answer, evidence)}
            assert all(any(s.text in " ".join(q.split()) for q in quotes) for s in chosen), answer
            checked += len(chosen)
    assert checked > 200
