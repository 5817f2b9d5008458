"""Whole consultations with the real SmolLM2 in the embedded engine."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from wardround.corpora import Corpus
from wardround.errors import UserError
from wardround.graphs import consult, consultation
from wardround.models import declared_profile, find
from wardround.settings import Settings


@pytest.fixture(scope="module")
def smollm2() -> Iterator[Any]:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'wardround[local]'")
    from wardround.models.llamacpp import Engine, llamacpp_chat

    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    try:
        file = find("smollm2", settings=settings)
    except UserError as error:
        pytest.skip(str(error))
    name = "SmolLM2-135M-Instruct"
    engine = Engine(file, name=name)
    yield llamacpp_chat(engine, settings=settings, profile=declared_profile(name))
    engine.stop()


@pytest.mark.parametrize(
    "turns",
    [
        ("I take warfarin.", "Noted.", "Can I have advil with it? I am 70 years old."),
        ("孕妇可以吃布洛芬吗？",),
    ],
)
def test_quotes_are_verbatim_and_origins_are_told(smollm2: Any, essential: Corpus, turns: tuple[str, ...]) -> None:
    messages: list[AnyMessage] = [HumanMessage(t) if i % 2 == 0 else AIMessage(t) for i, t in enumerate(turns)]
    result = asyncio.run(consult(consultation.build(model=smollm2, medicines=essential), messages))
    assert result.calls[0].distilled_by.value in ("model", "repair", "fallback")
    assert {c.distilled_by.value for c in result.calls[1:]} <= {"rule", "fallback"}
    assert (result.answered_by.value == "quotes") == any("quotes were chosen" in f.text for f in result.flags)
    shown = {item.n: " ".join(item.text.split()) for item in result.evidence}
    assert result.citations
    for citation in result.citations:
        assert " ".join(citation.quote.split()) in shown[citation.n]


def test_a_greeting_asks_no_model(smollm2: Any, essential: Corpus) -> None:
    graph = consultation.build(model=smollm2, medicines=essential)
    result = asyncio.run(consult(graph, [HumanMessage("Good morning!")]))
    assert (result.usage["model_calls"], result.calls) == (0, ())
