"""What an evaluation is made of: a Benchmark has Examples and scores Outputs; a Target turns one into the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

from langchain_core.callbacks import BaseCallbackHandler
from pydantic import BaseModel, ConfigDict, Field, JsonValue

Values = dict[str, float | None]
"""Metric -> its value for one example, 0 to 1 for rates; None where the metric does not apply to the example."""


class Example(BaseModel):
    """One question of a benchmark."""

    model_config = ConfigDict(frozen=True)
    id: str
    """As the data names it; unique within the benchmark."""
    messages: tuple[dict[str, JsonValue], ...]
    """All that a target sees: `role` and `content`. A content is a text or a list of parts; an image is the part
    `{"type": "image_file", "path": PATH}`, read when the example runs; a `box` of four pixels is cut out of it."""
    gold: dict[str, JsonValue] = Field(default_factory=dict)
    """What the scorer compares with. Targets never see it."""
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Dimension -> the groups that the example belongs to; figures are also given for each group."""
    cluster: str | None = None
    """Examples with one cluster (a patient, a pair of films) are not independent; intervals allow for it."""

    @cached_property
    def key(self) -> str:
        """Identity by content: 20 hex digits over id, messages and gold."""
        content = json.dumps([self.id, self.messages, self.gold], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:20]


class Output(BaseModel):
    """What a target made of an example."""

    model_config = ConfigDict(frozen=True)
    text: str
    """The answer, without the thinking."""
    reasoning: str = ""
    data: dict[str, JsonValue] = Field(default_factory=dict)
    """What a scorer needs beyond the text: a consultation's `calls`, `evidence`, `citations`, `flags`, ..."""


class Score(BaseModel):
    """What a scorer says of one output."""

    model_config = ConfigDict(frozen=True)
    values: Values
    why: str = ""
    """One sentence for a person who asks why the example was scored as it was."""
    flags: tuple[str, ...] = ()
    """Short words that a report can filter by: `ambiguous`, `no_answer`, ..."""
    details: dict[str, JsonValue] = Field(default_factory=dict)
    """Whatever else explains the score: the letter read, the judge's words."""


class Metric(BaseModel):
    """One figure that a benchmark gives."""

    model_config = ConfigDict(frozen=True)
    name: str
    """`hr_document.1` becomes `{"hr_document": {"1": ...}}` in JSON."""
    title: str
    kind: Literal["rate", "mean"] = "rate"
    """`rate`: each value is 0 or 1. `mean`: any number."""
    headline: bool = False
    """Shown first, and withheld where no qualified judge stands behind it."""
    better: Literal["higher", "lower"] = "higher"


def _all_wrong(_: Example) -> Values | None:
    return None


@dataclass(frozen=True)
class Benchmark:
    """Examples, how an output is scored, and which figures come of it."""

    name: str
    examples: Sequence[Example]
    metrics: Sequence[Metric]
    score: Callable[[Example, Output], Score | Awaitable[Score]]
    """Raises `ModelError` where a judge could not do its part: the example is then failed, not scored."""
    score_failed: Callable[[Example], Values | None] = _all_wrong
    """The values of an example whose target failed; None: 0 for every metric. Give it where a metric applies to some
    examples only, or where lower is better."""
    options: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """What was chosen and changes examples or scores: file hashes, records, judges with their prompts' hashes. Two runs
    with different options are different runs."""
    notes: Sequence[str] = ()
    """What a reader of the figures must know: images left out, known bias of the data."""
    withheld: str | None = None
    """Why there are no headline figures, where there are none: the judge is not qualified."""

    def values_if_failed(self, example: Example) -> Values:
        """What a failed example counts as."""
        values = self.score_failed(example)
        return dict.fromkeys((m.name for m in self.metrics), 0.0) if values is None else values


class Target(Protocol):
    """Anything that answers examples: a graph, a plain model, a rule."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    @property
    def identity(self) -> Mapping[str, JsonValue]:
        """Everything that decides its answers: graph, model, settings, hashes of prompts and corpus."""
        ...

    async def answer(self, example: Example, callbacks: Sequence[BaseCallbackHandler]) -> Output:
        """Its answer. `callbacks` go into the configuration of whatever runs: they record trace and usage.

        Raises:
            ModelError: a model server could not do its part.
        """
        ...
