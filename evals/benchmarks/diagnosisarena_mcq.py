"""DiagnosisArena as multiple choice: the case, four diagnoses, the exact letter (arXiv 2505.14107)."""

from __future__ import annotations

from pathlib import Path

from ...errors import UserError
from ..benchmark import Benchmark, Example
from ..cases import BIAS, case_text, specialty_of
from ..choices import METRICS, example_of, prompt, score_choice
from ..reading import Row, read_rows, sha256_of, text_field


def load(data: Path) -> Benchmark:
    """The benchmark over the official file, JSONL or parquet.

    Raises:
        UserError: the file can't be read or holds something else.
    """
    return Benchmark(
        name="diagnosisarena-mcq",
        examples=[_example(row) for row in read_rows(data)],
        metrics=METRICS,
        score=score_choice,
        options={"data": data.name, "data_sha256": sha256_of(data)[:16], "prompt": prompt()[1]},
        notes=[BIAS],
    )


def _example(row: Row) -> Example:
    options = row.data.get("Options")
    right = text_field(row, "Right Option").strip().upper()
    if not isinstance(options, dict) or right not in options:
        raise UserError(f"{row.where}: `Options` is no object with the right option `{right}`")
    # Parquet gives every letter that any row has, null where this one hasn't.
    listed = {str(letter): str(text) for letter, text in options.items() if text is not None}
    question = f"{case_text(row)}\n\nWhich diagnosis fits best?"
    return example_of(text_field(row, "id"), question, listed, right, groups={"specialty": specialty_of(row)})
