"""One line of a run's `results.jsonl`: how one example came out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .benchmark import Output, Score


class Failure(BaseModel):
    """Why an example has no output, or an output no score."""

    model_config = ConfigDict(frozen=True)
    stage: Literal["target", "judge"]
    type: str
    """The exception's type: `ModelUnavailable`, `ModelReplyError`, ..."""
    message: str


class Result(BaseModel):
    """How one sample of one example came out. Of several lines with one key and sample the last counts."""

    model_config = ConfigDict(frozen=True)
    key: str
    """The example's identity by content."""
    sample: int
    """0, or which of several samples."""
    status: Literal["ok", "failed"]
    id: str
    attempt: int = 1
    """1, and one more each time that a failed example was tried again."""
    output: Output | None = None
    """None where the target failed."""
    score: Score
    """Of a failed example: what a failure counts as."""
    failure: Failure | None = None
    usage: dict[str, int] = Field(default_factory=dict)
    """`input_tokens`, `output_tokens`, `model_calls`; the judge's own under `judge_input_tokens`, ..."""
    timings: dict[str, float] = Field(default_factory=dict)
    """Seconds: `total_s`, and by node."""
    trace: str | None = None
    """The trace's path, relative to the run's folder."""
    at: str = ""
    """When it was finished, UTC."""
