"""BM25: the fast engine against rank-bm25 itself."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wardround.corpora.bm25 import Postings, PostingsBuilder, RankBM25

WORD = st.sampled_from("a b c d e f g".split())
PASSAGES = st.lists(st.lists(WORD, max_size=12), min_size=1, max_size=14)


def built(passages: Sequence[Sequence[str]], folder: Path) -> Postings:
    builder = PostingsBuilder()
    for passage in passages:
        builder.add(passage)
    builder.write(folder)
    return Postings(folder)


@settings(max_examples=250, deadline=None)
@given(passages=PASSAGES, query=st.lists(WORD | st.just("unknown"), max_size=8), k=st.integers(0, 16))
@example(passages=[["a"]], query=["a"], k=1)
@example(passages=[["a"], ["a"], ["a"]], query=["a", "a"], k=2)
@example(passages=[[], ["a"], []], query=["a"], k=3)
@example(passages=[[], []], query=["a"], k=3)
@example(passages=[["a", "b"], ["a", "c"], ["a", "b", "c"]], query=["a", "b", "c"], k=3)
def test_both_engines_find_the_same_rows_with_scores_equal_to_the_last_bit(
    passages: list[list[str]], query: list[str], k: int
) -> None:
    with TemporaryDirectory() as folder:
        postings, reference = built(passages, Path(folder)), RankBM25(passages)
        rows, scores = postings.top(query, k)
        wanted_rows, wanted_scores = reference.top(query, k)
        assert rows.tolist() == wanted_rows.tolist()
        assert scores.tolist() == wanted_scores.tolist()
        everywhere = np.arange(len(passages), dtype=np.int32)
        assert postings.score(query, everywhere).tolist() == reference.score(query, everywhere).tolist()


@settings(max_examples=100, deadline=None)
@given(passages=PASSAGES, query=st.lists(WORD, max_size=8), k=st.integers(1, 16))
def test_results_fall_in_score_and_ties_go_by_row(passages: list[list[str]], query: list[str], k: int) -> None:
    with TemporaryDirectory() as folder:
        rows, scores = built(passages, Path(folder)).top(query, k)
    order = list(zip((-scores).tolist(), rows.tolist(), strict=True))
    assert order == sorted(order)
    assert all(scores > 0)


@pytest.fixture(scope="module")
def large() -> list[list[str]]:
    """20,000 passages of random words whose frequencies fall as in language."""
    chance = random.Random(7)  # noqa: S311 - not for secrets
    vocabulary = [f"w{i}" for i in range(3000)]
    weights = [1 / (i + 1) for i in range(len(vocabulary))]
    return [chance.choices(vocabulary, weights, k=chance.randint(3, 40)) for _ in range(20_000)]


@pytest.fixture(scope="module")
def engines(large: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Postings, RankBM25]:
    return built(large, tmp_path_factory.mktemp("large")), RankBM25(large)


@pytest.mark.parametrize("k", [1, 10, 500])
def test_pruning_loses_nothing_in_a_large_corpus(
    engines: tuple[Postings, RankBM25], large: list[list[str]], k: int
) -> None:
    postings, reference = engines
    chance = random.Random(k)  # noqa: S311 - not for secrets
    for _ in range(12):
        query = [*chance.sample(chance.choice(large), 3), "w0", "w1", f"w{chance.randint(100, 2999)}", "unheard"]
        rows, scores = postings.top(query, k)
        wanted_rows, wanted_scores = reference.top(query, k)
        assert rows.tolist() == wanted_rows.tolist()
        assert scores.tolist() == wanted_scores.tolist()


def test_only_part_of_a_large_corpus_is_scored(
    engines: tuple[Postings, RankBM25], monkeypatch: pytest.MonkeyPatch
) -> None:
    postings, _ = engines
    scored: list[int] = []
    whole = Postings.score

    def counting(self: Postings, terms: Sequence[str], rows: np.ndarray) -> np.ndarray:
        scored.append(len(rows))
        return whole(self, terms, rows)

    monkeypatch.setattr(Postings, "score", counting)
    postings.top(["w2500", "w900", "w0", "w1", "w2"], 10)
    assert scored[0] < 500


def test_terms_are_known_where_a_passage_holds_them(tmp_path: Path) -> None:
    for engine in (built([["a"], ["b"]], tmp_path), RankBM25([["a"], ["b"]])):
        assert engine.known("a")
        assert not engine.known("c")
        assert not engine.known("")


def test_a_corpus_without_words_finds_nothing(tmp_path: Path) -> None:
    for engine in (built([[], []], tmp_path), RankBM25([[], []])):
        assert engine.top(["a", ""], 5)[0].tolist() == []
        assert not engine.known("")
