"""Generations: atomic replacement, readers and writers side by side, damage."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from invented import invented
from wardround.corpora import Corpus, SearchCall, verify, write_index
from wardround.corpora.generations import CURRENT, MANIFEST, alone, current_folder, read_manifest
from wardround.corpora.medicines import Medicine
from wardround.errors import CorpusError

OLD, NEW = invented("Oldol"), invented("Newol")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    write_index(tmp_path / "index", [OLD])
    return tmp_path / "index"


def held(directory: Path) -> list[str]:
    return [m.id for m in Corpus(directory).all_medicines()]


def test_a_writer_that_fails_midway_leaves_the_old_index(index: Path) -> None:
    def breaking() -> Iterator[Medicine]:
        yield NEW
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_index(index, breaking())
    assert held(index) == [OLD.id]
    assert len(list(index.glob("generation-*"))) == 1


def test_a_reader_keeps_its_generation_while_another_is_written(index: Path) -> None:
    reader = Corpus(index)
    before = reader.search("oldol dose")
    write_index(index, [NEW])
    assert reader.search("oldol dose") == before
    assert reader.medicine(OLD.id) == OLD
    assert held(index) == [NEW.id]


def test_old_generations_go(index: Path) -> None:
    for _ in range(3):
        write_index(index, [NEW])
    assert [p.name for p in index.glob("generation-*")] == [current_folder(index).name]


def test_opening_succeeds_at_any_moment_of_being_replaced(index: Path) -> None:
    done = threading.Event()
    failures: list[Exception] = []

    def opening() -> None:
        while not done.is_set():
            try:
                assert Corpus(index).search(SearchCall(medicine="oldol"))
            except Exception as error:
                failures.append(error)
                raise

    readers = [threading.Thread(target=opening) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(15):
            write_index(index, [OLD])
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not failures


def test_writers_wait_for_each_other(index: Path) -> None:
    heard: list[str] = []
    second = threading.Thread(target=lambda: write_index(index, [NEW], progress=lambda what, _: heard.append(what)))
    with alone(index, lambda: None):
        second.start()
        second.join(0.3)
        assert second.is_alive()
        assert held(index) == [OLD.id]
    second.join()
    assert heard[0] == "waiting for another writer"
    assert held(index) == [NEW.id]


def test_the_manifest_lists_every_file_with_its_hash(index: Path) -> None:
    folder, manifest = read_manifest(index)
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert set(manifest.files) == files - {MANIFEST}
    assert verify(index) == manifest


def test_another_format_is_refused(index: Path) -> None:
    file = current_folder(index) / MANIFEST
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    with pytest.raises(CorpusError, match="format `99`, this version reads `1`: build it again"):
        Corpus(index)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "\udcff"])
def test_a_damaged_manifest_is_refused(index: Path, text: str) -> None:
    (current_folder(index) / MANIFEST).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CorpusError, match="build"):
        Corpus(index)


@pytest.mark.parametrize("pointer", [b"", b"..", b"generation-none", b"generation-/../..", b"\xff", b"/etc"])
def test_a_damaged_pointer_is_refused(index: Path, pointer: bytes) -> None:
    (index / CURRENT).write_bytes(pointer)
    with pytest.raises(CorpusError, match="build it again"):
        Corpus(index)


def files_of_an_index() -> list[str]:
    arrays = ["first", "rows", "adds", "peak", "size"]
    return [
        "corpus.sqlite",
        "first_passage.npy",
        "attribute.npy",
        "prior.npy",
        "bm25/terms.txt",
        *(f"bm25/{name}.npy" for name in arrays),
        "spelling/words.txt",
        "spelling/hashes.npy",
        "spelling/ids.npy",
    ]


def test_no_file_is_left_untested(index: Path) -> None:
    assert set(read_manifest(index)[1].files) == set(files_of_an_index())


@pytest.mark.parametrize("name", files_of_an_index())
def test_a_missing_file_is_refused(index: Path, name: str) -> None:
    (current_folder(index) / name).unlink()
    with pytest.raises(CorpusError, match="missing or not"):
        Corpus(index)


@pytest.mark.parametrize("name", files_of_an_index())
def test_a_truncated_file_is_refused(index: Path, name: str) -> None:
    file = current_folder(index) / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorpusError, match="missing or not"):
        Corpus(index)


@pytest.mark.parametrize("name", files_of_an_index())
def test_a_changed_file_is_found_by_verifying(index: Path, name: str) -> None:
    file = current_folder(index) / name
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorpusError, match="was changed since it was written"):
        verify(index)


@pytest.mark.parametrize("name", [n for n in files_of_an_index() if n.endswith(".npy")])
def test_an_array_with_a_damaged_head_is_refused(index: Path, name: str) -> None:
    file = current_folder(index) / name
    file.write_bytes(b"\0" * file.stat().st_size)
    with pytest.raises(CorpusError, match="is damaged"):
        Corpus(index)


@pytest.mark.parametrize("make", [Path.exists, Path.mkdir, Path.touch])
def test_where_there_is_no_index_the_message_says_how_to_build_one(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "nothing")
    with pytest.raises(CorpusError, match="wardround corpus build"):
        Corpus(tmp_path / "nothing")


def test_a_place_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match="cannot be written"):
        write_index(tmp_path / "file", [OLD])
