"""The recipe from end to end with the tiny model, and its data over the shipped corpus."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from wardround.corpora.names import core
from wardround.errors import UserError
from wardround.evals.medicineqa_open.items import FOLDER
from wardround.evals.reading import read_rows
from wardround.models.adapter import read_adapter
from wardround.settings import Settings
from wardround.training.config import TrainingConfig
from wardround.training.data import read_sft_rows
from wardround.training.distiller import make_data, make_distiller


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, essential_index: Path) -> Path:
    folder = tmp_path_factory.mktemp("data")
    make_data(folder, settings=Settings(cache_dir=folder / "cache"), corpus=essential_index, count=200)
    return folder


def test_no_medicine_of_the_benchmark_is_talked_about(data: Path) -> None:
    asked = {core(n) for label in read_rows(FOLDER / "labels.jsonl") for n in label.data["substances"]}
    rows = [*read_sft_rows(data / "train.jsonl"), *read_sft_rows(data / "heldout.jsonl")]
    assert len(rows) > 180
    assert not {row.entity for row in rows} & asked


def test_held_out_medicines_are_never_trained_on(data: Path) -> None:
    held = {row.entity for row in read_sft_rows(data / "heldout.jsonl")} - {None}
    assert held
    assert not held & {row.entity for row in read_sft_rows(data / "train.jsonl")}


def test_the_report_says_what_was_compared(data: Path) -> None:
    report = json.loads((data / "report.json").read_text())
    assert set(report["overlap"]["benchmarks"]) == {"medicineqa_open/dev.jsonl", "medicineqa_open/test.jsonl"}
    assert report["overlap"]["encoder"] is None
    assert report["train"] + report["heldout"] + len(report["overlap"]["refused"]) == 200


def test_a_further_benchmark_is_refused(tmp_path: Path, data: Path, essential_index: Path) -> None:
    asked = [row.messages[1].content.splitlines() for row in read_sft_rows(data / "train.jsonl")]
    question = max((line.removeprefix("question: ") for lines in asked for line in lines), key=len)
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"id": "x", "question": question}) + "\n")
    made = make_data(
        tmp_path / "out",
        settings=Settings(cache_dir=tmp_path),
        corpus=essential_index,
        count=200,
        benchmarks=[path],
    )
    assert "mine.jsonl: x" in {refused.benchmark for refused in made.report.overlap.refused}


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too few"):
        make_data(tmp_path, settings=Settings(cache_dir=tmp_path), count=2)


def test_from_nothing_to_an_adapter(
    tmp_path: Path, settings: Settings, configured: Callable[..., TrainingConfig], essential_index: Path
) -> None:
    config = configured(max_steps=2, max_length=4096, batch_size=2)
    made = make_distiller(tmp_path, settings=settings, config=config, corpus=essential_index, count=120)
    assert read_adapter(made.adapter.folder) == made.adapter
    assert (made.adapter.folder / "README.md").is_file()
    again = make_distiller(tmp_path, settings=settings, config=config, corpus=essential_index, count=120)
    assert again.adapter == made.adapter
