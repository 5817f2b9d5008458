"""The SQLite file: what goes in comes out, from any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from invented import invented
from wardround.corpora import Corpus, write_index
from wardround.corpora.generations import current_folder
from wardround.corpora.medicines import Attribute, Medicine, SourceRef
from wardround.corpora.passages import passages_of
from wardround.corpora.store import Store
from wardround.errors import CorpusError

FULL = invented("Fullol", form="gel", brands=("Ful",), aliases=("满",), misspellings=("fulol",)).model_copy(
    update={
        "text_sources": {Attribute.STORAGE: SourceRef(name="invented", id="second")},
        "source_labels": {Attribute.DOSAGE: "How to use"},
        "route": ("topical",),
    }
)


def opened(directory: Path, *medicines: Medicine) -> Store:
    write_index(directory, medicines)
    return Store(current_folder(directory) / "corpus.sqlite")


def test_a_medicine_comes_back_as_it_was(tmp_path: Path) -> None:
    store = opened(tmp_path, FULL, invented("Otherol"))
    row = store.medicine_row(FULL.id)
    assert row is not None
    assert store.medicines([row]) == [FULL]


def test_passages_come_back_as_they_were_cut_in_the_order_asked_for(tmp_path: Path) -> None:
    store = opened(tmp_path, FULL)
    wanted = list(passages_of(FULL))
    rows = store.passage_rows([p.id for p in wanted])
    assert store.passages([rows[p.id] for p in wanted]) == wanted
    assert store.passages([rows[p.id] for p in reversed(wanted)]) == wanted[::-1]


def test_rows_follow_the_order_of_passage_ids(tmp_path: Path) -> None:
    store = opened(tmp_path, invented("A", slug="a-b"), invented("A", slug="a"), invented("A", slug="a.b"))
    ids = [passage.id for passage, _ in store.all_texts()]
    assert ids == sorted(ids)
    assert [store.passage_rows(ids)[i] for i in ids] == list(range(len(ids)))


@pytest.mark.parametrize("wanted", ["", "invented:nothing", "\ud800", "\0", "x" * 1_000_000])
def test_unknown_ids_are_not_found(tmp_path: Path, wanted: str) -> None:
    store = opened(tmp_path, FULL)
    assert store.medicine_row(wanted) is None
    assert store.passage_rows([wanted, f"{FULL.id}#dosage"]).keys() == {f"{FULL.id}#dosage"}


def test_more_ids_than_a_statement_may_hold(tmp_path: Path) -> None:
    store = opened(tmp_path, FULL)
    assert len(store.passage_rows([*map(str, range(50_000)), f"{FULL.id}#dosage"])) == 1


def test_a_damaged_file_is_reported_in_one_line(tmp_path: Path) -> None:
    opened(tmp_path, FULL).close()
    file = current_folder(tmp_path) / "corpus.sqlite"
    file.write_bytes(b"\xff" * file.stat().st_size)
    with pytest.raises(CorpusError, match="build the index again"):
        Store(file).medicine_row(FULL.id)


def test_eight_threads_find_what_one_finds(essential: Corpus) -> None:
    queries = [
        "metformin and alcohol",
        "ibuprofen while breastfeeding",
        "what helps against a runny nose",
        "warferin with aspirin",
        "布洛芬 孕妇",
        "storage of insulin glargine",
        "sertraline side effects",
        "is florbutinol injection safe",
    ] * 6
    alone = [essential.search(query, 8) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(essential.search, queries, [8] * len(queries)))
    assert together == alone
