"""Data files of every kind."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from wardround.errors import UserError
from wardround.evals.reading import read_rows, sha256_of, text_field

RECORDS = [{"id": 1, "text": "ä"}, {"id": 2, "text": "b"}]


def write(path: Path, kind: str) -> Path:
    lines = "\n".join(json.dumps(record) for record in RECORDS)
    if kind == "jsonl":
        path.write_text(lines)
    elif kind == "bom":
        path.write_bytes(b"\xef\xbb\xbf" + lines.encode())
    elif kind == "blank lines":
        path.write_text(f"\n{lines}\n\n")
    elif kind == "list":
        path.write_text(json.dumps(RECORDS))
    elif kind == "gz":
        path = path.with_suffix(".jsonl.gz")
        path.write_bytes(gzip.compress(lines.encode()))
    else:
        import pyarrow
        import pyarrow.parquet

        path = path.with_suffix(".parquet")
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(RECORDS), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "bom", "blank lines", "list", "gz", "parquet"])
def test_every_kind_gives_the_same_records(tmp_path: Path, kind: str) -> None:
    assert [row.data for row in read_rows(write(tmp_path / "data.jsonl", kind))] == RECORDS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no records"),
        (b'{"a": 1}\n{', r"data.jsonl:2 is no JSON"),
        (b'{"a": 1}\n[1]', r"data.jsonl:2 is no record"),
        (b"[1, 2]", r"record 1 is no record"),
        (b"[{", "is no JSON"),
        (b"\xff\xfe", r"is not UTF-8 text \(byte 0\)"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        read_rows(path)


@pytest.mark.parametrize("name", ["none.jsonl", "none.parquet", "none.jsonl.gz"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_rows(tmp_path / name)
    with pytest.raises(UserError, match="cannot be read"):
        sha256_of(tmp_path / name)


def test_a_parquet_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("no")
    with pytest.raises(UserError, match="cannot be read as parquet"):
        read_rows(tmp_path / "x.parquet")


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    (row, _) = read_rows(write(tmp_path / "data.jsonl", "jsonl"))
    assert text_field(row, "name", "id") == "1"
    with pytest.raises(UserError, match=r"data.jsonl:1: there is no `name`; the fields are 'id', 'text'"):
        text_field(row, "name")
