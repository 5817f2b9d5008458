"""The folder of a run: what is written is found again, whatever happened in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_benchmark import Answering, examples, small
from wardround.errors import UserError
from wardround.evals.benchmark import Output, Score
from wardround.evals.result import Failure, Result
from wardround.evals.run_folder import RunFolder, differences, runs_below
from wardround.evals.runs import manifest_of


def result(key: str, *, sample: int = 0, text: str = "1", failed: bool = False, attempt: int = 1) -> Result:
    return Result(
        key=key,
        sample=sample,
        status="failed" if failed else "ok",
        id="e",
        attempt=attempt,
        output=None if failed else Output(text=text),
        score=Score(values={"accuracy": 0.0}),
        failure=Failure(stage="target", type="ModelUnavailable", message="down") if failed else None,
    )


def folder(path: Path, n: int = 3) -> RunFolder:
    benchmark = small(n)
    return RunFolder.create(path, manifest_of(benchmark, [Answering()]), benchmark.examples)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    made = folder(tmp_path / "run")
    keys = [example.key for example in examples(3)]
    with made:
        for key in keys:
            made.append(result(key, text=f"answer {key}"))
    opened = RunFolder.open(tmp_path / "run")
    assert list(opened.examples()) == examples(3)
    assert [(r.key, r.output.text if r.output else "") for r in opened.results()] == [(k, f"answer {k}") for k in keys]


def test_the_last_result_of_an_example_counts(tmp_path: Path) -> None:
    made = folder(tmp_path / "run")
    with made:
        made.append(result("k1", failed=True))
        made.append(result("k2"))
        made.append(result("k1", attempt=2, text="at last"))
    found = list(RunFolder.open(tmp_path / "run").results())
    assert [(r.key, r.status, r.attempt) for r in found] == [("k2", "ok", 1), ("k1", "ok", 2)]


def test_samples_are_kept_apart(tmp_path: Path) -> None:
    made = folder(tmp_path / "run")
    with made:
        made.append(result("k", sample=0))
        made.append(result("k", sample=1))
    assert set(RunFolder.open(tmp_path / "run").entries) == {("k", 0), ("k", 1)}


@pytest.mark.parametrize("index", ["gone", "empty", "garbage", "behind", "half a line", "of another file"])
def test_the_index_is_made_anew_where_it_does_not_fit(tmp_path: Path, index: str) -> None:
    made = folder(tmp_path / "run")
    with made:
        for n in range(5):
            made.append(result(f"k{n}"))
    path = tmp_path / "run" / "results.idx"
    lines = path.read_text().splitlines(keepends=True)
    if index == "gone":
        path.unlink()
    else:
        broken = {
            "empty": "",
            "garbage": "\x00\xff what\n",
            "behind": "".join(lines[:2]),
            "half a line": "".join(lines[:3]) + lines[3][:9],
            "of another file": "k9 0 ok 1 0 999999\n",
        }
        path.write_bytes(broken[index].encode("latin-1"))
    assert sorted(r.key for r in RunFolder.open(tmp_path / "run").results()) == [f"k{n}" for n in range(5)]


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(min_value=0, max_value=2000), idx=st.integers(min_value=0, max_value=200))
def test_a_run_cut_at_any_byte_loses_only_what_was_not_written(
    tmp_path_factory: pytest.TempPathFactory, cut: int, idx: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "run"
    made = folder(path)
    with made:
        for n in range(5):
            made.append(result(f"k{n}", text="ü" * n))
    data = (path / "results.jsonl").read_bytes()[:cut]
    (path / "results.jsonl").write_bytes(data)
    (path / "results.idx").write_bytes((path / "results.idx").read_bytes()[:idx])
    whole = data.count(b"\n")
    opened = RunFolder.open(path)
    assert [r.key for r in opened.results()] == [f"k{n}" for n in range(whole)]
    with opened:
        opened.append(result("new"))
    again = RunFolder.open(path)
    assert [r.key for r in again.results()] == [*(f"k{n}" for n in range(whole)), "new"]
    assert all(json.loads(line) for line in (path / "results.jsonl").read_bytes().splitlines())


def test_an_edited_line_is_named(tmp_path: Path) -> None:
    made = folder(tmp_path / "run")
    with made:
        made.append(result("k"))
    (tmp_path / "run" / "results.idx").unlink()
    (tmp_path / "run" / "results.jsonl").open("ab").write(b"{}\n")
    with pytest.raises(UserError, match="line 2 is no result"):
        RunFolder.open(tmp_path / "run")


def test_half_a_surrogate_pair_costs_no_result(tmp_path: Path) -> None:
    made = folder(tmp_path / "run")
    with made:
        made.append(result("k", text="a\ud83d b"))
    (found,) = RunFolder.open(tmp_path / "run").results()
    assert found.output is not None
    assert found.output.text == "a? b"


def test_two_processes_cannot_write_one_run(tmp_path: Path) -> None:
    made = folder(tmp_path / "run")
    with made, pytest.raises(UserError, match="another process works on the run"), RunFolder.open(tmp_path / "run"):
        pass


def test_a_run_is_not_put_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match=r"holds other files \(`letter.txt`\)"):
        folder(tmp_path)


def test_a_creation_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "examples.jsonl").write_text('{"half')
    assert len(list(folder(tmp_path / "run").examples())) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"version": 1}', '{"version": 7}'])
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    folder(tmp_path / "run")
    (tmp_path / "run" / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"the run .* (is damaged|has version)"):
        RunFolder.open(tmp_path / "run")


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run"):
        RunFolder.open(tmp_path)


def test_a_run_is_its_owners(tmp_path: Path) -> None:
    folder(tmp_path / "run")
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0


def test_differences_name_what_was_and_is() -> None:
    old = manifest_of(small(3), [Answering(identity={"model": "a"})])
    new = manifest_of(small(4), [Answering(identity={"model": "b"})])
    assert differences(old, old) == []
    assert any("target model was `a`, is `b`" in line for line in differences(old, new))
    assert any(line.startswith("examples was") for line in differences(old, new))


def test_runs_below_finds_itself_and_its_children(tmp_path: Path) -> None:
    folder(tmp_path / "one")
    folder(tmp_path / "two")
    (tmp_path / "three").mkdir()
    assert [p.name for p in runs_below(tmp_path)] == ["one", "two"]
    assert runs_below(tmp_path / "one") == [tmp_path / "one"]
