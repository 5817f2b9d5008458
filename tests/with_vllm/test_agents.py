"""The graphs end to end, as a user runs them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from served import WARDROUND, Served
from wardround.corpora import Corpus
from wardround.graphs import consultation
from wardround.models import chat_model
from wardround.training.data import read_sft_rows

pytestmark = pytest.mark.timeout(900)
EXAMPLES = Path(__file__).parents[2] / "examples"


def printed(served: Served, *arguments: object) -> Any:
    done = subprocess.run(
        [*WARDROUND, *map(str, arguments), "--json"],
        env=served.environment, capture_output=True, text=True, check=False, timeout=800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_consultation_graph(served: Served, essential: Corpus) -> None:
    model = chat_model(f"openai:{served.adapter}@{served.address}", settings=served.settings)
    graph = consultation.build(model=model, medicines=essential)
    result = graph.invoke({"messages": [HumanMessage("Does an insulin glargine pen in use go in the fridge?")]})
    assert result["answer"].citations
    assert all(citation.medicine.startswith("Insulin glargine") for citation in result["answer"].citations)


def test_consult(served: Served) -> None:
    answer = printed(served, "consult", "--dialogue", EXAMPLES / "dialogues" / "demo.json")
    assert answer["usage"]["model_calls"] >= 2
    assert {"Warfarin", "Ibuprofen"} & {citation["medicine"] for citation in answer["citations"]}


def test_consult_asks_the_tuned_distiller_for_the_searches(served: Served, tmp_path: Path) -> None:
    if served.distiller is None:
        pytest.skip("no tuned distiller comes with this version")
    answer = printed(served, "consult", "--dialogue", EXAMPLES / "dialogues" / "demo.json", "--trace", tmp_path)
    assert answer["distilled_by"] == "model"
    kept = {"adapters": {"distiller": served.distiller, "reasoner": served.reasoner}}
    assert json.loads(served.profile.read_text()) == kept


def test_the_tuned_reasoning_adapter_answers_as_its_demonstrations_do(served: Served) -> None:
    rows = read_sft_rows(EXAMPLES / "training" / "stage1.jsonl")
    asked = {"role": "user", "content": rows[0].messages[0].content}
    request = {"model": served.reasoner, "messages": [asked], "max_tokens": 200, "temperature": 0}
    with served.client() as client:
        reply = client.post("/v1/chat/completions", json=request).json()
    text = reply["choices"][0]["message"]["content"]
    assert re.search(r"\n\nAnswer: [A-D]$", text), text
    assert len(text) > 80  # it reasons first


def test_diagnose_with_the_tuned_reasoning_adapter_under_its_hashed_name(served: Served, tmp_path: Path) -> None:
    assert re.fullmatch(r"reasoner-smollm2-[0-9a-f]{12}", served.reasoner)
    answer = printed(
        served, "diagnose", EXAMPLES / "cases" / "temple.json", "--model", f"openai:{served.reasoner}@{served.address}",
        "--trace", tmp_path,
    )  # fmt: skip
    assert answer["usage"]["model_calls"] >= 1
    assert answer["differential"]
    assert served.reasoner in "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())
