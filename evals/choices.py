"""Multiple choice: how a question is put, and how the reply is scored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from pydantic import JsonValue

from .benchmark import Example, Metric, Output, Score
from .letters import read_letter

METRICS: Final = (
    Metric(name="accuracy", title="right letter", headline=True),
    Metric(name="answered", title="chose one letter"),
)


@cache
def prompt() -> tuple[str, str]:
    """The instruction, and the hash of its text."""
    text = (files("wardround.evals") / "benchmarks" / "prompts" / "choose.md").read_text(encoding="utf-8").strip()
    return text, hashlib.sha256(text.encode()).hexdigest()[:12]


def question_text(question: str, options: Mapping[str, str]) -> str:
    """A question with its options, one a line."""
    listed = "\n".join(f"{letter}. {text}" for letter, text in options.items())
    return f"{question.strip()}\n\n{listed}\n\n{prompt()[0]}"


def example_of(
    name: str,
    question: str,
    options: Mapping[str, str],
    answer: str,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    cluster: str | None = None,
    images: Sequence[str] = (),
    boxes: Sequence[Sequence[int] | None] = (),
) -> Example:
    """An example of multiple choice; `images` are paths, shown before the question.

    `boxes`: for each image what is cut out of it (left, top, right, bottom in pixels), None for all of it.
    """
    text = question_text(question, options)
    cut = [*boxes, *[None] * (len(images) - len(boxes))]
    parts: list[JsonValue] = [
        {"type": "image_file", "path": path, **({"box": list(box)} if box else {})}
        for path, box in zip(images, cut, strict=True)
    ]
    content: JsonValue = [*parts, {"type": "text", "text": text}] if images else text
    return Example(
        id=name,
        messages=({"role": "user", "content": content},),
        gold={"answer": answer, "options": dict(options), "question": question},
        groups={dimension: tuple(members) for dimension, members in (groups or {}).items() if members},
        cluster=cluster,
    )


def score_choice(example: Example, output: Output) -> Score:
    """Right where the letter read is the gold letter. A graph's `letter`, where it gives one as data, goes first."""
    options = options_of(example)
    given = output.data.get("letter")
    reading = read_letter(given if isinstance(given, str) else output.text, options)
    gold = str(example.gold["answer"])
    right = reading.letter == gold
    if reading.letter:
        why = f"Chose {reading.letter}, {'which is right' if right else f'right is {gold}'} (read as: {reading.how})."
    elif reading.ambiguous:
        why = f"Named {' and '.join(reading.candidates)}: ambiguous, so wrong."
    else:
        why = "Chose no option."
    flags = ("ambiguous",) if reading.ambiguous else () if reading.letter else ("no_answer",)
    return Score(
        values={"accuracy": float(right), "answered": float(reading.letter is not None)},
        why=why,
        flags=flags,
        details={"answer": reading.letter, "how": reading.how},
    )


def options_of(example: Example) -> dict[str, str]:
    """Letter -> text."""
    options = example.gold["options"]
    return {letter: str(text) for letter, text in options.items()} if isinstance(options, dict) else {}
