"""MMXU with earlier records: of the file or a store, whole or regional, comparisons marked, plain or left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cohort_store import Kept, kept
from PIL import Image
from wardround.corpora.cohort import write_cohort
from wardround.errors import UserError
from wardround.evals.benchmark import Benchmark
from wardround.evals.benchmarks import mmxu
from wardround.evals.targets import messages_of

STILL = "(this compares with a still earlier film)"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kept, Path]]:
    folder = tmp_path_factory.mktemp("mmxu")
    held = kept(folder)
    write_cohort(held.cohort, folder / "cohort", images=False)
    yield held, folder / "cohort" / "train.jsonl"
    held.store.close()


def texts(benchmark: Benchmark) -> list[str]:
    return [str(example.messages[0]["content"]) for example in benchmark.examples]


def test_the_same_records_come_from_the_file_and_from_a_store(data: tuple[Kept, Path]) -> None:
    held, path = data
    for records in ("global", "regional", "both"):
        of_file = texts(mmxu.load(path, records=records))
        of_store = texts(mmxu.load(path, records=records, store=held.store))
        for question, one, other in zip(held.cohort.train, of_file, of_store, strict=True):
            region = question.related_region_name
            assert ("says of the" in one) == (records != "global")
            assert ("report of the earlier film:\n" in one) == (records != "regional")
            findings = question.prior_report.split("FINDINGS: ")[1].split("\n\nIMPRESSION")[0]
            for sentence in findings.split(". "):
                assert (sentence.rstrip(".") in one) or (records == "regional" and region not in sentence)
            bare = [line for line in other.splitlines() if "days before the current film)" not in line]
            if records == "regional":
                assert "\n".join(bare) == one


def test_nothing_of_the_current_report_stands_before_the_question(data: tuple[Kept, Path]) -> None:
    held, path = data
    for store in (None, held.store):
        loaded = texts(mmxu.load(path, records="both", store=store))
        for question, text in zip(held.cohort.train, loaded, strict=True):
            for sentence in held.later(question):
                assert sentence not in text


def test_comparing_sentences_are_marked_plain_or_left_out(data: tuple[Kept, Path]) -> None:
    held, path = data
    index = next(n for n, q in enumerate(held.cohort.train) if q.prior_comparison != "none")
    loaded = {kind: texts(mmxu.load(path, records="global", comparisons=kind))[index] for kind in ("mark", "plain")}
    without = texts(mmxu.load(path, records="global", comparisons="leave_out"))[index]
    assert STILL in loaded["mark"]
    assert loaded["mark"].replace(f" {STILL}", "") == loaded["plain"]
    assert len(without) < len(loaded["plain"])
    assert STILL not in without


def test_words_stand_in_for_the_current_film_where_asked(data: tuple[Kept, Path]) -> None:
    held, path = data
    benchmark = mmxu.load(path, current="words")
    assert f"On the current film: {held.cohort.train[0].cur_seen}." in texts(benchmark)[0]
    assert "measures reading records" in benchmark.notes[-1]
    assert benchmark.examples[0].groups["prior comparison"]


def test_the_region_is_shown_once_more_where_asked(data: tuple[Kept, Path], tmp_path: Path) -> None:
    held, _ = data
    question = held.cohort.train[0]
    for name in (question.cur_image_path, question.prior_image_path[0]):
        (tmp_path / name).parent.mkdir(parents=True)
        Image.linear_gradient("L").resize((512, 512)).save(tmp_path / name)
    (tmp_path / "one.jsonl").write_text(question.model_dump_json())
    benchmark = mmxu.load(tmp_path / "one.jsonl", images=tmp_path, crops=True)
    parts: Any = benchmark.examples[0].messages[0]["content"]
    assert [part.get("box") for part in parts[:4]] == [
        None,
        None,
        question.prior_image_bboxs[0][0],
        question.cur_image_bboxs[0],
    ]
    left, top, right, bottom = question.cur_image_bboxs[0]
    sent: Any = messages_of(benchmark.examples[0])[0].content
    assert len(sent) == 5
    assert "Two more show the asked region" in parts[4]["text"]
    assert sent[3]["image_url"]["url"] != sent[1]["image_url"]["url"]
    assert right > left
    assert bottom > top


def test_what_the_data_lack_is_said(data: tuple[Kept, Path], tmp_path: Path) -> None:
    held, _ = data
    row = json.loads(held.cohort.train[0].model_dump_json())
    official = {key: value for key, value in row.items() if not key.startswith(("prior_report", "cur_seen"))}
    strange = {**row, "cur_image_path": "files/p10/p10000001/s50000001/x.jpg"}
    for name, held_row in (("official", official), ("strange", strange)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(held_row))
    for given, options, said in (
        ("official", {"records": "regional"}, "has no `prior_report`"),
        ("official", {"current": "words"}, "has no `cur_seen`"),
        ("official", {"crops": True}, "give `--images` too"),
        ("strange", {"records": "global", "store": held.store}, "no question has an earlier record"),
    ):
        with pytest.raises(UserError, match=said):
            mmxu.load(tmp_path / f"{given}.jsonl", **options)  # type: ignore[arg-type]
