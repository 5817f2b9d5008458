"""Rows with images, for vision-language models. Images are read and turned into pixels batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .base_model import Base
from .config import TrainingConfig
from .data import ChatMessage, PreferenceRow, SftRow
from .data.rows import IMAGE_MARK
from .datasets import Prepared
from .encoding import IGNORED

if TYPE_CHECKING:
    from PIL.Image import Image


def vision_dataset(
    rows: Sequence[SftRow] | Sequence[PreferenceRow], base: Base, config: TrainingConfig, *, where: Path
) -> Prepared:
    """Rows as TRL's vision collators read them: `prompt`, `completion` (or `chosen`, `rejected`) and `images`.

    A conversation is learned at its last turn. Lengths are the text's, in characters; images come on top.

    Raises:
        UserError: a row or image cannot be used, or the config asks for what images do not go with.
    """
    if config.grouping == "packing":
        raise UserError(f"`{where}` has images: they cannot be packed, set `grouping` to `length`")
    if config.kind == "dpo" and config.dpo.precompute_reference:
        raise UserError(f"`{where}` has images: set `dpo.precompute_reference` to false, they are not kept as numbers")
    if not rows:
        raise UserError(f"`{where}` has no rows: nothing can be learned from it")
    from datasets import Dataset

    told = [_as_columns(row, where.parent) for row in rows]
    for row in rows:
        for image in row.images:
            open_image(where.parent / image)
    lengths = [sum(len(str(value)) for value in one.values()) for one in told]
    del base
    return Prepared(Dataset.from_list(told), lengths, 0, 0)


def vision_collator(base: Base, config: TrainingConfig) -> Any:
    """A function from rows of `vision_dataset` to a batch, on TRL's collators.

    Labels (or completion masks) are on the reply up to the token that ends the turn.
    """
    from trl.trainer.dpo_trainer import DataCollatorForVisionPreference
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    collate: Any = (
        DataCollatorForVisionLanguageModeling(processor=base.processor, completion_only_loss=True)
        if config.kind == "sft"
        else DataCollatorForVisionPreference(processor=base.processor)
    )
    end = base.tokenizer.eos_token_id

    def collating(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        batch = collate([_with_images(row) for row in rows])
        if "labels" in batch:
            after = _after_the_end(batch["labels"], end)
            batch["labels"] = batch["labels"].masked_fill(after, IGNORED)
        if "completion_mask" in batch:
            shown = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
            batch["completion_mask"] = batch["completion_mask"].masked_fill(_after_the_end(shown, end), 0)
        return dict(batch)

    return collating


def open_image(path: Path) -> Image:
    """An image as RGB.

    Raises:
        UserError: it is missing or no image.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except FileNotFoundError:
        raise UserError(f"the image `{path}` is not there: copy it there") from None
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f"the image `{path}` cannot be read ({error}): mend it or leave its row out") from None


def _as_columns(row: SftRow | PreferenceRow, folder: Path) -> dict[str, Any]:
    images = [str(folder / image) for image in row.images]
    if isinstance(row, SftRow):
        prompt, replies = row.messages[:-1], {"completion": row.messages[-1:]}
    else:
        prompt, replies = row.prompt, {"chosen": row.chosen, "rejected": row.rejected}
    marked = any(IMAGE_MARK in message.content for message in prompt)
    first = next((place for place, message in enumerate(prompt) if message.role == "user"), 0)
    told: dict[str, Any] = {
        "prompt": [
            _parts(message, len(images) if place == first and not marked else 0) for place, message in enumerate(prompt)
        ],
        "images": images,
    }
    return told | {name: [_parts(message, 0) for message in turns] for name, turns in replies.items()}


def _parts(message: ChatMessage, images_first: int) -> dict[str, Any]:
    """A message in the form of vision-language templates: a list of texts and places for images."""
    image = {"type": "image", "text": None}
    parts: list[dict[str, Any]] = [image] * images_first
    for place, text in enumerate(message.content.split(IMAGE_MARK)):
        if place:
            parts.append(image)
        if text:
            parts.append({"type": "text", "text": text})
    return {"role": message.role, "content": parts}


def _with_images(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"images": [open_image(Path(image)) for image in row["images"]]}


def _after_the_end(labels: Any, end: int) -> Any:
    """Where a row's labels stand behind the last token that ends a turn."""
    ends = (labels == end).flip(1).cumsum(1).flip(1)
    return (ends == 0) & (labels == end).any(1, keepdim=True)
