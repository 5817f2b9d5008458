"""The row format: what is read back is what was written, and what is wrong is said in one line, by file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.errors import UserError
from wardround.training.data import ChatMessage, PreferenceRow, SftRow, read_preference_rows, read_sft_rows, write_rows

USER = {"role": "user", "content": "May I?"}
TOLD = {"role": "assistant", "content": "Yes."}
CALLS = {
    "role": "assistant",
    "tool_calls": [{"function": {"name": "search_medicine", "arguments": {"medicine": "aspirin", "attribute": None}}}],
}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


TEXT = st.text(alphabet=st.characters(codec="utf-8"), min_size=1).filter(str.strip)


@given(asked=TEXT, told=TEXT, weight=st.floats(0.01, 100))
def test_rows_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, asked: str, told: str, weight: float
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    messages = (ChatMessage(role="user", content=asked), ChatMessage(role="assistant", content=told))
    rows = [SftRow(id="a", messages=messages, weight=weight, source={"seed": 1})]
    write_rows(rows, path)
    assert read_sft_rows(path) == rows


def test_tool_calls_and_images_are_kept(tmp_path: Path) -> None:
    (tmp_path / "film.png").write_bytes(b"\x89PNG")
    asked = {"role": "user", "content": "<image> What is it?"}
    row = read_sft_rows(written(tmp_path, {"id": "a", "messages": [asked, CALLS], "images": ["film.png"]}))[0]
    assert row.messages[-1].tool_calls[0].function.arguments == {"medicine": "aspirin", "attribute": None}
    assert row.images == ("film.png",)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "a"}, "`messages`"),
        ({"id": "", "messages": [USER, TOLD]}, "`id`"),
        ({"id": "a", "messages": [USER]}, "must end with a turn of the role `assistant`"),
        ({"id": "a", "messages": [USER, {"role": "assistant", "content": " "}]}, "is empty"),
        ({"id": "a", "messages": [{**CALLS, "role": "user"}, TOLD]}, "only `assistant` may"),
        ({"id": "a", "messages": [USER, TOLD], "weight": 0}, "`weight`"),
        ({"id": "a", "messages": [USER, TOLD], "colour": 1}, "`colour`"),
        ({"id": "a", "kind": "preference", "messages": [USER, TOLD]}, "rows of kind `sft` are needed"),
        ({"id": "a", "messages": [USER, TOLD], "images": ["gone.png"]}, "the image `gone.png`"),
        ({"id": "a", "messages": [{**USER, "content": "<image> <image>"}, TOLD], "images": ["x"]}, "2 `<image>`"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    path = written(tmp_path, {"id": "first", "messages": [USER, TOLD]}, row)
    with pytest.raises(UserError) as error:
        read_sft_rows(path)
    assert f"{path}:2" in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_ids_must_differ(tmp_path: Path) -> None:
    path = written(tmp_path, *[{"id": "a", "messages": [USER, TOLD]}] * 2)
    with pytest.raises(UserError, match=f"{path.name}:2: the id `a` stands already"):
        read_sft_rows(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rejected": [TOLD]}, "are the same"),
        ({"prompt": [USER, TOLD]}, "`prompt` must end"),
        ({"chosen": [USER]}, "`chosen` must end"),
    ],
)
def test_pairs_are_checked(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    pair = {"id": "a", "kind": "preference", "prompt": [USER], "chosen": [TOLD], "rejected": [CALLS], "margin": 2.5}
    good = read_preference_rows(written(tmp_path, pair))
    assert [type(row) for row in good] == [PreferenceRow]
    with pytest.raises(UserError, match=said):
        read_preference_rows(written(tmp_path, pair | changed))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_rows([], tmp_path / "file" / "rows.jsonl")
