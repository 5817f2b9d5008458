"""MMXU: what changed between two chest X-rays? (arXiv 2502.11651)

The official test file names images of MIMIC-CXR, which need access of their own, and holds no reports. Questions about
one patient are not independent, so intervals are over patients.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from ...errors import UserError
from ..benchmark import Benchmark, Example
from ..choices import METRICS, example_of, prompt, score_choice
from ..reading import Row, read_rows, sha256_of, text_field

_PATIENT: Final = re.compile(r"(?:^|/)p(\d{8})(?:/|$)")
_REPORT: Final = "The report of the earlier film:\n{report}\n\n{question}"
Records = Literal["none", "global"]


def load(data: Path, *, records: Records = "none", images: Path | None = None) -> Benchmark:
    """The benchmark over the official test or development file.

    Args:
        data: JSONL with `question`, `options`, `answer`, `content_type` and two image paths.
        records: `global` puts the whole earlier report (`prior_report`, a field of the development file) before the
            question.
        images: the folder that the image paths start from; without it the questions are text only.

    Raises:
        UserError: the file can't be read, or lacks what `records` or `images` need.
    """
    rows = read_rows(data)
    examples = [_example(row, records, images) for row in rows]
    notes: list[str] = []
    if images is None:
        notes.append("Text only: no images were given, so the films themselves were not shown.")
    return Benchmark(
        name="mmxu",
        examples=examples,
        metrics=METRICS,
        score=score_choice,
        options={
            "data": data.name,
            "data_sha256": sha256_of(data)[:16],
            "records": records,
            "images": images is not None,
            "prompt": prompt()[1],
        },
        notes=notes,
    )


def _example(row: Row, records: Records, images: Path | None) -> Example:
    options = row.data.get("options")
    answer = text_field(row, "answer")
    if not isinstance(options, dict) or answer not in options:
        raise UserError(f"{row.where}: `options` is no object with the answer `{answer}`")
    question = text_field(row, "question")
    if records == "global":
        report = row.data.get("prior_report")
        if not isinstance(report, str) or not report.strip():
            raise UserError(f"{row.where} has no `prior_report`: the official test file has none; use `--records none`")
        question = _REPORT.format(report=report.strip(), question=question)
    current, prior = text_field(row, "cur_image_path"), _first(row.data.get("prior_image_path"))
    patient = _PATIENT.search(current)
    shown = [images / prior, images / current] if images else []
    if missing := next((path for path in shown if not path.is_file()), None):
        raise UserError(f"{row.where}: the image `{missing}` is not there: check `--images`, or leave it out")
    return example_of(
        text_field(row, "id"),
        question,
        {str(letter): str(text) for letter, text in options.items()},
        answer,
        groups={"type": [text_field(row, "content_type")]},
        cluster=patient[1] if patient else None,
        images=[str(path) for path in shown],
    )


def _first(value: object) -> str:
    """The development file gives a list of earlier images, the newest first."""
    return str(value[0] if isinstance(value, list) and value else value)
