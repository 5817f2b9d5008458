from __future__ import annotations

import json
from pathlib import Path

import pytest
from invented_run import HOSTILE, invented_run
from wardround.errors import UserError
from wardround.evals.leaderboard import Leaderboard, leaderboard
from wardround.evals.report import write_leaderboard


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    return [invented_run(folder / "worse", right=3), invented_run(folder / "better", right=7)]


def test_the_best_comes_first_with_its_interval(runs: list[Path]) -> None:
    board = leaderboard(runs)
    assert [entry.name for entry in board.entries] == ["better", "worse"]
    figure = board.entries[0].figures["accuracy"]
    assert figure.value == 0.7
    assert figure.ci is not None
    assert figure.ci[0] < 0.7 < figure.ci[1]
    assert [metric.name for metric in board.metrics] == ["accuracy"]


def test_groups_are_told_apart(runs: list[Path]) -> None:
    by_category = leaderboard(runs).entries[0].groups["category"]
    assert set(by_category) == {"dosage", "storage"}
    assert by_category["dosage"]["accuracy"].n == 20


def test_another_metric_can_be_asked_for(runs: list[Path]) -> None:
    assert [metric.name for metric in leaderboard(runs, metrics=["length"]).metrics] == ["length"]
    with pytest.raises(UserError, match="no metric `nothing`"):
        leaderboard(runs, metrics=["nothing"])


def test_runs_on_other_examples_are_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="on other data"):
        leaderboard([runs[0], invented_run(tmp_path / "other", n=20)])


def test_two_runs_of_one_name_are_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="called `worse`"):
        leaderboard([runs[0], invented_run(tmp_path / "worse")])


def test_an_unfinished_run_is_refused(runs: list[Path], tmp_path: Path) -> None:
    cut = invented_run(tmp_path / "cut", right=5)
    lines = (cut / "results.jsonl").read_bytes().splitlines(keepends=True)
    (cut / "results.jsonl").write_bytes(b"".join(lines[:-3]))
    with pytest.raises(UserError, match="3 of 40 examples still to run"):
        leaderboard([runs[0], cut])


def test_the_files_hold_figures_and_no_texts(runs: list[Path], tmp_path: Path) -> None:
    data, page = write_leaderboard(leaderboard(runs), tmp_path / "board")
    assert Leaderboard.model_validate(json.loads(data.read_text())) == leaderboard(runs)
    text = page.read_text(encoding="utf-8")
    assert "70.0 %" in text
    assert "better" in text
    for said in ("Question 3", HOSTILE[:20], "Take one", "<script"):
        assert said not in text
        assert said not in data.read_text()
    assert "http://" not in text.replace("http-equiv", "")
