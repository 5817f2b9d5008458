"""The commands `wardround train data ...`. Thin, as in `cli.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..errors import UserError

data_app = typer.Typer(no_args_is_help=True, help="Rows to train with. A build goes on where it was stopped.")

OutOption = Annotated[Path, typer.Option(help="The build's folder.")]
QuestionsOption = Annotated[Path, typer.Option("--data", help="Multiple choice: MedQA, MedXpertQA, MMMU, ...")]
LimitOption = Annotated[int | None, typer.Option(min=1, help="Only the first questions.")]
AgainstOption = Annotated[
    list[Path] | None, typer.Option("--against", help="A benchmark whose text must not be learned; may be repeated.")
]
AtOnceOption = Annotated[int, typer.Option(min=1, help="The most calls at once.")]
SeedOption = Annotated[int, typer.Option(help="Of samples and choices.")]
TemperatureOption = Annotated[float, typer.Option(min=0, help="Of sampled replies.")]


@data_app.command("stage1")
def stage1(
    data: QuestionsOption,
    teacher: Annotated[str, typer.Option(help="The model that reasons: openai:NAME@http://host:port/v1, ...")],
    out: OutOption,
    base: Annotated[str | None, typer.Option(help="The model that will learn, to tell how hard questions are.")] = None,
    size: Annotated[int, typer.Option(min=1, help="Rows wanted.")] = 2000,
    samples: Annotated[int, typer.Option(min=1, help="Of the base model, a question.")] = 8,
    tries: Annotated[int, typer.Option(min=1, help="Of the teacher, a question.")] = 4,
    temperature: TemperatureOption = 1.0,
    hard_share: Annotated[float, typer.Option(min=0, max=1, help="The most rows the base only guesses at.")] = 0.5,
    shortest: Annotated[int, typer.Option(min=0, help="Characters of reasoning at least.")] = 200,
    longest: Annotated[int, typer.Option(min=1, help="Characters of a reply at most.")] = 8000,
    against: AgainstOption = None,
    limit: LimitOption = None,
    seed: SeedOption = 0,
    at_once: AtOnceOption = 16,
) -> None:
    """Demonstrations of reasoning by a teacher, filtered and balanced (MedE2, Stage I)."""
    from ..training.data.rollouts import check_plan
    from ..training.data.stage1 import Stage1Plan, build_stage1, read_questions, show_report
    from .terminal import counting, say

    told = {"shortest": shortest, "longest": longest}
    plan: Stage1Plan = check_plan(
        Stage1Plan,
        teacher=teacher,
        base=base,
        size=size,
        samples=samples,
        tries=tries,
        temperature=temperature,
        hard_share=hard_share,
        filter=told,
        seed=seed,
        at_once=at_once,
    )
    with counting() as progress:
        questions = read_questions(data)[:limit]
        report = build_stage1(questions, plan, out, benchmarks=against or (), progress=progress)
    say(f"{show_report(report)}: {out / 'rows.jsonl'}")


@data_app.command("stage2")
def stage2(
    data: QuestionsOption,
    model: Annotated[str, typer.Option(help="The Stage I model; of --no-stage1 the base model.")],
    judge: Annotated[list[str], typer.Option("--judge", help="A model that judges; may be repeated.")],
    out: OutOption,
    images: Annotated[Path | None, typer.Option(help="Folder of the images; else cases are text only.")] = None,
    show: Annotated[
        Literal["shown", "masked", "shuffled"], typer.Option(help="What stands in the rows for the images.")
    ] = "shown",
    criterion: Annotated[
        list[str] | None, typer.Option(help="logic, image, hallucination, reflection: only these; may be repeated.")
    ] = None,
    size: Annotated[int, typer.Option(min=1, help="Pairs wanted.")] = 1500,
    samples: Annotated[int, typer.Option(min=2, help="Replies to a case.")] = 8,
    temperature: TemperatureOption = 1.0,
    margin: Annotated[float, typer.Option(min=0, help="Points that a pair is apart, at least.")] = 2.0,
    pairs: Annotated[int, typer.Option(min=1, help="Of one case, at most.")] = 1,
    right_only: Annotated[bool, typer.Option("--right-only/--wrong-needed", help="Pairs of two right replies.")] = True,
    no_stage1: Annotated[bool, typer.Option("--no-stage1", help="Record that the model had no Stage I.")] = False,
    unqualified: Annotated[bool, typer.Option("--unqualified", help="Take judges that failed calibration.")] = False,
    against: AgainstOption = None,
    limit: LimitOption = None,
    seed: SeedOption = 0,
    at_once: AtOnceOption = 16,
) -> None:
    """Preference pairs by the multimodal medical reasoning preference (MedE2, Stage II)."""
    from ..evals.benchmarks import multiple_choice
    from ..training.data.rollouts import check_plan
    from ..training.data.stage2 import Stage2Plan, build_stage2, show_report
    from .evaluating import open_judges, qualified
    from .terminal import counting, say

    chosen = {"criteria": tuple(criterion)} if criterion else {}
    plan: Stage2Plan = check_plan(
        Stage2Plan,
        model=model,
        judges=tuple(judge),
        size=size,
        samples=samples,
        temperature=temperature,
        margin=margin,
        pairs=pairs,
        right_only=right_only,
        images=show,
        stage1=not no_stage1,
        seed=seed,
        at_once=at_once,
        **chosen,
    )
    embedded = out / "images" if images else None
    cases = list(multiple_choice.load(data, images=images, embedded=embedded).examples)[:limit]
    judges = open_judges(judge)
    qualifications = [qualified(one) for one in judges]
    with counting() as progress:
        report = build_stage2(
            cases,
            plan,
            out,
            judges=judges,
            qualifications=qualifications,
            unqualified=unqualified,
            benchmarks=against or (),
            progress=progress,
        )
    say(f"{show_report(report)}: {out / 'rows.jsonl'}")


@data_app.command("mag")
def mag(
    data: Annotated[Path, typer.Option(help="Questions in the format of MMXU's development file, or of a cohort.")],
    out: Annotated[Path, typer.Option(help="The file of rows.")],
    records: Annotated[
        Literal["none", "global", "regional", "both"], typer.Option(help="What of the earlier report.")
    ] = "regional",
    comparisons: Annotated[
        Literal["mark", "plain", "leave_out"], typer.Option(help="Its sentences on still earlier films.")
    ] = "mark",
    images: Annotated[Path | None, typer.Option(help="Folder that the image paths start from.")] = None,
    current: Annotated[
        Literal["image", "words"], typer.Option(help="words: what the current film shows is told, a text proxy.")
    ] = "image",
) -> None:
    """Demonstrations of comparing films with the earlier record (MMXU, MAG)."""
    from ..training.data import write_rows
    from ..training.data.mag import mag_rows
    from .terminal import say

    if images is None and current == "image":
        raise UserError("rows without images show nothing of the films: give `--images FOLDER`, or `--current words`")
    rows = mag_rows(data, out=out, records=records, comparisons=comparisons, images=images, current=current)
    write_rows(rows, out)
    say(f"{len(rows)} rows of {len({row.entity for row in rows})} patients: {out}")
