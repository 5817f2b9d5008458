"""Baselines that see no image, no record, or nothing but the options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from langchain_core.callbacks import BaseCallbackHandler
from pydantic import JsonValue

from ..errors import UserError
from .benchmark import Benchmark, Example, Output, Target
from .choices import options_of, question_text


@dataclass(frozen=True)
class BlindTarget:
    """Chooses by the options alone. No model is involved."""

    name: str
    choose: Callable[[Mapping[str, str]], str]
    identity: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    async def answer(self, example: Example, callbacks: Sequence[BaseCallbackHandler]) -> Output:  # noqa: ARG002
        """The letter."""
        return Output(text=f"Answer: {self.choose(options_of(example))}")


def blind_targets() -> list[Target]:
    """Always the letter D (in fewer options: the last), and the longest option by characters, the first of equals."""
    return [
        BlindTarget("always-D", lambda options: "D" if "D" in options else max(options)),
        BlindTarget("longest-option", lambda options: max(options, key=lambda letter: len(options[letter]))),
    ]


def question_only(benchmark: Benchmark) -> Benchmark:
    """The benchmark with nothing but question and options: no images, no records, no case.

    Raises:
        UserError: it is no multiple choice.
    """
    return replace(
        benchmark,
        examples=[_text_only(example) for example in benchmark.examples],
        options={**benchmark.options, "baseline": "question-only"},
        notes=[*benchmark.notes, "Question only: images and records were left out."],
    )


def _text_only(example: Example) -> Example:
    if "options" not in example.gold:
        raise UserError("`--baseline question-only` is for multiple choice: this benchmark has no options")
    text = question_text(str(example.gold["question"]).rpartition("\n\n")[2], options_of(example))
    return example.model_copy(update={"messages": ({"role": "user", "content": text},)})
