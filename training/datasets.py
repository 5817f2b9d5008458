"""Rows as tokens in a folder, as the trainers read them; what was left out is counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import UserError
from .data import PreferenceRow, SftRow
from .encoding import IGNORED, encode, encode_pair

if TYPE_CHECKING:
    from datasets import Dataset


class Prepared(NamedTuple):
    """A data set for a trainer."""

    dataset: Dataset
    lengths: list[int]
    """Tokens of each row (of a pair: of both)."""
    learned: int
    """Tokens with a label, over all rows."""
    too_long: int
    """Rows that were left out."""


def sft_dataset(rows: Sequence[SftRow], tokenizer: Any, *, max_length: int, where: Path) -> Prepared:
    """Demonstrations as `input_ids`, `labels` and `weight`.

    Raises:
        UserError: a row that the chat template refuses, or none that is short enough.
    """
    encoded = [(row, encode(row, tokenizer)) for row in rows]
    kept = [(row, found) for row, found in encoded if len(found.input_ids) <= max_length]
    _check_some(len(kept), len(rows), max_length, where)
    from datasets import Dataset

    dataset = Dataset.from_list(
        [{"input_ids": found.input_ids, "labels": found.labels, "weight": row.weight} for row, found in kept]
    )
    return Prepared(
        dataset,
        [len(found.input_ids) for _, found in kept],
        sum(label != IGNORED for _, found in kept for label in found.labels),
        len(rows) - len(kept),
    )


def dpo_dataset(
    rows: Sequence[PreferenceRow], tokenizer: Any, *, max_length: int, where: Path, folder: Path
) -> Prepared:
    """Pairs as `prompt_ids`, `chosen_ids` and `rejected_ids`, kept in `folder`, where every process finds them.

    Raises:
        UserError: as `sft_dataset`.
    """
    encoded = [encode_pair(row, tokenizer) for row in rows]
    kept = [
        pair
        for pair in encoded
        if len(pair.prompt_ids) + max(len(pair.chosen_ids), len(pair.rejected_ids)) <= max_length
    ]
    _check_some(len(kept), len(rows), max_length, where)
    from datasets import Dataset, load_from_disk

    if not (folder / "state.json").is_file():
        Dataset.from_list([pair._asdict() for pair in kept]).save_to_disk(folder)
    dataset: Any = load_from_disk(folder)
    lengths = [2 * len(pair.prompt_ids) + len(pair.chosen_ids) + len(pair.rejected_ids) for pair in kept]
    learned = sum(len(pair.chosen_ids) + len(pair.rejected_ids) for pair in kept)
    return Prepared(dataset, lengths, learned, len(rows) - len(kept))


def _check_some(kept: int, rows: int, max_length: int, where: Path) -> None:
    if not rows:
        raise UserError(f"`{where}` has no rows: nothing can be learned from it")
    if not kept:
        raise UserError(f"no row of `{where}` has at most {max_length} tokens: raise `max_length`")


def sft_collator(pad: int) -> Any:
    """A function from rows of `sft_dataset` to a batch, padded on the right.

    A batch has `input_ids`, `attention_mask`, `labels` (rows x tokens) and `loss_weights` (rows).
    """
    import torch

    def collate(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        width = max(len(row["input_ids"]) for row in rows)

        def padded(values: list[list[int]], filler: int) -> Any:
            return torch.tensor([one + [filler] * (width - len(one)) for one in values])

        batch = {
            "input_ids": padded([row["input_ids"] for row in rows], pad),
            "attention_mask": padded([[1] * len(row["input_ids"]) for row in rows], 0),
            "labels": padded([row["labels"] for row in rows], IGNORED),
        }
        if any(row["weight"] != 1 for row in rows):
            batch["loss_weights"] = torch.tensor([float(row["weight"]) for row in rows])
        return batch

    return collate
