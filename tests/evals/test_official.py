"""Scores of the official scripts' files.

Each of their defects that concerns scoring has a test, with what the official metric makes of the same file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from wardround.evals.official import UnreadableScore, score_diagnosisarena, score_diagnosisarena_mcq, scores_of

OPTIONS = {"A": "Gout", "B": "Pseudogout", "C": "Septic arthritis", "D": "Reactive arthritis"}


def case(n: int, right: str = "B") -> dict[str, Any]:
    return {
        "id": n,
        "Case Information": "A knee.",
        "Final Diagnosis": OPTIONS[right],
        "Options": OPTIONS,
        "Right Option": right,
    }


def judged(n: int, scores: list[Any], names: list[str] | None = None) -> dict[str, Any]:
    names = names or list(OPTIONS.values())[: len(scores)]
    response = "\n".join(
        f"{i}. {name}: \\boxed{{{score}}};" for i, (name, score) in enumerate(zip(names, scores, strict=True), start=1)
    )
    answer = "\n".join(f"{i}. {name};" for i, name in enumerate(list(OPTIONS.values())[: len(scores)], start=1))
    return {"id": n, "Final Diagnosis": "Pseudogout", "LLM Response": answer, "response": response}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def official_mcq(rows: list[dict[str, Any]]) -> float:
    """What the first official metric computed: the method `lower` is compared, never called."""
    results = [
        1 if re.findall(r"\\boxed{(.*?)}", row["LLM Response"])[0].strip().lower == row["Right Option"] else 0
        for row in rows
    ]
    return sum(results) / len(results)


def official_open(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """What the official metric computes: boxes by position, over the lines there are."""
    scores = [[int(score) for score in re.findall(r"\\boxed{(.*?)}", row["response"])] for row in rows]
    return sum(s[0] > 1 for s in scores) / len(scores), sum(max(s[:5]) > 1 for s in scores) / len(scores)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "cases.jsonl", [case(n) for n in range(1, 5)])


def mcq(tmp_path: Path, data: Path, *replies: str) -> Any:
    rows = [{"id": n, "Right Option": "B", "LLM Response": reply} for n, reply in enumerate(replies, start=1)]
    return score_diagnosisarena_mcq(write(tmp_path / "answers.jsonl", rows), data), rows


def test_plain_scores(tmp_path: Path, data: Path) -> None:
    rows = [judged(1, [2, 0, 0]), judged(2, [0, 2, 1]), judged(3, [1, 1, 0]), judged(4, [0, 0, 0])]
    found = score_diagnosisarena(write(tmp_path / "judged.jsonl", rows), data)
    assert found.top1 is not None
    assert found.top5 is not None
    assert (found.n, found.top1.value, found.top5.value) == (4, 0.25, 0.5)
    assert (found.missing, found.failed, found.duplicates, found.unknown) == ((), (), (), ())


def test_defect_1_right_answers_are_right(tmp_path: Path, data: Path) -> None:
    found, rows = mcq(tmp_path, data, *["\\boxed{B}"] * 4)
    assert official_mcq(rows) == 0.0
    assert found.accuracy.value == 1.0


def test_defect_2_the_last_box_counts(tmp_path: Path, data: Path) -> None:
    found, rows = mcq(tmp_path, data, *["\\boxed{A}? No: \\boxed{B}"] * 4)
    assert re.findall(r"\\boxed{(.*?)}", rows[0]["LLM Response"])[0] == "A"
    assert found.accuracy.value == 1.0


def test_defect_3_an_answer_without_a_box_costs_that_case_only(tmp_path: Path, data: Path) -> None:
    found, rows = mcq(tmp_path, data, "\\boxed{B}", "I cannot say.", "\\boxed{B}", "The answer is B")
    with pytest.raises(IndexError):
        official_mcq(rows)
    assert found.accuracy.value == 0.75
    assert [(f.id, f.cause) for f in found.failed] == [("2", "chooses no option")]


def test_defect_4_the_letter_may_have_company(tmp_path: Path, data: Path) -> None:
    replies = ["\\boxed{B.}", "\\boxed{(B)}", "\\boxed{B: Pseudogout}", "\\boxed{\\text{B}}"]
    found, rows = mcq(tmp_path, data, *replies)
    assert sum(re.findall(r"\\boxed{(.*?)}", row["LLM Response"])[0].strip().lower() == "b" for row in rows) == 0
    assert found.accuracy.value == 1.0


def test_defect_5_a_score_that_is_no_integer_costs_that_case_only(tmp_path: Path, data: Path) -> None:
    rows = [judged(1, [2]), judged(2, ["1.5"]), judged(3, ["\\text{2}"]), judged(4, [2])]
    with pytest.raises(ValueError, match="invalid literal"):
        official_open(rows)
    found = score_diagnosisarena(write(tmp_path / "judged.jsonl", rows), data)
    assert found.top1 is not None
    assert (found.top1.value, [f.id for f in found.failed]) == (0.5, ["2", "3"])


def test_defect_6_a_score_belongs_to_the_diagnosis_it_names(tmp_path: Path, data: Path) -> None:
    # The judge goes through the list in another order: the 2 is the second diagnosis's.
    rows = [judged(1, [2, 0, 0], ["Pseudogout", "Gout", "Septic arthritis"])]
    assert official_open(rows) == (1.0, 1.0)
    found = score_diagnosisarena(write(tmp_path / "judged.jsonl", rows), data)
    assert found.top1 is not None
    assert found.top5 is not None
    assert (found.top1.value, found.top5.value) == (0.0, 0.25)


@pytest.mark.parametrize("scores", [[2], [2, 0, 0, 0]])
def test_defect_6_as_many_scores_as_diagnoses(scores: list[int]) -> None:
    candidate = "1. Gout\n2. Pseudogout\n3. Septic arthritis"
    judge = "\n".join(f"{i}. Disease {i}: \\boxed{{{score}}}" for i, score in enumerate(scores, start=1))
    with pytest.raises(UnreadableScore, match="scores for 3 diagnoses"):
        scores_of(candidate, judge)


def test_defect_6_a_box_in_the_candidates_own_text_is_no_score() -> None:
    candidate = "1. Gout \\boxed{2}\n2. Pseudogout \\boxed{2}"
    judge = (
        "The student wrote Gout \\boxed{2} and Pseudogout \\boxed{2}.\n1. Gout: \\boxed{0}\n2. Pseudogout: \\boxed{1}"
    )
    assert scores_of(candidate, judge) == (0, 1)


def test_defect_7_the_data_set_is_the_denominator(tmp_path: Path, data: Path) -> None:
    rows = [judged(1, [2]), judged(1, [2]), judged(1, [2]), judged(99, [2])]
    assert official_open(rows) == (1.0, 1.0)
    found = score_diagnosisarena(write(tmp_path / "judged.jsonl", rows), data)
    assert found.top1 is not None
    assert (found.n, found.top1.value, found.top1.n, found.top1.failed) == (4, 0.25, 4, 3)
    assert (found.missing, found.duplicates, found.unknown) == (("2", "3", "4"), ("1",), ("99",))


def test_of_several_records_the_last_counts(tmp_path: Path, data: Path) -> None:
    found = score_diagnosisarena(write(tmp_path / "judged.jsonl", [judged(1, [2]), judged(1, [0])]), data)
    assert found.top1 is not None
    assert found.top1.value == 0.0


def test_a_failed_call_is_listed(tmp_path: Path, data: Path) -> None:
    rows = [
        {"id": 1, "LLM Response": None, "response": None},
        {"id": 2, "LLM Response": "1. Gout", "response": "Sorry."},
    ]
    found = score_diagnosisarena(write(tmp_path / "judged.jsonl", rows), data)
    assert [(f.id, f.cause) for f in found.failed] == [
        ("1", "the candidate names no diagnosis"),
        ("2", "the judge gives no boxed score"),
    ]


def test_an_ambiguous_answer_is_wrong_and_listed(tmp_path: Path, data: Path) -> None:
    found, _ = mcq(tmp_path, data, "The answer is A or B", "B", "B", "B")
    assert (found.accuracy.value, found.failed[0].cause) == (0.75, "ambiguous: A and B")


def test_the_json_has_the_keys_that_are_documented(tmp_path: Path, data: Path) -> None:
    found = json.loads(score_diagnosisarena(write(tmp_path / "j.jsonl", [judged(1, [2])]), data).model_dump_json())
    assert {"n", "top1", "top5", "missing", "failed", "duplicates", "unknown"} <= found.keys()
    assert {"value", "ci", "n"} <= found["top1"].keys()
