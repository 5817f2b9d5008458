"""Open-ended DiagnosisArena, and a run of 300 cases against a server that does everything wrong."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Handler, body, completion, cut, drop, fail, say
from replying import ReplyingChat, judging
from wardround.agents.differential_text import name_key
from wardround.errors import UserError
from wardround.evals.benchmark import Benchmark, Output, Score
from wardround.evals.benchmarks import diagnosisarena
from wardround.evals.judging import Judge, Qualification
from wardround.evals.run_folder import RunFolder
from wardround.evals.runs import run
from wardround.evals.summary import summarize
from wardround.evals.targets import ModelTarget
from wardround.models import chat_model
from wardround.models.retry import Backoff
from wardround.settings import Settings


def cases(path: Path, n: int) -> Path:
    rows = [
        {
            "id": i,
            "Case Information": f"Case {i}: a swollen knee.",
            "Physical Examination": "Warm.",
            "Diagnostic Tests": "Crystals.",
            "Final Diagnosis": "Gout",
            "Options": {"A": "Gout", "B": "Flu"},
            "Right Option": "A",
        }
        for i in range(n)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def exact(reference: str, entries: list[str]) -> list[int]:
    return [2 if name_key(entry) == name_key(reference) else 0 for entry in entries]


def qualified(*, ok: bool = True) -> Qualification:
    return Qualification(
        judge="replying",
        items=200,
        diagnoses=300,
        failed=0,
        accuracy=0.95,
        kappa=0.9,
        by_kind={},
        qualified=ok,
        reasons=() if ok else ("kappa 0.2, 0.85 needed",),
    )


def benchmark(path: Path, *judges: Judge, ok: bool = True, **options: Any) -> Benchmark:
    used = judges or (Judge(ReplyingChat(reply=judging(exact)), "replying"),)
    return diagnosisarena.load(path, judges=used, qualifications=[qualified(ok=ok)], **options)


def scored(made: Benchmark, output: Output) -> Score:
    async def score() -> Score:
        found = made.score(made.examples[0], output)
        return found if isinstance(found, Score) else await found

    return asyncio.run(score())


def test_ranks(tmp_path: Path) -> None:
    made = benchmark(cases(tmp_path / "cases.jsonl", 1))
    first = scored(made, Output(text="1. Gout\n2. Flu"))
    third = scored(made, Output(text="1. Flu\n2. Cold\n3. gout"))
    assert (first.values["top1"], first.values["top5"]) == (1.0, 1.0)
    assert (third.values["top1"], third.values["top5"]) == (0.0, 1.0)
    assert third.why == "Of 3 diagnoses number 3 is the reference: Gout."


def test_the_prompt_shows_the_case_and_never_what_is_asked_for(tmp_path: Path) -> None:
    for form in ("wardround", "official"):
        text = str(benchmark(cases(tmp_path / "c.jsonl", 1), form=form).examples[0].messages)
        assert "Crystals." in text
        assert "Gout" not in text
        assert "Flu" not in text


def test_defect_12_the_reasoning_never_reaches_a_judge(tmp_path: Path) -> None:
    model = ReplyingChat(reply=judging(exact))
    made = benchmark(cases(tmp_path / "c.jsonl", 1), Judge(model, "replying"))
    scored(made, Output(text="It could be SECRET, given the story.\n1. Flu - SECRET", reasoning="SECRET"))
    assert "SECRET" not in str(model.asked)
    assert scored(made, Output(text="")).flags == ("no_answer",)
    assert len(model.asked) == 1


def test_judges_decide_by_majority_and_their_words_are_kept(tmp_path: Path) -> None:
    judges = [Judge(ReplyingChat(reply=judging(lambda _, e, s=s: [s] * len(e))), f"judge {s}") for s in (2, 2, 0)]
    found = scored(benchmark(cases(tmp_path / "c.jsonl", 1), *judges), Output(text="1. Flu"))
    assert found.values["top1"] == 1.0
    assert found.flags == ("judges_differ",)
    assert [said["judge"] for said in found.details["diagnoses"][0]["judges"]] == ["judge 2", "judge 2", "judge 0"]  # type: ignore[index,call-overload]


def test_a_graphs_own_differential_goes_before_its_text(tmp_path: Path) -> None:
    output = Output(text="1. Flu", data={"differential": [{"rank": 1, "diagnosis": "Gout"}]})
    assert scored(benchmark(cases(tmp_path / "c.jsonl", 1)), output).values["top1"] == 1.0


def test_without_a_judge_there_is_nothing_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name a judge with `--judge`"):
        diagnosisarena.load(cases(tmp_path / "c.jsonl", 1), judges=[], qualifications=[])


def test_an_unqualified_judge_gives_no_headline(tmp_path: Path) -> None:
    made = benchmark(cases(tmp_path / "c.jsonl", 3), ok=False)
    target = ModelTarget(ReplyingChat(reply=lambda _: "1. Gout"), "model")
    summary = summarize(run(made, target, out=tmp_path / "run"))
    assert summary.figures["top1"].value is None
    assert summary.unqualified["top1"].value == 1.0
    assert "kappa 0.2" in (summary.withheld or "")
    assert summary.as_json()["top1"] == {"value": None, "ci": None, "n": 3, "failed": 0, "method": "withheld"}


def faulty(seed: int) -> Any:
    """A server that is overloaded, broken, cut off, talks rubbish, is slow, and now and then answers."""
    chance, seen = random.Random(seed), {"answers": 0}  # noqa: S311 - a test
    right = say("1. Gout\n2. Flu")
    wrong = say("1. Flu")

    def reply(handler: Handler, request: dict[str, Any]) -> None:
        kind = chance.random()
        if kind < 0.15:
            fail(429, "slow down", retry_after="0.01")(handler, request)
        elif kind < 0.25:
            fail(500)(handler, request)
        elif kind < 0.32:
            drop(handler, request)
        elif kind < 0.38:
            body("<html>not a model</html>")(handler, request)
        elif kind < 0.42:
            body(json.dumps(completion({"role": "assistant", "content": None})))(handler, request)
        elif kind < 0.46:
            cut("1. Go")(handler, request)
        else:
            seen["answers"] += 1
            (right if seen["answers"] % 2 else wrong)(handler, request)

    return reply


def test_300_cases_against_a_faulty_server_are_all_accounted_for(tmp_path: Path, chat_server: ChatServer) -> None:
    chat_server.always(faulty(7))
    model = chat_model(
        f"openai:m@{chat_server.address}",
        settings=Settings(retries=2, timeout_s=5),
        backoff=Backoff(first_s=0.001, longest_s=0.01),
    )
    made = benchmark(cases(tmp_path / "cases.jsonl", 300))
    target = ModelTarget(model, "model")
    summary = summarize(run(made, target, out=tmp_path / "run", at_once=16))
    results = list(RunFolder.open(tmp_path / "run").results())
    assert (summary.n, summary.unfinished, len(results), len({r.key for r in results})) == (300, 0, 300, 300)
    failed = [r for r in results if r.failure]
    assert 0 < len(failed) < 200
    assert summary.failed == len(failed) == sum(summary.failures.values())
    assert {r.failure.type for r in failed if r.failure} <= {"ModelUnavailable", "ModelReplyError"}
    right = sum(r.score.values["top1"] or 0 for r in results)
    assert summary.figures["top1"].n == 300
    assert summary.figures["top1"].value == pytest.approx(right / 300)
    assert all((tmp_path / "run" / r.trace).is_file() for r in results if r.trace)

    chat_server.always(say("1. Gout"))
    again = summarize(run(made, target, out=tmp_path / "run", at_once=16, retry_failed=True))
    assert (again.n, again.failed) == (300, 0)
    assert {r.attempt for r in RunFolder.open(tmp_path / "run").results() if r.key in {f.key for f in failed}} == {2}
