"""Broken, packed and hostile files."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.corpora.sources import rows
from wardround.corpora.sources.problems import Problems
from wardround.corpora.sources.rows import json_rows
from wardround.errors import UserError

GOOD = b'{"a": 1}'


@pytest.fixture
def problems() -> Problems:
    return Problems()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": ', "not JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b'{"a": "\xff"}', "not utf-8"),
        (b'{"a": "\x00"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_broken_line_is_reported_and_the_next_one_read(
    tmp_path: Path, problems: Problems, line: bytes, reason: str
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(GOOD + b"\n" + line + b"\n" + GOOD + b"\n")
    assert [row.line for row in json_rows(file, problems)] == [1, 3]
    assert [(each.line, each.reason.partition(":")[0]) for each in problems.kept] == [(2, reason)]


def test_a_line_beyond_the_limit_is_skipped(
    tmp_path: Path, problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_ROW_BYTES", 100)
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"a": "' + b"x" * 1000 + b'"}\n' + GOOD)
    assert [row.line for row in json_rows(file, problems)] == [2]
    assert "row too long" in problems.by_reason


def test_a_truncated_gzip_file_gives_what_stands_before(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "a.jsonl.gz"
    text = b"".join(json.dumps({"a": number, "b": str(number**9)}).encode() + b"\n" for number in range(5000))
    file.write_bytes(gzip.compress(text)[:-2000])
    assert list(json_rows(file, problems))
    assert "ends early" in problems.kept[-1].reason


def test_a_bomb_is_stopped_at_the_limit(tmp_path: Path, problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_FILE_BYTES", 2**20)
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(b"\n" * 2**24))
    assert not list(json_rows(file, problems))
    assert "unpacked" in problems.kept[0].reason


def test_a_zip_with_two_files_is_refused(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.json", "{}")
        archive.writestr("b.json", "{}")
    with pytest.raises(UserError, match="holds 2 files"):
        list(json_rows(file, problems))


def test_a_damaged_zip_is_refused(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(UserError, match="damaged zip"):
        list(json_rows(file, problems))


def test_an_error_answer_is_reported(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"error": {"code": "NOT_FOUND"}}')
    assert not list(json_rows(file, problems))
    assert "NOT_FOUND" in problems.kept[0].reason


values = st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), max_size=4)


@given(st.lists(values, max_size=5), st.sampled_from([None, 1, 4]), st.integers(1, 64))
def test_results_are_streamed_as_json_reads_them(
    tmp_path_factory: pytest.TempPathFactory, results: list[dict[str, object]], indent: int | None, chunk: int
) -> None:
    file = tmp_path_factory.mktemp("rows") / "a.json"
    file.write_text(json.dumps({"meta": {"n": 1}, "results": results}, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "_CHUNK", chunk)
        assert [row.data for row in json_rows(file, Problems())] == results


@given(st.binary(max_size=300))
def test_no_bytes_whatever_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("rows") / "a"
    file.write_bytes(data)
    try:
        list(json_rows(file, Problems()))
    except UserError:
        assert data.startswith(b"PK")
