"""From folders to figures, comparisons and merged runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_benchmark import Answering, examples, small
from wardround.errors import ModelReplyError, UserError
from wardround.evals.benchmark import Example, Metric, Output, Score
from wardround.evals.comparing import compare_runs
from wardround.evals.merging import merge_runs
from wardround.evals.run_folder import RunFolder
from wardround.evals.runs import run
from wardround.evals.summary import summarize


def odd_ones_fail(i: int) -> str:
    if i % 2:
        raise ModelReplyError("garbage")
    return str(i)


def test_groups_count_their_own(tmp_path: Path) -> None:
    summary = summarize(run(small(10), Answering(odd_ones_fail), out=tmp_path / "run"))
    groups = summary.groups["parity"]
    assert (groups["even"]["accuracy"].value, groups["even"]["accuracy"].n) == (1.0, 5)
    assert (groups["odd"]["accuracy"].value, groups["odd"]["accuracy"].failed) == (0.0, 5)


def test_a_metric_that_does_not_apply_is_not_counted(tmp_path: Path) -> None:
    def score(example: Example, output: Output) -> Score:
        even = example.groups["parity"] == ("even",)
        return Score(values={"accuracy": float(output.text == "0") if even else None})

    def failed(example: Example) -> dict[str, float | None]:
        return {"accuracy": 0.0 if example.groups["parity"] == ("even",) else None}

    summary = summarize(
        run(small(10, score=score, score_failed=failed), Answering(odd_ones_fail), out=tmp_path / "run")
    )
    assert (summary.n, summary.figures["accuracy"].n, summary.figures["accuracy"].value) == (10, 5, 0.2)


def test_figures_nest_in_json(tmp_path: Path) -> None:
    def score(_: Example, __: Output) -> Score:
        return Score(values={"hr.1": 1.0, "hr.5": 0.0, "mean": 0.5})

    metrics = [
        Metric(name=name, title=name, kind="mean" if name == "mean" else "rate") for name in ("hr.1", "hr.5", "mean")
    ]
    found = summarize(run(small(4, score=score, metrics=metrics), Answering(), out=tmp_path / "run")).as_json()
    assert json.loads(json.dumps(found))["hr"]["1"]["value"] == 1.0
    assert found["groups"]["parity"]["even"]["hr"]["5"]["n"] == 2  # type: ignore[index,call-overload]


def test_the_majority_of_samples(tmp_path: Path) -> None:
    def score(example: Example, output: Output) -> Score:
        right = output.text == example.gold["answer"]
        return Score(values={"accuracy": float(right)}, details={"answer": output.text})

    targets = [Answering(), Answering(), Answering(lambda _: "no")]
    summary = summarize(run(small(6, score=score), targets, out=tmp_path / "run"))
    assert summary.several["majority"]["accuracy"].value == 1.0
    assert summary.figures["accuracy"].value == pytest.approx(2 / 3)
    tied = summarize(run(small(6, score=score), [targets[0], targets[2]], out=tmp_path / "tied"))
    assert tied.several["majority"]["accuracy"].value == 0.0


def test_runs_are_compared_example_by_example(tmp_path: Path) -> None:
    a = run(small(60), Answering(odd_ones_fail), out=tmp_path / "a")
    b = run(small(80), Answering(), out=tmp_path / "b")
    found = compare_runs(a, b)
    assert (found.n, found.only_a, found.only_b) == (60, 0, 20)
    (metric,) = found.metrics
    assert (metric.comparison.difference, metric.comparison.only_b) == (0.5, 30)
    assert metric.comparison.verdict.startswith("B is higher by 50.0 points")
    assert any(line.startswith("examples was") for line in found.changed)


def test_only_runs_of_one_benchmark_are_compared(tmp_path: Path) -> None:
    a = run(small(3), Answering(), out=tmp_path / "a")
    b = run(small(3, name="other"), Answering(), out=tmp_path / "b")
    with pytest.raises(UserError, match="compare runs of one benchmark"):
        compare_runs(a, b)
    c = run(small(3, examples=examples(3, start=9)), Answering(), out=tmp_path / "c")
    with pytest.raises(UserError, match="no example in common"):
        compare_runs(a, c)


def test_parts_merge_into_one_run(tmp_path: Path) -> None:
    first = run(small(6, options={"data_sha256": "1"}), Answering(odd_ones_fail), out=tmp_path / "1")
    second = run(small(6, examples=examples(6, start=3), options={"data_sha256": "2"}), Answering(), out=tmp_path / "2")
    merged = merge_runs([first, second], tmp_path / "merged")
    assert (merged.n, merged.failed, merged.unfinished) == (9, 1, 0)
    results = {r.id: r for r in RunFolder.open(tmp_path / "merged").results()}
    assert results["e5"].status == "ok"
    assert all((tmp_path / "merged" / str(r.trace)).is_file() for r in results.values())
    assert len(RunFolder.open(tmp_path / "merged").sessions()) == 2


def test_runs_of_different_targets_do_not_merge(tmp_path: Path) -> None:
    first = run(small(3), Answering(identity={"model": "a"}), out=tmp_path / "1")
    second = run(small(3), Answering(identity={"model": "b"}), out=tmp_path / "2")
    with pytest.raises(UserError, match="target model was `a`, is `b`"):
        merge_runs([first, second], tmp_path / "merged")
    with pytest.raises(UserError, match="name two or more"):
        merge_runs([first], tmp_path / "merged")
