"""Multiple choice in the formats in which it is published: MedQA, Medbullets, MedXpertQA, MMMU and MMMU-Pro.

The format is told by the fields. Images are shown where the file embeds them (parquet) or a folder has them; where a
question has images that are not shown, it is put as text only and the run says so.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from ...errors import UserError
from ..benchmark import Benchmark, Example
from ..choices import METRICS, example_of, prompt, score_choice
from ..reading import Row, read_rows, sha256_of, text_field

_CHOICES: Final = re.compile(r"\n\s*Answer Choices:\s*(?=\(A\))")
_CHOICE: Final = re.compile(r"\s*\(([A-J])\)\s+")
_IMAGES: Final = 7
"""MMMU's columns are `image_1` to `image_7`."""


class Question(NamedTuple):
    """One row, read."""

    text: str
    options: Mapping[str, str]
    answer: str
    groups: Mapping[str, Sequence[str]]
    images: Sequence[str | bytes]
    """File names, or the content of embedded files."""


def load(data: Path, *, images: Path | None = None, embedded: Path | None = None) -> Benchmark:
    """The benchmark over any of the formats.

    Args:
        data: JSONL, a JSON list, or parquet.
        images: the folder that image file names start from.
        embedded: where images that stand in the file are written, once, by the hash of their content; default: not
            shown.

    Raises:
        UserError: the file can't be read, or its format is none of those known.
    """
    rows = read_rows(data)
    name, read = _format_of(rows[0])
    examples: list[Example] = []
    open_ended = text_only = 0
    for number, row in enumerate(rows, start=1):
        question = read(row)
        if question is None:
            open_ended += 1
            continue
        shown = [path for image in question.images if (path := _shown(image, row, images, embedded))]
        text_only += len(shown) < len(question.images)
        examples.append(
            example_of(
                str(row.data.get("id") or number),
                question.text,
                question.options,
                question.answer,
                groups=question.groups,
                images=[str(path) for path in shown],
            )
        )
    notes: list[str] = []
    if text_only:
        notes.append(f"Text only: {text_only} of {len(examples)} questions have images that were not shown.")
    if open_ended:
        notes.append(f"{open_ended} of {len(rows)} rows are no multiple choice and were left out.")
    return Benchmark(
        name="multiple-choice",
        examples=examples,
        metrics=METRICS,
        score=score_choice,
        options={
            "data": data.name,
            "data_sha256": sha256_of(data)[:16],
            "format": name,
            "images": text_only == 0,
            "prompt": prompt()[1],
        },
        notes=notes,
    )


def _format_of(row: Row) -> tuple[str, Callable[[Row], Question | None]]:
    fields = set(row.data)
    for name, needed, read in _FORMATS:
        if needed <= fields:
            return name, read
    shown = ", ".join(f"`{field}`" for field in row.data)
    known = ", ".join(dict.fromkeys(name for name, _, _ in _FORMATS))
    raise UserError(f"{row.where} has the fields {shown}: the formats known are {known}")


def _medqa(row: Row) -> Question:
    options = _options(row)
    return _checked(
        row, text_field(row, "question"), options, text_field(row, "answer_idx"), {"step": _some(row, "meta_info")}
    )


def _medbullets(row: Row) -> Question:
    texts = {letter: row.data.get(f"op{letter.lower()}") or row.data.get(f"choices{letter}") for letter in "ABCDE"}
    options = {letter: str(text) for letter, text in texts.items() if text}
    return _checked(row, text_field(row, "question"), options, text_field(row, "answer_idx"), {})


def _medxpertqa(row: Row) -> Question:
    """The question's text repeats its options, in MedQA's copy in this format they stand nowhere else."""
    text, _, listed = _cut(text_field(row, "question"))
    given: Any = row.data.get("options")
    if given:
        options = {str(option["letter"]): str(option["content"]) for option in given}
    else:
        parts = _CHOICE.split(listed)[1:]
        options = dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    label = row.data["label"]
    answer = str(label[0] if isinstance(label, list) else label)
    names = {"type": "question_type", "system": "body_system", "task": "medical_task"}
    groups = {dimension: _some(row, field) for dimension, field in names.items()}
    images = [str(image["image_path"]) for image in cast("list[dict[str, Any]]", row.data.get("images") or [])]
    return _checked(row, text, options, answer, groups, images)


def _mmmu(row: Row) -> Question | None:
    if str(row.data.get("question_type", "multiple-choice")) != "multiple-choice":
        return None
    given = row.data["options"]
    try:
        texts: Any = ast.literal_eval(given) if isinstance(given, str) else given
        options = dict(zip(string.ascii_uppercase, map(str, texts), strict=False))
    except (ValueError, SyntaxError, TypeError):
        raise UserError(f"{row.where}: `options` is no list") from None
    found = [row.data.get(f"image_{n}") for n in range(1, _IMAGES + 1)] + [row.data.get("image")]
    images: list[str | bytes] = []
    for image in found:
        held = cast("dict[str, Any]", image).get("bytes") if isinstance(image, dict) else image
        if held:
            images.append(held)
    subject = _some(row, "subject") or [str(row.data.get("id", "")).rpartition("_")[0].removeprefix("validation_")]
    groups = {"subject": [name for name in subject if name], "difficulty": _some(row, "topic_difficulty")}
    return _checked(row, str(row.data.get("question") or ""), options, text_field(row, "answer"), groups, images)


_FORMATS: Final[tuple[tuple[str, frozenset[str], Callable[[Row], Question | None]], ...]] = (
    ("MedQA", frozenset({"question", "options", "answer_idx"}), _medqa),
    ("Medbullets", frozenset({"question", "opa", "answer_idx"}), _medbullets),
    ("Medbullets", frozenset({"question", "choicesA", "answer_idx"}), _medbullets),
    ("MedXpertQA", frozenset({"question", "label"}), _medxpertqa),
    ("MMMU", frozenset({"question", "options", "answer", "image_1"}), _mmmu),
    ("MMMU-Pro", frozenset({"options", "answer", "image"}), _mmmu),
)


def _cut(question: str) -> tuple[str, str, str]:
    match = _CHOICES.search(question)
    return (question, "", "") if match is None else (question[: match.start()], match.group(), question[match.end() :])


def _options(row: Row) -> dict[str, str]:
    given = row.data["options"]
    if isinstance(given, dict):
        return {str(letter): str(text) for letter, text in cast("dict[str, Any]", given).items() if text is not None}
    raise UserError(f"{row.where}: `options` is no object of letter and text")


def _some(row: Row, field: str) -> list[str]:
    value = row.data.get(field)
    return [str(value)] if value else []


def _checked(
    row: Row,
    text: str,
    options: Mapping[str, str],
    answer: str,
    groups: Mapping[str, Sequence[str]],
    images: Sequence[str | bytes] = (),
) -> Question:
    letter = answer.strip().upper()
    if letter not in options:
        raise UserError(f"{row.where}: the answer `{answer}` is none of the options {', '.join(options) or '(none)'}")
    return Question(text, options, letter, groups, images)


def _shown(image: str | bytes, row: Row, images: Path | None, embedded: Path | None) -> Path | None:
    """Where the image lies; None where it is not shown."""
    if isinstance(image, bytes):
        return _written(image, embedded) if embedded else None
    if images is None:
        return None
    path = images / image
    if not path.is_file():
        raise UserError(f"{row.where}: the image `{path}` is not there: check `--images`, or leave it out")
    return path


def _written(content: bytes, folder: Path) -> Path:
    import hashlib

    kind = "png" if content.startswith(b"\x89PNG") else "webp" if content[8:12] == b"WEBP" else "jpg"
    path = folder / f"{hashlib.sha256(content).hexdigest()[:24]}.{kind}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return path
