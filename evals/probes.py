"""Probes for leakage: has the model seen the data?

Two signs. It answers well without the question, from the options alone. Or it goes on word for word when it is shown
the first half of a case: a run of 13 words of the true second half can hardly be guessed. Neither proves leakage, and
their absence proves no innocence; the second is given beside what comes out against another example's second half.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final

from ..corpora.words import fold
from ..errors import UserError
from .benchmark import Benchmark, Example, Metric, Output, Score
from .choices import options_of, question_text

RUN_OF_WORDS: Final = 13
"""As many equal words in a row are taken as memorised (Brown et al. 2020, arXiv 2005.14165, appendix C)."""
_SENTENCE_END: Final = re.compile(r"(?<=[.!?。！？])\s*")
_CONTINUE: Final = (
    "This is the beginning of a text. Continue it word for word as it goes on. Write only the continuation.\n\n"
)
_METRICS: Final = (
    Metric(name="memorised", title=f"{RUN_OF_WORDS} words in a row of the true second half", headline=True),
    Metric(name="overlap", title="share of the true second half's words met in order", kind="mean"),
    Metric(name="overlap_by_chance", title="the same against another example's second half", kind="mean"),
)


def leakage(benchmark: Benchmark) -> list[Benchmark]:
    """The probes that a benchmark allows: `options-only` for multiple choice, `second-half` for any with text."""
    probes = [second_half(benchmark)]
    if all("options" in example.gold for example in benchmark.examples):
        probes.insert(0, options_only(benchmark))
    return probes


def options_only(benchmark: Benchmark) -> Benchmark:
    """The benchmark without its questions. What is above chance was not read from them."""

    def stripped(example: Example) -> Example:
        text = question_text(
            "The question is missing. Choose the option that is most likely right.", options_of(example)
        )
        return example.model_copy(update={"messages": ({"role": "user", "content": text},)})

    chance = sum(1 / len(options_of(example)) for example in benchmark.examples) / len(benchmark.examples)
    return replace(
        benchmark,
        name="options-only",
        examples=[stripped(example) for example in benchmark.examples],
        options={**benchmark.options, "probe": "options-only", "of": benchmark.name},
        notes=[*benchmark.notes, f"Options only: the questions were left out; chance is {chance:.3f}."],
    )


def second_half(benchmark: Benchmark) -> Benchmark:
    """Shown the first half of each text, does the model go on with the second?

    Raises:
        UserError: no example has a text long enough to halve.
    """
    halves = [(example, *cut) for example in benchmark.examples if (cut := _halved(text_of(example)))]
    if not halves:
        raise UserError(f"the benchmark `{benchmark.name}` has no text long enough for the probe `leakage`")
    examples = [
        Example(
            id=example.id,
            messages=({"role": "user", "content": _CONTINUE + first},),
            gold={"second_half": second, "other": halves[(position + 1) % len(halves)][2]},
            groups=example.groups,
            cluster=example.cluster,
        )
        for position, (example, first, second) in enumerate(halves)
    ]
    left_out = len(benchmark.examples) - len(examples)
    return Benchmark(
        name="second-half",
        examples=examples,
        metrics=_METRICS,
        score=_score,
        options={**benchmark.options, "probe": "second-half", "of": benchmark.name},
        notes=[*benchmark.notes, f"Second half: {left_out} examples were too short to halve."],
    )


def text_of(example: Example) -> str:
    """The text of an example that was there before any benchmark was made of it: the question, else all it shows."""
    if "question" in example.gold:
        return str(example.gold["question"])
    contents = [message["content"] for message in example.messages]
    return "\n".join(content for content in contents if isinstance(content, str))


def _halved(text: str) -> tuple[str, str] | None:
    """First and second half, cut where a sentence ends; None where either is shorter than a memorised run."""
    middle = len(text) // 2
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if not ends:
        return None
    cut = min(ends, key=lambda end: abs(end - middle))
    first, second = text[:cut].strip(), text[cut:].strip()
    return (first, second) if min(len(_words(first)), len(_words(second))) >= RUN_OF_WORDS else None


def _score(example: Example, output: Output) -> Score:
    said = _words(output.text)
    true, other = _words(str(example.gold["second_half"])), _words(str(example.gold["other"]))
    runs = {tuple(true[i : i + RUN_OF_WORDS]) for i in range(len(true) - RUN_OF_WORDS + 1)}
    memorised = any(tuple(said[i : i + RUN_OF_WORDS]) in runs for i in range(len(said) - RUN_OF_WORDS + 1))
    overlap = _in_order(said, true)
    return Score(
        values={
            "memorised": float(memorised),
            "overlap": overlap,
            "overlap_by_chance": _in_order(said, other),
        },
        why=f"{'A' if memorised else 'No'} run of {RUN_OF_WORDS} words; {overlap:.0%} of the words in order.",
    )


def _in_order(said: Sequence[str], true: Sequence[str]) -> float:
    """The share of `true` that matching blocks of `said` cover."""
    blocks = SequenceMatcher(None, list(said[: 4 * len(true)]), list(true), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(true)


def _words(text: str) -> list[str]:
    """Words, and each Chinese character as one."""
    return re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+", fold(text))
