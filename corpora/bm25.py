"""BM25 with rank-bm25's scores (BM25Okapi, its floor for negative idf included), fast over memory-mapped postings.

Formula and floor: Trotman, Jia, Crane, "Towards an Efficient and Effective Search Engine" (ATIRE), as implemented in
rank-bm25's `BM25Okapi` with k1 = 1.5, b = 0.75, epsilon = 0.25. Every posting holds its finished contribution in
64 bit, computed with the same operations in the same order, so scores are equal to the last bit, not just close.

Why not bm25s: none of its idf variants has the floor, and it adds up every posting of every term of a query. Here the
long lists of common words are only looked up for passages that can still reach the top (MaxScore: Turtle, Flood 1995).
`docs/decisions/0003-bm25-engine.md` has the measurements.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

K1, B, EPSILON = 1.5, 0.75, 0.25
Rows = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float64]


class LexicalEngine(Protocol):
    """What search needs of a lexical ranker."""

    def top(self, terms: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """The rows of the `k` best passages with positive scores, best first, ties by row, and their scores."""
        ...

    def score(self, terms: Sequence[str], rows: Rows) -> Scores:
        """The scores of the passages in `rows` (ascending)."""
        ...

    def known(self, term: str) -> bool:
        """Whether any passage holds `term`."""
        ...


class Postings:
    """The built index: for each term the passages that hold it, and what it adds to their score."""

    def __init__(self, folder: Path) -> None:
        """Open the arrays in `folder`, memory-mapped."""
        vocabulary = (folder / "terms.txt").read_bytes().decode().split("\n")
        self._ids = {term: i for i, term in enumerate(vocabulary) if term}
        self._first = np.load(folder / "first.npy", mmap_mode="r", allow_pickle=False)
        self._rows = np.load(folder / "rows.npy", mmap_mode="r", allow_pickle=False)
        self._adds = np.load(folder / "adds.npy", mmap_mode="r", allow_pickle=False)
        self._peak = np.load(folder / "peak.npy", allow_pickle=False)
        self._size = int(np.load(folder / "size.npy", allow_pickle=False))

    def top(self, terms: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """See `LexicalEngine.top`."""
        wanted = self._wanted(terms)
        if not wanted or k <= 0:
            return np.empty(0, np.int32), np.empty(0)
        rows = self._candidates(wanted, k)
        scores = self.score(terms, rows)
        order = np.lexsort((rows, -scores))[:k]
        order = order[scores[order] > 0]
        return rows[order], scores[order]

    def _wanted(self, terms: Iterable[str]) -> list[tuple[int, int]]:
        """(term id, repetitions) of the known terms, shortest posting list first."""
        counted = Counter(self._ids[t] for t in terms if t in self._ids)
        return sorted(counted.items(), key=lambda item: int(self._first[item[0] + 1] - self._first[item[0]]))

    def _candidates(self, wanted: list[tuple[int, int]], k: int) -> Rows:
        """All rows that can be among the best `k`; a few more than `k`, mostly."""
        ahead = [float(self._peak[term]) * times for term, times in wanted]
        if min(ahead) < 0:  # a negative floor, in tiny corpora only: partial sums bound nothing
            return np.unique(np.concatenate([self._list(term)[0] for term, _ in wanted]))
        total = np.zeros(self._size)
        enough = 0.0  # k passages are known to reach this score
        for i, (term, times) in enumerate(wanted):
            rows, adds = self._list(term)
            total[rows] += adds * times
            if len(rows) >= k:
                enough = max(enough, float(np.partition(total[rows], len(rows) - k)[-k]))
            rest = sum(ahead[i + 1 :])
            # A passage not met so far can only get `rest`: once that isn't enough, no new ones come in.
            if enough > rest or i + 1 == len(wanted):
                margin = 1e-9 * (1.0 + enough)
                found = np.flatnonzero(total >= max(enough - rest - margin, np.nextafter(0.0, 1.0)))
                return self._narrow(found, total[found], wanted[i + 1 :], ahead[i + 1 :], k)
        raise AssertionError("unreachable: the last term always returns")

    def _narrow(
        self,
        rows: npt.NDArray[np.intp],
        totals: Scores,
        wanted: list[tuple[int, int]],
        ahead: list[float],
        k: int,
    ) -> Rows:
        """Add the remaining, long lists for candidates only, dropping those that fall behind."""
        for i, (term, times) in enumerate(wanted):
            totals = totals + self._look_up(term, rows) * times
            if len(rows) > k:
                enough = float(np.partition(totals, len(rows) - k)[-k])
                rest = sum(ahead[i + 1 :])
                keep = totals >= enough - rest - 1e-9 * (1.0 + enough)
                rows, totals = rows[keep], totals[keep]
        return rows.astype(np.int32)

    def known(self, term: str) -> bool:
        """See `LexicalEngine.known`."""
        return term in self._ids

    def score(self, terms: Sequence[str], rows: Rows) -> Scores:
        """See `LexicalEngine.score`. Adds up in the order of `terms`, as rank-bm25 does: equal to the last bit."""
        totals = np.zeros(len(rows))
        for term in terms:
            if (known := self._ids.get(term)) is not None:
                totals += self._look_up(known, rows)
        return totals

    def _list(self, term: int) -> tuple[Rows, Scores]:
        span = slice(int(self._first[term]), int(self._first[term + 1]))
        return self._rows[span], self._adds[span]

    def _look_up(self, term: int, rows: npt.NDArray[np.integer]) -> Scores:
        held, adds = self._list(term)
        at = np.searchsorted(held, rows.astype(held.dtype, copy=False))
        inside = np.minimum(at, len(held) - 1)
        return np.where(held[inside] == rows, adds[inside], 0.0)


class PostingsBuilder:
    """Collects the terms of passages in row order and writes the arrays that `Postings` opens."""

    def __init__(self) -> None:
        self._ids: defaultdict[str, int] = defaultdict(count().__next__)
        self._flat: list[npt.NDArray[np.int32]] = []
        self._chunk: list[int] = []
        self._lengths: list[int] = []

    def add(self, terms: Sequence[str]) -> None:
        """The next passage's terms."""
        self._chunk.extend(map(self._ids.__getitem__, terms))
        self._lengths.append(len(terms))
        if len(self._chunk) > 1 << 20:
            self._flush()

    def _flush(self) -> None:
        self._flat.append(np.array(self._chunk, dtype=np.int32))
        self._chunk = []

    def write(self, folder: Path) -> None:
        """Write the finished index into `folder`, which must exist."""
        self._flush()
        size = len(self._lengths)
        lengths = np.array(self._lengths, dtype=np.int64)
        keys = np.concatenate(self._flat).astype(np.int64) * max(size, 1)
        self._flat = []
        keys += np.repeat(np.arange(size, dtype=np.int64), lengths)
        keys.sort()
        start = np.flatnonzero(np.diff(keys, prepend=-1)) if len(keys) else np.empty(0, np.int64)
        counts = np.diff(np.append(start, len(keys)))
        keys = keys[start]
        terms, rows = np.divmod(keys, max(size, 1))
        first = np.searchsorted(terms, np.arange(len(self._ids) + 1))
        idf = okapi_idf(np.diff(first), size)
        # The same operations in the same order as rank-bm25, so that rounding is the same too.
        adds = idf[terms] * (counts * (K1 + 1) / (counts + K1 * (1 - B + B * lengths[rows] / _mean(lengths))))
        peak = np.full(len(self._ids), -np.inf)
        if len(adds):
            np.maximum.at(peak, terms, adds)
        (folder / "terms.txt").write_bytes("\n".join(self._ids).encode())
        np.save(folder / "first.npy", first)
        np.save(folder / "rows.npy", rows.astype(np.int32))
        np.save(folder / "adds.npy", adds)
        np.save(folder / "peak.npy", peak)
        np.save(folder / "size.npy", np.array(size))


def _mean(lengths: npt.NDArray[np.int64]) -> float:
    return float(lengths.sum()) / len(lengths) if lengths.sum() else 1.0


def okapi_idf(document_frequency: npt.NDArray[np.integer], size: int) -> npt.NDArray[np.float64]:
    """BM25Okapi's idf of each term: log((N - df + 0.5) / (df + 0.5)), negative ones replaced by a quarter of the mean.

    Math functions and the order of the sum are those of rank-bm25, so that the floor is the same number.
    """
    idf = np.array([math.log(size - df + 0.5) - math.log(df + 0.5) for df in document_frequency.tolist()])
    if len(idf):
        idf[idf < 0] = EPSILON * (sum(idf.tolist()) / len(idf))
    return idf


class RankBM25:
    """rank-bm25 itself behind the same interface: for small corpora, and the reference that tests compare with."""

    def __init__(self, passages: Sequence[Sequence[str]]) -> None:
        """Index the terms of all passages, in row order. Time and memory grow quickly: see `docs/performance.md`."""
        from rank_bm25 import BM25Okapi

        # Without a single term rank-bm25 divides by zero.
        known = any(passages)
        self._okapi = BM25Okapi([list(p) for p in passages], k1=K1, b=B, epsilon=EPSILON) if known else None
        self._size = len(passages)

    def top(self, terms: Sequence[str], k: int) -> tuple[Rows, Scores]:
        """See `LexicalEngine.top`."""
        scores = self._scores(terms)
        order = np.lexsort((np.arange(len(scores)), -scores))[: max(k, 0)]
        order = order[scores[order] > 0]
        return order.astype(np.int32), scores[order]

    def score(self, terms: Sequence[str], rows: Rows) -> Scores:
        """See `LexicalEngine.score`."""
        return self._scores(terms)[rows]

    def known(self, term: str) -> bool:
        """See `LexicalEngine.known`."""
        return self._okapi is not None and term in self._okapi.idf

    def _scores(self, terms: Sequence[str]) -> Scores:
        if self._okapi is None:
            return np.zeros(self._size)
        return np.asarray(self._okapi.get_scores(list(terms)), dtype=np.float64)
