"""The runner: every example is accounted for, whatever fails and whenever it stops."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from small_benchmark import Answering, examples, score, small
from wardround.errors import ModelReplyError, ModelUnavailable, UserError
from wardround.evals.benchmark import Example, Output, Score
from wardround.evals.budget import Budget
from wardround.evals.run_folder import RunFolder
from wardround.evals.runner import Progress
from wardround.evals.runs import open_run
from wardround.evals.runs import run as run_into
from wardround.evals.summary import Summary, summarize


def run(*args: Any, **options: Any) -> Summary:
    return summarize(run_into(*args, **options))


def results(path: Path) -> dict[str, str]:
    return {r.id: r.status for r in RunFolder.open(path).results()}


def test_every_example_is_run_once(tmp_path: Path) -> None:
    target = Answering()
    summary = run(small(50), target, out=tmp_path / "run", at_once=7)
    assert sorted(target.asked) == list(range(50))
    assert (summary.n, summary.failed, summary.unfinished) == (50, 0, 0)
    assert summary.figures["accuracy"].value == 1.0


def test_failures_count_as_wrong_and_keep_their_cause(tmp_path: Path) -> None:
    def reply(i: int) -> str:
        if i % 5 == 0:
            raise ModelReplyError("garbage")
        if i % 5 == 1:
            raise ZeroDivisionError("a bug")
        return str(i)

    summary = run(small(50), Answering(reply), out=tmp_path / "run")
    assert (summary.n, summary.failed) == (50, 20)
    assert summary.figures["accuracy"].value == pytest.approx(0.6)
    assert summary.figures["accuracy"].n == 50
    assert summary.failures == {"ModelReplyError: garbage": 10, "ZeroDivisionError: a bug (reply)": 10}


def test_a_second_call_does_only_what_is_left(tmp_path: Path) -> None:
    first = Answering()
    run(small(20), first, out=tmp_path / "run", budget=Budget(seconds=1e-9))
    assert first.asked == []
    run(small(20), first, out=tmp_path / "run")
    second = Answering()
    run(small(20), second, out=tmp_path / "run")
    assert (len(first.asked), second.asked) == (20, [])


def test_failed_examples_are_tried_again_only_when_asked(tmp_path: Path) -> None:
    def failing(i: int) -> str:
        if i == 3:
            raise ModelReplyError("garbage")
        return str(i)

    run(small(6), Answering(failing), out=tmp_path / "run")
    again = Answering()
    assert run(small(6), again, out=tmp_path / "run").failed == 1
    assert again.asked == []
    assert run(small(6), again, out=tmp_path / "run", retry_failed=True).failed == 0
    assert again.asked == [3]
    (entry,) = [r for r in RunFolder.open(tmp_path / "run").results() if r.id == "e3"]
    assert (entry.status, entry.attempt) == ("ok", 2)


def test_several_samples(tmp_path: Path) -> None:
    right, wrong = Answering(), Answering(lambda i: str(i) if i % 2 else "no")
    summary = run(small(10), [right, wrong, wrong], out=tmp_path / "run")
    assert summary.samples == 3
    assert summary.figures["accuracy"].value == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert summary.several["pass@3"]["accuracy"].value == 1.0


def test_a_judge_that_fails_fails_the_example(tmp_path: Path) -> None:
    async def judged(example: Example, output: Output) -> Score:
        await asyncio.sleep(0)
        if example.id == "e1":
            raise ModelReplyError("the judge babbles")
        return score(example, output)

    summary = run(small(4, score=judged), Answering(), out=tmp_path / "run")
    assert (summary.n, summary.failed) == (4, 1)
    (failed,) = [r for r in RunFolder.open(tmp_path / "run").results() if r.failure]
    assert failed.failure is not None
    assert (failed.failure.stage, failed.output) == ("judge", Output(text="1"))


def test_a_mistake_of_the_users_stops_a_run_that_has_nothing_to_show(tmp_path: Path) -> None:
    def reply(_: int) -> str:
        raise UserError("no such model")

    target = Answering(reply)
    with pytest.raises(UserError, match="no such model"):
        run(small(1000), target, out=tmp_path / "run", at_once=4)
    assert len(target.asked) < 20


def test_a_mistake_in_one_example_is_its_failure(tmp_path: Path) -> None:
    def reply(i: int) -> str:
        if i == 30:
            raise UserError("ends with the assistant")
        return str(i)

    assert run(small(40), Answering(reply), out=tmp_path / "run").failed == 1


def test_a_server_that_is_down_stops_the_run(tmp_path: Path) -> None:
    def reply(i: int) -> str:
        if i >= 10:
            raise ModelUnavailable("no answer")
        return str(i)

    target = Answering(reply)
    seen: list[Progress] = []
    summary = run(small(1000), target, out=tmp_path / "run", at_once=4, on_progress=seen.append)
    assert "examples in a row failed: no answer" in seen[-1].stopped
    assert summary.unfinished == 1000 - summary.n
    assert 30 <= summary.n < 60


def test_a_token_budget_stops_the_run(tmp_path: Path) -> None:
    summary = run(small(10), Answering(), out=tmp_path / "run", budget=Budget(seconds=1e-9))
    assert (summary.n, summary.unfinished) == (0, 10)
    assert summary.figures["accuracy"].value is None


def test_never_more_at_once_than_allowed(tmp_path: Path) -> None:
    running, most = 0, 0

    async def slow(i: int) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return str(i)

    run(small(100), Answering(slow), out=tmp_path / "run", at_once=5)
    assert most == 5


def test_cancelling_keeps_what_is_done_and_goes_on_later(tmp_path: Path) -> None:
    async def hanging(i: int) -> str:
        if i >= 5:
            await asyncio.sleep(3600)
        return str(i)

    async def interrupted() -> None:
        from wardround.evals.runner import run_examples

        benchmark, target = small(10), Answering(hanging)
        folder = open_run(benchmark, [target], out=tmp_path / "run")
        five = asyncio.Event()
        work = run_examples(folder, benchmark, [target], on_progress=lambda p: five.set() if p.done == 5 else None)
        task = asyncio.create_task(work)
        await five.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert len(results(tmp_path / "run")) == 5
    assert RunFolder.open(tmp_path / "run").sessions()[0]["stopped"] == "interrupted"
    assert run(small(10), Answering(), out=tmp_path / "run").n == 10


KILLED = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from small_benchmark import Answering, small
    from wardround.evals.runs import run

    async def reply(i):
        await asyncio.sleep(0.002)
        return str(i)

    run(small(400), Answering(reply), out=Path(sys.argv[1]), at_once=8)
    """
)


def test_kill_at_any_moment_loses_no_example_and_counts_none_twice(tmp_path: Path) -> None:
    support = str(Path(__file__).parents[1] / "support")
    out = tmp_path / "run"
    for killed_after in (0.02, 0.1, 0.05):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(out), support])
        while process.poll() is None and not (out / "results.jsonl").exists():
            time.sleep(0.01)
        time.sleep(killed_after)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = len(results(out))
    assert 0 < before < 400
    target = Answering()
    summary = run(small(400), target, out=out)
    assert (summary.n, summary.failed, summary.unfinished) == (400, 0, 0)
    assert len(target.asked) == 400 - before
    lines = (out / "results.jsonl").read_text().splitlines()
    keys = Counter(line.split('"key":"')[1][:20] for line in lines)
    assert len(keys) == 400
    assert set(keys.values()) == {1}


def test_changed_data_are_refused_or_forked(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(small(10), Answering(), out=out)
    changed = small(12, options={"data_sha256": "other"})
    with pytest.raises(UserError, match=r"holds another run .*`--fork`"):
        run(changed, Answering(), out=out)
    target = Answering()
    summary = run(changed, target, out=out, fork=True)
    assert (summary.n, sorted(target.asked)) == (12, [10, 11])
    assert results(tmp_path / "run-2").keys() == {e.id for e in examples(12)}


def test_another_target_starts_afresh_when_forked(tmp_path: Path) -> None:
    run(small(5), Answering(identity={"model": "a"}), out=tmp_path / "run")
    other = Answering(identity={"model": "b"})
    with pytest.raises(UserError, match="target model was `a`, is `b`"):
        run(small(5), other, out=tmp_path / "run")
    run(small(5), other, out=tmp_path / "run", fork=True)
    assert len(other.asked) == 5


def test_an_example_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has example `e0` twice"):
        run(small(2, examples=[*examples(2), *examples(1)]), Answering(), out=tmp_path / "run")
