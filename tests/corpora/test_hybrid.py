"""Words and meaning together; the meaning here is a list of words that count as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hashing import HashingEncoder, SharedWords
from hypothesis import given
from hypothesis import strategies as st
from invented import INVENTED, invented
from wardround.corpora import Attribute, Corpus, SearchCall, write_index
from wardround.corpora.dense import DenseIndex, build_dense
from wardround.corpora.hybrid import RERANKED, HybridCorpus, fused
from wardround.errors import CorpusError

ALIKE = {"sneez": "hayfev", "pollen": "hayfev"}
HELPS = invented("Sniffadine", texts={Attribute.INDICATIONS: "Sniffadine is for sneezing."})
OTHERS = tuple(
    invented(f"Otherol {i}", texts={Attribute.INDICATIONS: f"Otherol {i} is for sore toes.", Attribute.DOSAGE: "One."})
    for i in range(40)
)
ranking = st.lists(st.integers(0, 50), unique=True, max_size=20).map(lambda rows: np.array(rows, dtype=np.int32))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hybrid")
    write_index(directory, (*INVENTED, HELPS, *OTHERS))
    build_dense(directory, HashingEncoder(alike=ALIKE))
    return directory


@pytest.fixture(scope="module")
def dense(directory: Path) -> Iterator[DenseIndex]:
    index = DenseIndex(directory, HashingEncoder(alike=ALIKE))
    yield index
    index.close()


@pytest.fixture
def hybrid(directory: Path, dense: DenseIndex) -> HybridCorpus:
    return HybridCorpus(directory, dense)


def test_another_word_for_the_same_is_found(hybrid: HybridCorpus) -> None:
    assert hybrid.search("pollen", 1)[0].passage.medicine == "Sniffadine"


def test_words_alone_do_not_find_it(directory: Path) -> None:
    assert Corpus(directory).search("pollen", 1) == []


@pytest.mark.parametrize(
    "query",
    [
        "dose of Florbutinol tablets",
        "revastigmean side effects",
        SearchCall(medicine="Duobev", attribute=Attribute.STORAGE),
        SearchCall(medicine="Sanquil", keywords="rash"),
        SearchCall(medicine="示例洛尔", keywords="不良反应"),
    ],
)
def test_a_named_medicine_is_found_as_without_vectors(
    directory: Path, hybrid: HybridCorpus, query: str | SearchCall
) -> None:
    assert hybrid.search(query, 2) == Corpus(directory).search(query, 2)


@pytest.mark.parametrize("reader", [None, SharedWords()])
def test_a_call_with_a_medicine_stays_with_it(directory: Path, dense: DenseIndex, reader: SharedWords | None) -> None:
    hybrid = HybridCorpus(directory, dense, cross_encoder=reader)
    hits = hybrid.search(SearchCall(medicine="Sniffadine", keywords="sore toes rash"), 50)
    assert {h.passage.medicine for h in hits} == {"Sniffadine"}


def test_a_call_with_an_unknown_medicine_finds_nothing(hybrid: HybridCorpus) -> None:
    assert hybrid.search(SearchCall(medicine="Zzyzxine", keywords="sore toes"), 5) == []


def test_a_named_medicine_stays_before_what_words_and_meaning_find(hybrid: HybridCorpus) -> None:
    hits = hybrid.search("Revastigamine against pollen", 10)
    assert [h.passage.medicine for h in hits[:6]] == ["Revastigamine"] * 6
    assert hits[5].score > hits[6].score


def test_the_attribute_asked_about_still_decides(hybrid: HybridCorpus) -> None:
    hits = hybrid.search(SearchCall(attribute=Attribute.DOSAGE, keywords="sore toes"), 3)
    assert {h.passage.attribute for h in hits} == {Attribute.DOSAGE}


def test_the_cross_encoder_decides_the_order_of_what_it_reads(directory: Path, dense: DenseIndex) -> None:
    hybrid = HybridCorpus(directory, dense, cross_encoder=SharedWords())
    assert hybrid.search("sore toes number 17", 1)[0].passage.medicine == "Otherol 17"


def test_the_cross_encoder_reads_no_more_than_the_best(directory: Path, dense: DenseIndex) -> None:
    reader = SharedWords()
    hits = HybridCorpus(directory, dense, cross_encoder=reader).search("sore toes", 60)
    assert reader.read == [RERANKED]
    assert len(hits) > RERANKED


def test_scores_fall_beyond_what_the_cross_encoder_read(directory: Path, dense: DenseIndex) -> None:
    hits = HybridCorpus(directory, dense, cross_encoder=SharedWords()).search("sore toes", 60)
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


def test_the_same_question_gets_the_same_answer(hybrid: HybridCorpus) -> None:
    assert hybrid.search("sore toes and pollen", 20) == hybrid.search("sore toes and pollen", 20)


def test_nothing_asked_finds_nothing(hybrid: HybridCorpus) -> None:
    assert hybrid.search("", 5) == []


def test_vectors_of_another_index_are_refused(tmp_path: Path, dense: DenseIndex) -> None:
    write_index(tmp_path, INVENTED)
    with pytest.raises(CorpusError, match="not those of the corpus index"):
        HybridCorpus(tmp_path, dense)


def test_a_row_in_both_rankings_comes_before_one_at_the_top_of_one() -> None:
    rows, scores = fused([np.array([1, 2], np.int32), np.array([3, 2], np.int32)], 3)
    assert rows.tolist() == [2, 1, 3]
    assert scores.tolist() == pytest.approx([2 / 62, 1 / 61, 1 / 61])


@given(first=ranking, second=ranking, n=st.integers(0, 60))
def test_fused_holds_the_best_of_the_sums(first: np.ndarray, second: np.ndarray, n: int) -> None:
    expected: dict[int, float] = {}
    for one in (first, second):
        for rank, row in enumerate(one.tolist(), start=1):
            expected[row] = expected.get(row, 0.0) + 1 / (60 + rank)
    order = sorted(expected, key=lambda row: (-expected[row], row))[:n]
    rows, scores = fused([first, second], n)
    assert rows.tolist() == order
    assert scores.tolist() == pytest.approx([expected[row] for row in order])
