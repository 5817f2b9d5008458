"""The commands `wardround eval`, `score`, `elo` and `runs ...`. Thin, as in `cli.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UserError
from .corpus import CorpusOption, JsonOption
from .progress import StoreOption

if TYPE_CHECKING:
    from ..evals.summary import Summary

runs_app = typer.Typer(no_args_is_help=True, help="Runs of benchmarks: look into them, compare them, go on with them.")

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
JudgeOption = Annotated[
    list[str] | None, typer.Option("--judge", help="A model that judges, as for --model; may be repeated.")
]
AtOnceOption = Annotated[int | None, typer.Option(min=1, help="The most examples at once.")]


def evaluate(
    benchmark: Annotated[str, typer.Argument(help="medicineqa, diagnosisarena[-mcq], mmxu or multiple-choice.")],
    data: Annotated[Path | None, typer.Option(help="Its file. medicineqa: default the shipped dev dialogues.")] = None,
    split: Annotated[str, typer.Option(help="dev or test, of the shipped MedicineQA-Open.")] = "dev",
    graph: Annotated[
        str | None,
        typer.Option(
            help="consultation, retrieve_then_read, last_turn, by_rules, diagnosis, progression, model, or MODULE:NAME."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="local, openai:NAME@http://host:port/v1 or scripted:FILE.")] = None,
    corpus: CorpusOption = None,
    mode: Annotated[str | None, typer.Option(help="The reader's mode: free or quotes.")] = None,
    judge: JudgeOption = None,
    prompt: Annotated[str, typer.Option(help="diagnosisarena: wardround, or official for the official form.")] = (
        "wardround"
    ),
    records: Annotated[
        str, typer.Option(help="mmxu: the earlier report with the question; none, global, regional or both.")
    ] = "none",
    comparisons: Annotated[
        str, typer.Option(help="mmxu: what compares with a still earlier film; mark, plain or leave_out.")
    ] = "mark",
    patients: StoreOption = None,
    current: Annotated[str, typer.Option(help="mmxu: image, or words (of a synthetic cohort's current film).")] = (
        "image"
    ),
    crops: Annotated[
        bool, typer.Option("--crops", help="mmxu: show the asked region of both films once more.")
    ] = False,
    images: Annotated[Path | None, typer.Option(help="Folder of the images; without it questions are text only.")] = (
        None
    ),
    baseline: Annotated[str | None, typer.Option(help="blind (no model), or question-only.")] = None,
    probe: Annotated[str | None, typer.Option(help="leakage: has the model seen the data?")] = None,
    only: Annotated[list[str] | None, typer.Option(help="DIMENSION=GROUP, e.g. trait=shipped; repeatable.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many examples.")] = None,
    samples: Annotated[int, typer.Option(min=1, max=1000, help="Answers an example; diagnosis makes one of them.")] = 1,
    temperature: Annotated[float | None, typer.Option(min=0, help="Of the answering model; default 0.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; the same command goes on with it.")] = None,
    fork: Annotated[bool, typer.Option(help="Where --out holds another run, begin beside it.")] = False,
    retry_failed: Annotated[bool, typer.Option(help="Run failed examples again.")] = False,
    at_once: AtOnceOption = None,
    budget_tokens: Annotated[int | None, typer.Option(min=1, help="Stop after so many tokens.")] = None,
    budget_seconds: Annotated[float | None, typer.Option(min=0.001, help="Stop after so many seconds.")] = None,
    budget_money: Annotated[float | None, typer.Option(min=0.0001, help="Stop at this cost; needs the prices.")] = None,
    price_in: Annotated[float, typer.Option(min=0, help="Of a million tokens in.")] = 0.0,
    price_out: Annotated[float, typer.Option(min=0, help="Of a million tokens out.")] = 0.0,
    cache: Annotated[bool, typer.Option(help="Answer requests that were made before from the cache.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a benchmark; end in a folder with scores, traces and a report."""
    from ..evals.budget import Budget
    from .evaluating import Asked, evaluate_all

    if budget_money is not None and not (price_in or price_out):
        raise UserError("`--budget-money` needs prices: give `--price-in` and `--price-out`")
    asked = Asked(
        benchmark=benchmark,
        data=data,
        split=split,
        graph=graph,
        model=model,
        corpus=corpus,
        mode=mode,
        judges=tuple(judge or ()),
        prompt=prompt,
        records=records,
        comparisons=comparisons,
        patients=patients,
        current=current,
        crops=crops,
        images=images,
        baseline=baseline,
        probe=probe,
        only=tuple(only or ()),
        limit=limit,
        samples=samples,
        temperature=temperature,
        out=out,
        fork=fork,
        retry_failed=retry_failed,
        at_once=at_once,
        budget=Budget(
            tokens=budget_tokens, seconds=budget_seconds, money=budget_money, price_in=price_in, price_out=price_out
        ),
        cache=cache,
    )
    done = evaluate_all(asked)
    if as_json:
        shown = {name: {**summary.as_json(), "run": str(path)} for name, path, summary in done}
        _print_json(next(iter(shown.values())) if len(shown) == 1 else shown)
        return
    for _, path, summary in done:
        _show(path, summary)


def score(
    benchmark: Annotated[str, typer.Argument(help="diagnosisarena or diagnosisarena-mcq.")],
    judged: Annotated[Path, typer.Argument(metavar="FILE", help="What the official scripts wrote.")],
    data: Annotated[Path, typer.Option(help="The cases.")],
    as_json: JsonOption = False,
) -> None:
    """Score the files of DiagnosisArena's official scripts: every case counts."""
    from ..evals.official import score_diagnosisarena, score_diagnosisarena_mcq
    from ..evals.report.table import show_official

    scorers = {"diagnosisarena": score_diagnosisarena, "diagnosisarena-mcq": score_diagnosisarena_mcq}
    if benchmark not in scorers:
        raise UserError(f"`{benchmark}` has no official files to score: it is one of {', '.join(scorers)}")
    scored = scorers[benchmark](judged, data)
    if as_json:
        print(scored.model_dump_json(indent=2, exclude_none=True))  # noqa: T201
    else:
        show_official(scored)


def elo(
    battles: Annotated[Path, typer.Argument(help="JSONL with model_a, model_b and winner.")],
    as_json: JsonOption = False,
) -> None:
    """Ratings from battles: the paper's Elo with intervals, and Bradley-Terry beside it."""
    from ..evals.elo import rate_battles, read_battles
    from ..evals.report.table import show_elo

    table = rate_battles(read_battles(battles))
    if as_json:
        print(table.model_dump_json(indent=2))  # noqa: T201
    else:
        show_elo(table)


@runs_app.command("list")
def runs_list(
    folder: Annotated[Path, typer.Argument(help="Where the runs lie.")] = Path("runs"), as_json: JsonOption = False
) -> None:
    """The runs in a folder, oldest first, with their headline figures."""
    from ..evals.report.table import show_runs
    from ..evals.run_folder import runs_below
    from ..evals.summary import summarize

    found = [(path, summarize(path)) for path in runs_below(folder)]
    if as_json:
        _print_json([{"run": str(path), **summary.as_json()} for path, summary in found])
    else:
        show_runs(found)


@runs_app.command("show")
def runs_show(run: RunArgument, as_json: JsonOption = False) -> None:
    """The figures of a run."""
    from ..evals.summary import summarize

    summary = summarize(run)
    if as_json:
        _print_json({**summary.as_json(), "run": str(run)})
    else:
        _show(run, summary)


@runs_app.command("compare")
def runs_compare(
    a: Annotated[Path, typer.Argument(metavar="A")],
    b: Annotated[Path, typer.Argument(metavar="B")],
    as_json: JsonOption = False,
) -> None:
    """Is B better than A? Example by example, over those that both have."""
    from ..evals.comparing import compare_runs
    from ..evals.report.table import show_comparison

    comparison = compare_runs(a, b)
    if as_json:
        print(comparison.model_dump_json(indent=2))  # noqa: T201
    else:
        show_comparison(comparison)


@runs_app.command("report")
def runs_report(
    run: RunArgument,
    out: Annotated[Path | None, typer.Option(help="The HTML file; default: report.html in the run's folder.")] = None,
    compare: Annotated[list[Path] | None, typer.Option(help="Another run to compare with; repeatable.")] = None,
) -> None:
    """Write the report: one HTML file that opens in any browser."""
    from ..evals.report import write_report
    from .terminal import say

    say(f"{write_report(run, out, compare=compare or ())}")


@runs_app.command("leaderboard")
def runs_leaderboard(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Finished runs on the same examples.")],
    out: Annotated[Path, typer.Option(help="Folder for leaderboard.json and leaderboard.html.")],
    metric: Annotated[
        list[str] | None, typer.Option(help="What to show, the first for the order; default: the headline figures.")
    ] = None,
) -> None:
    """Put runs side by side, by group too: figures only, no texts, so that it can be published."""
    from ..evals.leaderboard import leaderboard
    from ..evals.report import write_leaderboard
    from .terminal import say

    for path in write_leaderboard(leaderboard(runs, metrics=metric or ()), out):
        say(f"{path}")


@runs_app.command("retry")
def runs_retry(run: RunArgument, at_once: AtOnceOption = None, as_json: JsonOption = False) -> None:
    """Run the failed examples of a run again, and those that are missing."""
    from .evaluating import retry

    summary = retry(run, at_once=at_once)
    if as_json:
        _print_json({**summary.as_json(), "run": str(run)})
    else:
        _show(run, summary)


@runs_app.command("merge")
def runs_merge(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Runs of one target on parts of the data.")],
    out: Annotated[Path, typer.Option(help="The folder of the merged run.")],
) -> None:
    """Merge runs over parts of a benchmark into one run."""
    from ..evals.merging import merge_runs

    _show(out, merge_runs(runs, out))


@runs_app.command("battle")
def runs_battle(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN...")],
    judge: JudgeOption,
    out: Annotated[Path, typer.Option(help="The battles, for `wardround elo`; the same command goes on with it.")],
    questions: Annotated[int, typer.Option(min=1, help="Examples a pair of runs.")] = 10,
    seed: Annotated[int, typer.Option(help="Which examples.")] = 0,
) -> None:
    """Let judges compare the answers of runs in pairs, each pair in both orders."""
    from .evaluating import battle

    battle(runs, judge or [], out=out, questions=questions, seed=seed)


def _show(path: Path, summary: Summary) -> None:
    from ..evals.report.table import show_summary

    show_summary(summary, path)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201
