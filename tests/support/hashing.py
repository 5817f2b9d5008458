"""An encoder and a cross-encoder without a model: words hashed into dimensions, words shared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from wardround.corpora.words import terms


class HashingEncoder:
    """Each word adds to one of the dimensions; words that `alike` maps to one word are one."""

    def __init__(self, *, alike: Mapping[str, str] | None = None, dimensions: int = 64, name: str = "hash@1") -> None:
        self.name = name
        self.dimensions = dimensions
        self._alike = dict(alike or {})
        self.encoded: list[str] = []
        """Every text encoded so far."""

    def encode(self, texts: Sequence[str], *, kind: Literal["query", "passage"]) -> npt.NDArray[np.float32]:
        assert kind in ("query", "passage")
        self.encoded.extend(texts)
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in terms(text):
                digest = hashlib.sha256(self._alike.get(word, word).encode()).digest()
                vectors[row, int.from_bytes(digest[:4], "big") % self.dimensions] += 1
            vectors[row, 0] += 1e-3  # a text without words has a direction too
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class SharedWords:
    """A cross-encoder: how many of the words of the query a text holds, less its length for ties."""

    name = "shared-words@1"

    def __init__(self) -> None:
        self.read: list[int] = []
        """How many texts each call brought."""

    def score(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.read.append(len(texts))
        asked = set(terms(query))
        return np.array([len(asked & set(terms(t))) - len(t) / 1e5 for t in texts], dtype=np.float32)
