"""Multiple choice: every format is read, scored and grouped; the blind baselines come out as published."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from wardround.errors import UserError
from wardround.evals.benchmark import Benchmark, Output, Score
from wardround.evals.benchmarks import diagnosisarena_mcq, mmxu, multiple_choice
from wardround.evals.blind import blind_targets, question_only
from wardround.evals.probes import leakage, options_only, second_half
from wardround.evals.runs import run
from wardround.evals.summary import summarize

DATA = Path(__file__).parents[2].parent / "shared" / "data"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
FORMATS: dict[str, dict[str, Any]] = {
    "MedQA": {"question": "Which?", "options": {"A": "one", "B": "two"}, "answer_idx": "B", "meta_info": "step1"},
    "Medbullets": {"question": "Which?", "opa": "one", "opb": "two", "answer_idx": "B"},
    "MedXpertQA": {
        "id": "Text-1",
        "question": "Which?\nAnswer Choices: (A) one (B) two",
        "options": [{"letter": "A", "content": "one"}, {"letter": "B", "content": "two"}],
        "label": ["B"],
        "question_type": "Reasoning",
    },
    "MMMU": {
        "id": "validation_Pharmacy_1",
        "question": "Which?",
        "options": "['one', 'two']",
        "answer": "B",
        "image_1": None,
    },
    "MMMU-Pro": {
        "id": "test_Pharmacy_1",
        "options": "['one', 'two']",
        "answer": "B",
        "image": None,
        "subject": "Pharmacy",
    },
}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def scored(benchmark: Benchmark, text: str) -> Score:
    score = benchmark.score(benchmark.examples[0], Output(text=text))
    assert isinstance(score, Score)
    return score


def shown(benchmark: Benchmark) -> str:
    content = benchmark.examples[0].messages[0]["content"]
    return content if isinstance(content, str) else str(content)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_and_scored(tmp_path: Path, name: str) -> None:
    benchmark = multiple_choice.load(write(tmp_path / "data.jsonl", FORMATS[name]))
    assert benchmark.options["format"] == name
    assert "A. one\nB. two" in shown(benchmark)
    assert shown(benchmark).count("two") == 1
    assert scored(benchmark, "Answer: B").values == {"accuracy": 1.0, "answered": 1.0}
    assert scored(benchmark, "Answer: A").values == {"accuracy": 0.0, "answered": 1.0}
    assert scored(benchmark, "no idea").flags == ("no_answer",)
    assert scored(benchmark, "A or B").flags == ("ambiguous",)


def test_options_are_never_shown_as_a_python_dict(tmp_path: Path) -> None:
    """Defect 11 of the official scripts: the options stood in the prompt as a dict."""
    row = {"id": 1, "Case Information": "A knee.", "Options": {"A": "Gout", "B": "Flu"}, "Right Option": "A"}
    text = shown(diagnosisarena_mcq.load(write(tmp_path / "cases.jsonl", row)))
    assert "A. Gout\nB. Flu" in text
    assert str(row["Options"]) not in text
    assert "{" not in text


def test_the_case_never_shows_its_diagnosis(tmp_path: Path) -> None:
    row = {
        "id": 1,
        "Case Information": "A knee.",
        "Final Diagnosis": "SECRET",
        "Options": {"A": "Gout", "B": "Flu"},
        "Right Option": "A",
    }
    assert "SECRET" not in shown(diagnosisarena_mcq.load(write(tmp_path / "cases.jsonl", row)))


def test_images_in_a_parquet_file_are_shown_from_a_folder(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    row = {**FORMATS["MMMU"], "image_1": {"bytes": PNG, "path": "1.png"}, "question": "What is in <image 1>?"}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "mmmu.parquet")
    blind = multiple_choice.load(tmp_path / "mmmu.parquet")
    assert blind.notes == ["Text only: 1 of 1 questions have images that were not shown."]
    seeing = multiple_choice.load(tmp_path / "mmmu.parquet", embedded=tmp_path / "images")
    (part, _) = seeing.examples[0].messages[0]["content"]  # type: ignore[misc]
    assert Path(part["path"]).read_bytes() == PNG  # type: ignore[index]
    assert seeing.notes == []


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    row = {**FORMATS["MedXpertQA"], "images": [{"image_path": "MM-1-a.jpeg"}]}
    path = write(tmp_path / "data.jsonl", row)
    with pytest.raises(UserError, match=r"MM-1-a.jpeg` is not there"):
        multiple_choice.load(path, images=tmp_path)


def test_open_questions_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [FORMATS["MMMU"], {**FORMATS["MMMU"], "question_type": "open", "options": "[]", "id": "x_2"}]
    benchmark = multiple_choice.load(write(tmp_path / "data.jsonl", *rows))
    assert len(benchmark.examples) == 1
    assert benchmark.notes == ["1 of 2 rows are no multiple choice and were left out."]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"q": 1}, "the formats known are MedQA, Medbullets"),
        ({**FORMATS["MedQA"], "answer_idx": "Z"}, "the answer `Z` is none of the options A, B"),
        ({**FORMATS["MedQA"], "options": ["one"]}, "is no object"),
        ({**FORMATS["MMMU"], "options": "one, two"}, "`options` is no list"),
    ],
)
def test_a_row_that_cannot_be_put_is_named(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        multiple_choice.load(write(tmp_path / "data.jsonl", row))


FILMS = {
    "id": 7,
    "content_type": "worsen",
    "question": "What changed?",
    "options": {"A": "Nothing", "B": "It grew", "C": "It shrank", "D": "It went away at last"},
    "answer": "B",
    "cur_image_path": "files/p12/p12658542/s54062690/now.jpg",
    "prior_image_path": "files/p12/p12658542/s57650384/before.jpg",
}


def test_films_are_shown_before_first_and_patients_are_clusters(tmp_path: Path) -> None:
    for name in ("cur_image_path", "prior_image_path"):
        path = tmp_path / str(FILMS[name])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    benchmark = mmxu.load(write(tmp_path / "mmxu.jsonl", FILMS), images=tmp_path)
    parts: Any = benchmark.examples[0].messages[0]["content"]
    assert [Path(part["path"]).name for part in parts[:2]] == ["before.jpg", "now.jpg"]
    assert (benchmark.examples[0].cluster, benchmark.examples[0].groups) == ("12658542", {"type": ("worsen",)})


def test_the_earlier_report_goes_before_the_question(tmp_path: Path) -> None:
    row = {**FILMS, "prior_report": "Small effusion.", "prior_image_path": [FILMS["prior_image_path"]]}
    benchmark = mmxu.load(write(tmp_path / "mmxu.jsonl", row), records="global")
    assert shown(benchmark).index("Small effusion.") < shown(benchmark).index("What changed?")
    assert "Small effusion." not in shown(question_only(benchmark))
    with pytest.raises(UserError, match="no `prior_report`"):
        mmxu.load(write(tmp_path / "mmxu.jsonl", FILMS), records="global")


@pytest.mark.skipif(not (DATA / "mmxu").exists(), reason=f"no {DATA / 'mmxu'}")
def test_the_blind_baselines_are_the_published_ones(tmp_path: Path) -> None:
    benchmark = mmxu.load(DATA / "mmxu" / "MMXU-test.jsonl")
    found = {target.name: summarize(run(benchmark, target, out=tmp_path / target.name)) for target in blind_targets()}
    assert {name: round(100 * (s.figures["accuracy"].value or 0), 1) for name, s in found.items()} == {
        "always-D": 26.1,
        "longest-option": 29.2,
    }
    assert found["always-D"].figures["accuracy"].method == "clustered bootstrap"
    assert {name: figures["accuracy"].n for name, figures in found["always-D"].groups["type"].items()} == {
        "improved": 1000,
        "no change": 1000,
        "worsen": 1000,
    }


def test_the_first_of_equally_long_options_is_the_longest(tmp_path: Path) -> None:
    row = {**FILMS, "options": {"A": "xx", "B": "yyy", "C": "zzz"}}
    example = mmxu.load(write(tmp_path / "mmxu.jsonl", row)).examples[0]
    _, longest = blind_targets()
    assert asyncio.run(longest.answer(example, [])).text == "Answer: B"


@pytest.mark.skipif(not (DATA / "medqa").exists(), reason=f"no {DATA / 'medqa'}")
def test_real_files_are_read_whole() -> None:
    counts = {
        "medqa/phrases_no_exclude_test.jsonl": 1273,
        "medqa/medqa_input_medxpertqa_format.jsonl": 1273,
        "medxpertqa/medxpertqa_mm_input.jsonl": 2000,
        "medxpertqa/medxpertqa_sampled_text_input.jsonl": 244,
    }
    assert {name: len(multiple_choice.load(DATA / name).examples) for name in counts} == counts
    plain = multiple_choice.load(DATA / "medqa/phrases_no_exclude_test.jsonl").examples
    other = multiple_choice.load(DATA / "medqa/medqa_input_medxpertqa_format.jsonl").examples
    assert [e.gold["answer"] for e in plain] == [e.gold["answer"] for e in other]


CASE = "The knee was warm. It had been warm for nine days before anybody looked at it closely. " * 2
HALVED = (
    f"{CASE}Then a needle drew yellow fluid in which crystals shone under the polarising lens. It was gout after all."
)


def test_options_only_hides_the_question(tmp_path: Path) -> None:
    benchmark = options_only(
        multiple_choice.load(write(tmp_path / "d.jsonl", {**FORMATS["MedQA"], "question": "SECRET?"}))
    )
    assert "SECRET" not in shown(benchmark)
    assert "chance is 0.500" in benchmark.notes[-1]
    assert scored(benchmark, "B").values["accuracy"] == 1.0


def test_a_case_known_by_heart_shows(tmp_path: Path) -> None:
    rows = [
        {**FORMATS["MedQA"], "question": text}
        for text in (HALVED, HALVED.replace("knee", "toe").replace("gout", "flu"))
    ]
    probe = second_half(multiple_choice.load(write(tmp_path / "d.jsonl", *rows)))
    example = probe.examples[0]
    assert str(example.gold["second_half"]) not in shown(probe)
    known = scored(probe, str(example.gold["second_half"])).values
    unknown = scored(probe, "I do not know this text and will not guess at how it may go on from here.").values
    assert (known["memorised"], known["overlap"]) == (1.0, 1.0)
    assert unknown["memorised"] == 0.0
    assert (unknown["overlap"] or 0) < 0.3


def test_a_text_too_short_to_halve_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", {**FORMATS["MedQA"], "question": HALVED}, FORMATS["MedQA"])
    probes = leakage(multiple_choice.load(path))
    assert [probe.name for probe in probes] == ["options-only", "second-half"]
    assert probes[1].notes == ["Second half: 1 examples were too short to halve."]
