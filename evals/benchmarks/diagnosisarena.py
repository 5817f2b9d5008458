"""DiagnosisArena, open-ended: five ranked diagnoses, scored by judges against the reference (arXiv 2505.14107)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import JsonValue

from ...agents.differential_text import MOST, read_differential
from ...agents.prompting import prompt
from ...errors import UserError
from ..benchmark import Benchmark, Example, Metric, Output, Score
from ..cases import BIAS, case_text, specialty_of
from ..judging import Judge, Qualification, majority
from ..reading import Row, read_rows, sha256_of, text_field

METRICS: Final = (
    Metric(name="top1", title="the first diagnosis is the reference", headline=True),
    Metric(name="top5", title="one of five diagnoses is the reference", headline=True),
    Metric(name="answered", title="named a diagnosis"),
)
_EXACT: Final = 2
Form = Literal["wardround", "official", "case"]


def load(
    data: Path, *, judges: Sequence[Judge], qualifications: Sequence[Qualification], form: Form = "wardround"
) -> Benchmark:
    """The benchmark over the official file, JSONL or parquet.

    Args:
        data: the cases.
        judges: who scores; of several, the majority, and of equally many the lower score.
        qualifications: how each judge did in its calibration. One that failed withholds the headline figures.
        form: `official` asks as the official script does: five names, one a line, nothing else. `wardround` lets the
            model reason first. `case` is the case alone, for a graph that knows what to do with it.

    Raises:
        UserError: no judge, or a file that can't be read.
    """
    if not judges:
        raise UserError("diagnosisarena is judged: name a judge with `--judge`, or run diagnosisarena-mcq")
    unqualified = [q.verdict for q in qualifications if not q.qualified]
    names: list[JsonValue] = [judge.identity for judge in judges]

    async def score(example: Example, output: Output) -> Score:
        return await _score(example, output, judges)

    return Benchmark(
        name="diagnosisarena",
        examples=[_example(row, form) for row in read_rows(data)],
        metrics=METRICS,
        score=score,
        options={
            "data": data.name,
            "data_sha256": sha256_of(data)[:16],
            "prompt": f"{form}@{_prompt(form)[1]}",
            "judges": names,
        },
        notes=[BIAS, *(q.verdict for q in qualifications)],
        withheld="; ".join(unqualified) or None,
    )


@cache
def _prompt(form: Form) -> tuple[str, str]:
    """The instruction before the case, and its hash."""
    if form == "case":
        return "", ""
    if form == "official":
        task = prompt("diagnose_official")
        return task.text, task.sha256
    text = (files("wardround.evals") / "benchmarks" / "prompts" / "diagnose_wardround.md").read_text(encoding="utf-8")
    return text.strip(), hashlib.sha256(text.encode()).hexdigest()[:12]


def _example(row: Row, form: Form) -> Example:
    text = f"{_prompt(form)[0]}\n\n{case_text(row)}".strip()
    specialty = specialty_of(row)
    return Example(
        id=text_field(row, "id"),
        messages=({"role": "user", "content": text},),
        gold={"diagnosis": text_field(row, "Final Diagnosis"), "question": case_text(row)},
        groups={"specialty": tuple(specialty)} if specialty else {},
    )


async def _score(example: Example, output: Output, judges: Sequence[Judge]) -> Score:
    """An answer without a diagnosis is wrong, and no judge is asked."""
    reference = str(example.gold["diagnosis"])
    diagnoses, how = _diagnoses(output)
    if not diagnoses:
        return Score(
            values={"top1": 0.0, "top5": 0.0, "answered": 0.0},
            why="The answer names no diagnosis.",
            flags=("no_answer",),
        )
    judged = [await judge.judge(reference, diagnoses) for judge in judges]
    scores = [majority([one.scores[place] for one in judged]) for place in range(len(diagnoses))]
    place = scores.index(_EXACT) + 1 if _EXACT in scores else None
    found = f"number {place} is the reference" if place else "none is the reference"
    return Score(
        values={"top1": float(scores[0] == _EXACT), "top5": float(_EXACT in scores), "answered": 1.0},
        why=f"Of {len(diagnoses)} diagnoses {found}: {reference}.",
        flags=("judges_differ",) if len({one.scores for one in judged}) > 1 else (),
        details={
            "answer": diagnoses[0],
            "read_as": how,
            "diagnoses": [
                {
                    "diagnosis": name,
                    "score": scores[i],
                    "judges": [
                        {"judge": judge.spec, "score": one.scores[i], "reason": one.reasons[i]}
                        for judge, one in zip(judges, judged, strict=True)
                    ],
                }
                for i, name in enumerate(diagnoses)
            ],
        },
    )


def _diagnoses(output: Output) -> tuple[tuple[str, ...], str]:
    """A graph's own differential, where it gives one as data; else what is read of its text."""
    given: Any = output.data.get("differential")
    if isinstance(given, list) and given:
        names = [item.get("diagnosis") if isinstance(item, dict) else item for item in given]
        return tuple(str(name) for name in names if name)[:MOST], "data"
    found = read_differential(output.text)
    return found.diagnoses, found.how
