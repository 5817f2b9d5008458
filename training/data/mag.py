"""Demonstrations of MedRecord-Augmented Generation: comparing two films, with the earlier record before the question.

After arXiv 2502.11651, section 5, on files in the format of MMXU's development set or of a synthetic cohort. A question
is put word for word as the benchmark puts it; the reply is the right option's text and then its letter, so that a model
too small to choose a letter outright can first say what changed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from ...errors import UserError
from ...evals.benchmark import Example
from ...evals.benchmarks.mmxu import Comparing, Current, Records, load
from ...evals.choices import options_of, prompt
from ...evals.reading import sha256_of
from .rows import IMAGE_MARK, ChatMessage, SftRow


def mag_rows(
    data: Path,
    *,
    out: Path,
    records: Records = "none",
    comparisons: Comparing = "mark",
    images: Path | None = None,
    current: Current = "image",
) -> list[SftRow]:
    """A demonstration for each question; the patient is the entity that a split must not part.

    Args:
        data: the questions.
        out: the file that the rows are for: image paths are relative to its folder.
        records: what of the earlier report stands before the question.
        comparisons: what becomes of sentences in it that compare with a still earlier film.
        images: the folder that the image paths start from; without it rows are text only.
        current: `words` tells what the current film shows, a text proxy for models that see none.

    Raises:
        UserError: the file can't be read, or lacks what an option needs.
    """
    benchmark = load(data, records=records, comparisons=comparisons, images=images, current=current)
    made_from: dict[str, JsonValue] = {
        "builder": "mag",
        "data": data.name,
        "data_sha256": sha256_of(data),
        "records": records,
        "comparisons": comparisons,
        "current": current,
        "prompt": prompt()[1],
    }
    rows: list[SftRow] = []
    for example in benchmark.examples:
        text, shown = asked(example)
        answer = str(example.gold["answer"])
        rows.append(
            SftRow(
                id=f"mag-{records}-{example.id}",
                images=tuple(os.path.relpath(path, out.parent) for path in shown),
                messages=(
                    ChatMessage(role="user", content=IMAGE_MARK * len(shown) + text),
                    ChatMessage(role="assistant", content=f"{options_of(example)[answer]}\nAnswer: {answer}"),
                ),
                source=made_from | {"question": example.id, **({"entity": example.cluster} if example.cluster else {})},
            )
        )
    return rows


def asked(example: Example) -> tuple[str, Sequence[str]]:
    """What a question's only turn says, and the paths of its images.

    Raises:
        UserError: the question shows cut-out regions, which rows can't.
    """
    content: Any = example.messages[-1]["content"]
    if isinstance(content, str):
        return content, ()
    parts = cast("Sequence[dict[str, Any]]", content)
    if any(part.get("box") for part in parts):
        raise UserError(f"question `{example.id}` shows regions cut out of its images: rows have whole images only")
    shown = [str(part["path"]) for part in parts if part["type"] == "image_file"]
    return "".join(str(part["text"]) for part in parts if part["type"] == "text"), shown
