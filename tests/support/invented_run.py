"""A small run with everything that a report has to show, hostile text included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from wardround.errors import ModelUnavailable
from wardround.evals.benchmark import Benchmark, Example, Metric, Output, Score
from wardround.evals.runs import run

HOSTILE = "<script>window.stolen = 1</script></script><img src=x onerror='window.stolen = 2'> & \u2028 \u202e 😀"


class _Target:
    name = "invented"

    def __init__(self, right: int) -> None:
        self._right = right
        self.identity: dict[str, Any] = {"model": "none", "right": right}

    async def answer(self, example: Example, callbacks: Sequence[BaseCallbackHandler]) -> Output:
        number = int(example.id.removeprefix("e"))
        if number % 10 == 9:
            raise ModelUnavailable("no answer from model server `http://nowhere`: check that it runs")
        model = FakeListChatModel(responses=[f"Answer {number}. {HOSTILE if number == 3 else 'Take one.'}"])
        said = await model.ainvoke(str(example.messages[-1]["content"]), {"callbacks": list(callbacks)})
        passage = {"n": 1, "passage_id": "p1", "medicine_id": "m", "medicine": "Oldol", "attribute": "dosage"}
        return Output(
            text=str(said.text) + ("x" * 100_000 if number == 4 else ""),
            reasoning="I wonder.",
            data={
                "evidence": [{**passage, "text": "Take one tablet. Not more.", "source_id": "s", "date": None}],
                "citations": [{"n": 1, "passage_id": "p1", "quote": "Take one tablet.", "attribute": "dosage"}],
                "calls": [{"medicine": "Oldol", "attribute": "dosage", "keywords": "", "distilled_by": "model"}],
                "flags": [],
                "right": number % 10 < self._right,
            },
        )


def _score(example: Example, output: Output) -> Score:
    right = bool(output.data["right"])
    return Score(
        values={"accuracy": float(right), "length": min(len(output.text), 500) / 10},
        why=f"Example {example.id} is {'right' if right else 'wrong'}.",
        flags=() if right else ("wrong_medicine",),
        details={"answer": "A", "judges": [{"judge": "somebody", "score": 2, "reason": HOSTILE}]},
    )


def invented_run(path: Path, *, n: int = 40, right: int = 6) -> Path:
    """A run of `n` examples in `path`, of which `right` in ten are right and one in ten failed."""
    examples = [
        Example(
            id=f"e{i}",
            messages=(
                {"role": "user", "content": f"Question {i} about Oldol. {HOSTILE if i == 3 else ''}"},
                {"role": "assistant", "content": "For whom is it?"},
                {"role": "user", "content": "For my father. He is 80."},
            ),
            gold={"evidence": [{"medicine": "Oldol", "attribute": "dosage"}]},
            groups={"category": ("dosage" if i % 2 else "storage",)},
        )
        for i in range(n)
    ]
    metrics = [
        Metric(name="accuracy", title="right medicine", headline=True),
        Metric(name="length", title="length of the answer", kind="mean"),
    ]
    benchmark = Benchmark("invented", examples, metrics, _score, notes=["Everything here is invented."])
    return run(benchmark, _Target(right), out=path)
