"""The order of rows: the same for a seed and an epoch, however the rows of a step are split up.

A step of `n` rows takes the next `n` of the order, whether one process takes them at once, in several batches, or
several processes take a part each; and a resumed run finds its place again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

_POOL: Final = 50
"""Steps whose rows are sorted by length together: a smaller pool pads more, a larger one mixes less."""


class GroupedOrder:
    """A sampler: indices of rows, by steps of rows of like length in random order.

    Args:
        lengths: of the rows, in tokens.
        step: rows that make an optimizer step, over all processes.
        seed: of the order.
        by_length: else rows are in plain random order.
    """

    def __init__(self, lengths: Sequence[int], *, step: int, seed: int, by_length: bool = True) -> None:
        self.lengths, self.step, self.seed, self.by_length = lengths, step, seed, by_length
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The trainer says which epoch begins."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        shuffled = list(range(len(self.lengths)))
        chance = random.Random(f"{self.seed}/{self.epoch}")  # noqa: S311 -- an order, no secret
        chance.shuffle(shuffled)
        if not self.by_length:
            return iter(shuffled)
        pool = self.step * _POOL
        steps: list[list[int]] = []
        rest: list[int] = []
        for start in range(0, len(shuffled), pool):
            ordered = sorted(shuffled[start : start + pool], key=lambda index: (self.lengths[index], index))
            parts = [ordered[at : at + self.step] for at in range(0, len(ordered), self.step)]
            if len(parts[-1]) < self.step:  # only the last pool has one: it stays last
                rest = parts.pop()
            steps += parts
        chance.shuffle(steps)
        for part in [*steps, rest]:  # within a step, so that no process always gets the long ones
            chance.shuffle(part)
        return iter([index for part in [*steps, rest] for index in part])
