"""Vectors beside an index, in the real Chroma, made by an encoder that needs no model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hashing import HashingEncoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invented import INVENTED, default_texts, invented
from wardround.corpora import Attribute, Corpus, change_index, verify, write_index
from wardround.corpora.dense import DenseIndex, build_dense, passage_text
from wardround.corpora.generations import current_folder
from wardround.errors import CorpusError

MANY = tuple(invented(f"Manytine {i}", slug=f"many-{i:03d}") for i in range(30))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write_index(tmp_path / "corpus", INVENTED)
    return tmp_path / "corpus"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DenseIndex]:
    """180 passages: more than one step of a build."""
    directory = tmp_path_factory.mktemp("large")
    write_index(directory, MANY)
    build_dense(directory, HashingEncoder())
    index = DenseIndex(directory, HashingEncoder())
    yield index
    index.close()


def texts_of(directory: Path) -> list[str]:
    corpus = Corpus(directory)
    ids = sorted(p.id for m in corpus.all_medicines() for a in m.texts for p in corpus.passages([f"{m.id}#{a.value}"]))
    return [passage_text(p) for p in corpus.passages(ids)]


def test_a_passage_is_encoded_with_its_medicine_and_the_label_of_its_attribute(corpus: Path) -> None:
    [passage] = Corpus(corpus).passages(["invented:florbutinol-tablet#storage"])
    text = default_texts("Florbutinol")[Attribute.STORAGE]
    assert passage_text(passage) == f"Florbutinol (tablet), Storage: {text}"


def test_the_label_of_a_chinese_medicine_is_chinese(corpus: Path) -> None:
    [passage] = Corpus(corpus).passages(["invented:zh-lol#storage"])
    assert passage_text(passage).startswith("盐酸示例洛尔片, 贮藏: ")


def test_top_ranks_as_the_exact_cosines_do(large: DenseIndex) -> None:
    texts = texts_of(large.directory)
    query = "yawning and a rash after Manytine 7"
    encoder = HashingEncoder()
    exact = encoder.encode(texts, kind="passage").astype(float) @ encoder.encode([query], kind="query")[0].astype(float)
    rows, cosines = large.top(query, 10)
    np.testing.assert_allclose(cosines, np.sort(exact)[::-1][:10], atol=1e-6)
    np.testing.assert_allclose(exact[rows], cosines, atol=1e-6)


def test_ties_go_to_the_smaller_row(large: DenseIndex) -> None:
    rows, cosines = large.top("yawning", 180)
    pairs = list(zip((-cosines).tolist(), rows.tolist(), strict=True))
    assert pairs == sorted(pairs)


def test_top_within_rows_finds_all_of_them_and_no_other(large: DenseIndex) -> None:
    rows, _ = large.top("dose in the morning", 50, rows=[3, 90, 177])
    assert sorted(rows.tolist()) == [3, 90, 177]


@pytest.mark.parametrize(("query", "k", "rows"), [("", 5, None), (" \n", 5, None), ("dose", 0, None), ("dose", 5, [])])
def test_nothing_asked_finds_nothing(large: DenseIndex, query: str, k: int, rows: list[int] | None) -> None:
    assert len(large.top(query, k, rows)[0]) == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=60), k=st.integers(-1, 400))
def test_any_text_is_answered_with_distinct_rows_best_first(large: DenseIndex, query: str, k: int) -> None:
    rows, cosines = large.top(query, k)
    assert len(set(rows.tolist())) == len(rows) <= max(k, 0)
    assert (np.diff(cosines) <= 0).all()


def test_two_builds_of_a_small_corpus_find_the_same(tmp_path: Path) -> None:
    found: list[list[int]] = []
    for name in ("one", "two"):
        write_index(tmp_path / name, MANY)
        build_dense(tmp_path / name, HashingEncoder())
        index = DenseIndex(tmp_path / name, HashingEncoder())
        found.append(index.top("rash", 20)[0].tolist())
        index.close()
    assert found[0] == found[1]


def test_progress_is_told_to_the_last_passage(corpus: Path) -> None:
    told: list[tuple[str, int]] = []
    manifest = build_dense(corpus, HashingEncoder(), lambda what, done: told.append((what, done)))
    assert told[-1] == ("encoding passages", manifest.passages)


class Stopping(HashingEncoder):
    """Dies at its second step."""

    def encode(self, texts: Sequence[str], *, kind: str) -> npt.NDArray[np.float32]:
        if self.encoded:
            raise KeyboardInterrupt
        return super().encode(texts, kind=kind)  # type: ignore[arg-type]


def test_an_interrupted_build_goes_on_where_it_stopped(tmp_path: Path) -> None:
    write_index(tmp_path, MANY)
    stopping = Stopping()
    with pytest.raises(KeyboardInterrupt):
        build_dense(tmp_path, stopping)
    second = HashingEncoder()
    build_dense(tmp_path, second)
    assert stopping.encoded + second.encoded == texts_of(tmp_path)


def test_an_interrupted_build_does_not_open(tmp_path: Path) -> None:
    write_index(tmp_path, MANY)
    with pytest.raises(KeyboardInterrupt):
        build_dense(tmp_path, Stopping())
    with pytest.raises(CorpusError, match=r"not all vectors .* `wardround corpus embed --corpus .* --encoder hash`"):
        DenseIndex(tmp_path, HashingEncoder())


def test_a_finished_build_encodes_nothing_again(corpus: Path) -> None:
    build_dense(corpus, HashingEncoder())
    again = HashingEncoder()
    build_dense(corpus, again)
    assert again.encoded == []


def test_without_vectors_the_command_is_named(corpus: Path) -> None:
    with pytest.raises(CorpusError, match=r"no vectors of encoder `hash@1`: run `wardround corpus embed"):
        DenseIndex(corpus, HashingEncoder())


def test_without_an_index_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is no corpus index"):
        build_dense(tmp_path / "none", HashingEncoder())
    assert not (tmp_path / "none").exists()


def test_a_changed_index_has_no_vectors_any_more(corpus: Path) -> None:
    build_dense(corpus, HashingEncoder())
    change_index(corpus, add=[invented("Latecomerol")])
    with pytest.raises(CorpusError, match="no vectors"):
        DenseIndex(corpus, HashingEncoder())


def test_vectors_of_another_content_are_refused(corpus: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_index(other, [invented("Otherine")])
    build_dense(other, HashingEncoder())
    (current_folder(other) / "dense-hash@1").rename(current_folder(corpus) / "dense-hash@1")
    with pytest.raises(CorpusError, match="of another index"):
        DenseIndex(corpus, HashingEncoder())


def test_an_encoder_of_other_dimensions_is_refused(corpus: Path) -> None:
    build_dense(corpus, HashingEncoder())
    with pytest.raises(CorpusError, match="of another index or encoder"):
        DenseIndex(corpus, HashingEncoder(dimensions=32))


def test_another_encoder_has_its_own_vectors(corpus: Path) -> None:
    build_dense(corpus, HashingEncoder())
    build_dense(corpus, HashingEncoder(name="hash@2", dimensions=16))
    assert DenseIndex(corpus, HashingEncoder(name="hash@2", dimensions=16)).manifest.dimensions == 16


@pytest.mark.parametrize("damage", ["", "{}", "\0\0\0"])
def test_a_damaged_manifest_of_vectors_is_named(corpus: Path, damage: str) -> None:
    build_dense(corpus, HashingEncoder())
    (current_folder(corpus) / "dense-hash@1/dense.json").write_text(damage)
    with pytest.raises(CorpusError, match=r"dense\.json` is damaged"):
        DenseIndex(corpus, HashingEncoder())


def test_a_missing_chroma_file_is_named(corpus: Path) -> None:
    build_dense(corpus, HashingEncoder())
    (current_folder(corpus) / "dense-hash@1/chroma.sqlite3").unlink()
    with pytest.raises(CorpusError, match="dense-hash@1` cannot be read"):
        DenseIndex(corpus, HashingEncoder())


def test_the_index_itself_stays_valid(corpus: Path) -> None:
    build_dense(corpus, HashingEncoder())
    assert verify(corpus).medicines == len(INVENTED)


def test_no_pickle_is_written(corpus: Path) -> None:
    build_dense(corpus, HashingEncoder())
    names = [name for _, _, files in os.walk(corpus) for name in files]
    assert [n for n in names if "pickle" in n or n.endswith(".pkl")] == []
