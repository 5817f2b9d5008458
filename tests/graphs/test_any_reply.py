"""Whatever a model writes, an answer holds only what the passages hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from wardround.agents.checking import cited_numbers
from wardround.agents.quantities import missing_quantities
from wardround.agents.sentences import split_sentences
from wardround.corpora import Corpus
from wardround.graphs import Consultation, consult, consultation

PIECES = st.sampled_from(
    [
        "Take 200 mg", "Take 800 mg", "1 tablet", "every 4 to 6 hours", "every 12 hours", "5 g", "0.2 g", "10 days",
        "two tablets", "6 tablets in 24 hours", "40°C",
        "200毫克", "每日3次", "of ibuprofen", "of warfarin", "not", "Never",
        "“Take it with food or milk”",
        "“", "”", "[1]", "[2]", "[3]", "[1, 9]", "[0]", "[1-3]", "【1】", "[", "]", ".", "。",
        "\n", "- ", "## ", "Ask your doctor", "?", "is safe",
    ]
)  # fmt: skip
REPLIES = st.lists(PIECES, max_size=14).map(" ".join) | st.text(max_size=60)


def consulted(scripted: Callable[..., Any], medicines: Corpus, rules: list[dict[str, Any]]) -> Consultation:
    graph = consultation.build(model=scripted(*rules), medicines=medicines)
    return asyncio.run(consult(graph, [HumanMessage("How many ibuprofen can I take a day?")]))


def hold(result: Consultation) -> None:
    shown = {item.n: item for item in result.evidence}
    for citation in result.citations:
        assert shown[citation.n].passage_id == citation.passage_id
        assert citation.quote in shown[citation.n].text
    if result.answered_by.value in ("model", "repair"):
        for span in split_sentences(result.answer):
            cited = [shown[n] for n in cited_numbers(span.text)]
            where = [item.text for item in cited] + [item.medicine for item in cited]
            assert missing_quantities(span.text, where) == [] or span.text.strip(" .“”") in " ".join(where)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=REPLIES, second=REPLIES)
def test_the_reader(scripted: Callable[..., Any], essential: Corpus, first: str, second: str) -> None:
    args = {"medicine": "ibuprofen", "attribute": "dosage", "keywords": ""}
    rules: list[dict[str, Any]] = [
        {"role": "distiller", "reply": {"tool_calls": [{"name": "search_medicine", "args": args}]}},
        {"role": "reader", "times": 1, "reply": {"content": first}},
        {"role": "reader", "reply": {"content": second}},
    ]
    hold(consulted(scripted, essential, rules))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=8) | st.sampled_from(["ibuprofen", "dosage"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["medicine", "attribute", "keywords", "sentences", "x"]), inner, max_size=4)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(args=st.dictionaries(st.sampled_from(["medicine", "attribute", "keywords", "x"]), ANY_JSON, max_size=4))
def test_the_arguments_of_a_strong_model(scripted: Callable[..., Any], essential: Corpus, args: dict[str, Any]) -> None:
    rules: list[dict[str, Any]] = [
        {"role": "distiller", "reply": {"tool_calls": [{"name": "search_medicine", "args": args}]}},
        {"role": "reader", "reply": {"content": "It is safe."}},
    ]
    result = consulted(scripted, essential, rules)
    hold(result)
    assert len(result.calls) <= 4


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=ANY_JSON, choice=ANY_JSON)
def test_the_forms_of_a_weak_model(scripted: Callable[..., Any], essential: Corpus, form: Any, choice: Any) -> None:
    rules = [{"role": "distiller", "reply": {"json": form}}, {"role": "reader", "reply": {"json": choice}}]

    def weak(*given: dict[str, Any]) -> Any:
        return scripted(*given, strength="weak", tools=False)

    result = consulted(weak, essential, rules)
    hold(result)
    assert result.citations
