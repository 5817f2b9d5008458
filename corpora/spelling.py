"""Correcting misspelt names: words within a few edits, found by symmetric deletion (SymSpell, W. Garbe, 2012).

Every word of the vocabulary is stored under all strings that come from its first seven letters by deleting up to two.
A query word is looked up under the same kind of strings; what meets is then measured with the real edit distance.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

SHORTEST = 5
_PREFIX = 7
_DELETIONS = 2


def _shortened(word: str) -> set[str]:
    level = {word[:_PREFIX]}
    found = set(level)
    for _ in range(_DELETIONS):
        level = {w[:i] + w[i + 1 :] for w in level for i in range(len(w))}
        found |= level
    return found


def _hashes(word: str) -> list[int]:
    return [zlib.crc32(s.encode()) for s in _shortened(word)]


def most_edits(word: str) -> int:
    """How many edits a misspelling of this length may have."""
    size = len(word)
    return 0 if size < SHORTEST else 1 if size < 8 else 2 if size < 11 else 3


def write_spelling(words: Iterable[str], folder: Path) -> None:
    """Write the arrays that `Spelling` opens, for words of at least five letters."""
    vocabulary = sorted({w for w in words if len(w) >= SHORTEST})
    hashes: list[int] = []
    ids: list[int] = []
    for i, word in enumerate(vocabulary):
        own = _hashes(word)
        hashes.extend(own)
        ids.extend([i] * len(own))
    order = np.argsort(np.array(hashes, dtype=np.uint32), kind="stable")
    (folder / "words.txt").write_bytes("\n".join(vocabulary).encode())
    np.save(folder / "hashes.npy", np.array(hashes, dtype=np.uint32)[order])
    np.save(folder / "ids.npy", np.array(ids, dtype=np.int32)[order])


class Spelling:
    """The vocabulary of names, searchable by misspelt words."""

    def __init__(self, folder: Path) -> None:
        """Open the arrays in `folder`, memory-mapped."""
        self._words: Sequence[str] = (folder / "words.txt").read_bytes().decode().split("\n")
        self._hashes = np.load(folder / "hashes.npy", mmap_mode="r", allow_pickle=False)
        self._ids = np.load(folder / "ids.npy", mmap_mode="r", allow_pickle=False)

    def closest(self, word: str) -> list[tuple[str, int]]:
        """The words nearest to `word` (folded) and their distance; empty when none is near enough.

        The first letter must be right unless the rest is off by one edit at most: people get the beginning right.
        """
        from rapidfuzz.distance import OSA

        limit = most_edits(word)
        if not limit:
            return []
        wanted = np.array(_hashes(word), dtype=np.uint32)
        lows = np.searchsorted(self._hashes, wanted, side="left")
        highs = np.searchsorted(self._hashes, wanted, side="right")
        near = {int(i) for low, high in zip(lows, highs, strict=True) for i in self._ids[low:high]}
        found: list[tuple[str, int]] = []
        for i in near:
            candidate = self._words[i]
            allowed = min(limit, most_edits(candidate)) if candidate[0] == word[0] else 1
            distance = OSA.distance(word, candidate, score_cutoff=allowed)
            if distance <= allowed:
                found.append((candidate, distance))
        best = min((d for _, d in found), default=0)
        return sorted((w, d) for w, d in found if d == best)
