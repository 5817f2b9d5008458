"""Search by words and by meaning together, where no medicine is named.

Which medicine a name means is never left to vectors: linking of names, the attribute asked about and the passages of a
named medicine are those of `Corpus`. Only its full-text part ranks otherwise here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ..errors import CorpusError
from .bm25 import Rows, Scores
from .dense import QUESTION, DenseIndex, passage_text
from .medicines import Attribute
from .search import Corpus

if TYPE_CHECKING:
    from ..models.encoders import CrossEncoder

RRF_K: Final = 60
"""Cormack, Clarke, Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and Individual Rank Learning Methods"
(SIGIR 2009): a rank r counts 1 / (60 + r)."""
RERANKED: Final = 30
"""Passages that the cross-encoder reads."""


class HybridCorpus(Corpus):
    """A corpus index whose full-text search fuses the ranks of BM25 and of the vectors."""

    def __init__(self, directory: Path, dense: DenseIndex, *, cross_encoder: CrossEncoder | None = None) -> None:
        """Open the index in `directory` with its vectors; the best 30 are read by `cross_encoder`, where given.
        `dense` stays the caller's to close.

        Raises:
            CorpusError: see `Corpus`; or `dense` belongs to another content.
        """
        super().__init__(directory)
        if dense.manifest.content_sha256 != self.manifest.content_sha256:
            self.close()
            raise CorpusError(
                f"the vectors of `{dense.directory}` are not those of the corpus index `{directory}`: open them again"
            )
        self._dense = dense
        self._cross_encoder = cross_encoder

    def _matching(self, text: str, n: int) -> tuple[Rows, Scores]:
        by_words, _ = super()._matching(text, n)
        by_meaning, _ = self._dense.top(text, n)
        return fused([by_words, by_meaning], n)

    def _full_text(self, text: str, wanted: Sequence[Attribute], k: int) -> list[tuple[int, float, str | None]]:
        if self._cross_encoder is None:
            return super()._full_text(text, wanted, k)
        found = super()._full_text(text, wanted, max(k, RERANKED))
        read, rest = found[:RERANKED], found[RERANKED:]
        rows = np.array([row for row, _, _ in read], dtype=np.int32)
        texts = [passage_text(p) for p in self._store.passages(rows.tolist())]
        logits = self._cross_encoder.score(text[-QUESTION:], texts)
        # The attribute counts as it does without a cross-encoder; what was not read stays behind.
        score = 0.2 / (1.0 + np.exp(-logits.astype(np.float64))) + 0.3 * self._attribute_worth(rows, wanted)
        best = np.lexsort((rows, -score))
        again: list[tuple[int, float, str | None]] = [(int(rows[i]), float(score[i]), None) for i in best]
        lowest = again[-1][1] if again else 0.0
        return [*again, *((row, min(score, lowest), name) for row, score, name in rest)][:k]


def fused(rankings: Sequence[Rows], n: int) -> tuple[Rows, Scores]:
    """The `n` best rows by reciprocal rank fusion of rankings (best first), ties by row, and their scores.

    Rows are numbered in the order of passage ids, so ties are broken by passage id.
    """
    rows, place = np.unique(np.concatenate([*rankings, np.empty(0, np.int32)]), return_inverse=True)
    scores = np.zeros(len(rows))
    shares = [1.0 / (RRF_K + np.arange(1, len(ranking) + 1)) for ranking in rankings]
    np.add.at(scores, place, np.concatenate([*shares, np.empty(0)]))
    best = np.lexsort((rows, -scores))[:n]
    return rows[best].astype(np.int32), scores[best]
