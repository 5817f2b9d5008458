"""Demonstrations of comparing films with the earlier record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from wardround.corpora.cohort import make_cohort, write_cohort
from wardround.training.data import read_sft_rows
from wardround.training.data.mag import mag_rows


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort") / "cohort"
    write_cohort(make_cohort(15, 1), folder, images=False)
    return folder


def test_the_reply_is_the_right_option_and_its_letter(cohort: Path, tmp_path: Path) -> None:
    rows = mag_rows(cohort / "train.jsonl", out=tmp_path / "rows.jsonl", current="words")
    for row in rows:
        text, _, letter = row.messages[1].content.partition("\nAnswer: ")
        assert f"\n{letter}. {text}\n" in row.messages[0].content


def test_records_stand_before_the_question(cohort: Path, tmp_path: Path) -> None:
    told = {
        records: mag_rows(cohort / "train.jsonl", out=tmp_path / "r.jsonl", records=records, current="words")
        for records in ("none", "regional", "global")
    }
    assert all("report of the earlier film" not in row.messages[0].content for row in told["none"])
    assert all("What the report of the earlier film says of the" in row.messages[0].content for row in told["regional"])
    assert all(row.messages[0].content.startswith("The report of the earlier film:") for row in told["global"])
    assert {row.entity for row in told["none"]} == {row.entity for row in told["global"]}


def test_patients_of_the_test_are_in_no_row(cohort: Path, tmp_path: Path) -> None:
    learned = {row.entity for row in mag_rows(cohort / "train.jsonl", out=tmp_path / "r.jsonl", current="words")}
    tested = {row.entity for row in mag_rows(cohort / "test.jsonl", out=tmp_path / "r.jsonl", current="words")}
    assert learned
    assert tested
    assert not learned & tested


def test_the_command_writes_rows_with_both_films(run: Any, tmp_path: Path) -> None:
    cohort, out = tmp_path / "cohort", tmp_path / "rows.jsonl"
    made = make_cohort(5, 1)
    write_cohort(made, cohort, images=False)
    for question in made.train:  # drawing films takes long; the command looks whether they are there
        for path in (question.cur_image_path, *question.prior_image_path):
            (cohort / path).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8)).save(cohort / path)
    done = run("train", "data", "mag", "--data", cohort / "train.jsonl", "--images", cohort, "--out", out)
    assert done.code == 0, done.err
    rows = read_sft_rows(out)
    assert all(len(row.images) == 2 and row.messages[0].content.startswith("<image><image>") for row in rows)


def test_films_that_nobody_shows_are_asked_for(run: Any, cohort: Path, tmp_path: Path) -> None:
    done = run("train", "data", "mag", "--data", cohort / "train.jsonl", "--out", tmp_path / "rows.jsonl")
    assert done.code == 2
    assert "give `--images FOLDER`, or `--current words`" in done.err
