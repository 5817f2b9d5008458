"""Medication consultation: ranks, calls, citations and silence against the gold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wardround.corpora import Corpus
from wardround.corpora.medicines import Medicine
from wardround.errors import UserError
from wardround.evals.benchmark import Benchmark, Example, Output, Score
from wardround.evals.benchmarks import medicineqa
from wardround.evals.same_medicine import SameMedicine, identity_of


@pytest.fixture(scope="module")
def medicines(essential_index: Path) -> list[Medicine]:
    corpus = Corpus(essential_index)
    found = list(corpus.all_medicines())
    corpus.close()
    return found


@pytest.fixture(scope="module")
def same(medicines: list[Medicine]) -> SameMedicine:
    return SameMedicine(medicines)


def named(medicines: list[Medicine], name: str) -> Medicine:
    return next(m for m in medicines if m.names.display.lower() == name)


def load(tmp_path: Path, medicines: list[Medicine], *rows: dict[str, Any]) -> Benchmark:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return medicineqa.load(path, medicines=medicines, corpus_sha256="c")


def row(*evidence: tuple[str, str], **fields: Any) -> dict[str, Any]:
    gold = [{"medicine": medicine, "attribute": attribute} for medicine, attribute in evidence]
    return {"id": "x", "dialogue": [{"role": "user", "content": "And?"}], "evidence": gold, **fields}


def item(medicine: Medicine, attribute: str, n: int = 1, text: str = "Take one.") -> dict[str, Any]:
    return {
        "n": n,
        "passage_id": f"{medicine.id}/{attribute}",
        "medicine_id": medicine.id,
        "medicine": medicine.names.display,
        "attribute": attribute,
        "text": text,
    }


def call(medicine: str | None, attribute: str | None, by: str = "model", keywords: str = "") -> dict[str, Any]:
    return {"medicine": medicine, "attribute": attribute, "keywords": keywords, "distilled_by": by}


def score(benchmark: Benchmark, **data: Any) -> Score:
    found = benchmark.score(benchmark.examples[0], Output(text="Take one.", data=data))
    assert isinstance(found, Score)
    return found


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ("Advil", "ibuprofen", True),
        ("Ibuprofen 200 mg tablets", "ibuprofen", True),
        ("metformin", "metformin hydrochloride", True),
        ("布洛芬", "ibuprofen", True),
        ("Glucophage", "metformin", True),
        ("ibuprofen", "paracetamol", False),
        ("acetaminophen", "ibuprofen", False),
    ],
)
def test_names_that_mean_the_same(same: SameMedicine, a: str, b: str, equal: bool) -> None:
    assert bool(same.of_name(a) & same.of_name(b)) is equal


def test_a_combination_is_not_its_part() -> None:
    assert identity_of("amoxicillin and clavulanate potassium") == identity_of("Clavulanate, amoxicillin tablets")
    assert identity_of("amoxicillin and clavulanate") != identity_of("amoxicillin")


def test_rank_counts_each_document_once(tmp_path: Path, medicines: list[Medicine]) -> None:
    benchmark = load(tmp_path, medicines, row(("metformin", "dosage")))
    other, right = named(medicines, "ibuprofen"), named(medicines, "metformin")
    found = [item(other, "dosage", 1), item(other, "storage", 2), item(right, "storage", 3), item(right, "dosage", 4)]
    values = score(benchmark, evidence=found, calls=[]).values
    assert (values["hr_document.1"], values["hr_document.5"]) == (0.0, 1.0)
    assert (values["hr_attribute.1"], values["hr_attribute.5"]) == (0.0, 1.0)
    first = score(benchmark, evidence=found[2:], calls=[]).values
    assert (first["hr_document.1"], first["hr_attribute.1"]) == (1.0, 0.0)


def test_the_brand_in_the_gold_is_the_substance_in_the_corpus(tmp_path: Path, medicines: list[Medicine]) -> None:
    benchmark = load(tmp_path, medicines, row(("Glucophage", "dosage")))
    values = score(benchmark, evidence=[item(named(medicines, "metformin"), "dosage")], calls=[]).values
    assert values["hr_attribute.1"] == 1.0


def test_chinese_attributes_are_resolved(tmp_path: Path, medicines: list[Medicine]) -> None:
    benchmark = load(tmp_path, medicines, row(("二甲双胍", "用法用量")))
    values = score(benchmark, evidence=[item(named(medicines, "metformin"), "dosage")], calls=[]).values
    assert values["hr_attribute.1"] == 1.0


@pytest.mark.parametrize(("by", "followed"), [("model", 1.0), ("repair", 0.0), ("fallback", 0.0), ("rule", None)])
def test_instruction_following_is_the_models_own(
    tmp_path: Path, medicines: list[Medicine], by: str, followed: float | None
) -> None:
    benchmark = load(tmp_path, medicines, row(("metformin", "dosage")))
    calls = [call("metformin", "dosage", by), call("metformin", "elderly", "rule")]
    assert score(benchmark, evidence=[], calls=calls).values["instruction_following"] == followed


def test_calls_against_the_gold(tmp_path: Path, medicines: list[Medicine]) -> None:
    benchmark = load(tmp_path, medicines, row(("metformin", "dosage"), ("ibuprofen", "interactions")))
    calls = [call("Glucophage", "dosage"), call("Glucophage", "dosage"), call("aspirin", "dosage")]
    values = score(benchmark, evidence=[], calls=calls).values
    assert (values["medicine_right"], values["attribute_right"]) == (1.0, 1.0)
    assert (values["redundant_calls"], values["missing_calls"]) == (2.0, 1.0)
    wrong = score(benchmark, evidence=[], calls=[call("metformin", "storage")]).values
    assert (wrong["medicine_right"], wrong["attribute_right"]) == (1.0, 0.0)


def test_citations_are_checked_again(tmp_path: Path, medicines: list[Medicine]) -> None:
    benchmark = load(tmp_path, medicines, row(("metformin", "dosage"), ("metformin", "storage")))
    right, other = named(medicines, "metformin"), named(medicines, "ibuprofen")
    found = [item(right, "dosage", 1, "Take  one tablet."), item(other, "dosage", 2, "Take two.")]

    def cited(n: int, quote: str) -> dict[str, Any]:
        source = found[n - 1]
        return {"n": n, "passage_id": source["passage_id"], "attribute": source["attribute"], "quote": quote}

    citations = [cited(1, "take one tablet."), cited(2, "Take three.")]
    values = score(benchmark, evidence=found, calls=[], citations=citations).values
    assert values["citation_validity"] == 0.5
    assert (values["citation_precision"], values["citation_recall"]) == (0.5, 0.5)
    invented = [{"n": 9, "passage_id": "nowhere", "attribute": "dosage", "quote": "Take one"}]
    assert score(benchmark, evidence=found, calls=[], citations=invented).values["citation_validity"] == 0.0


def test_silence_is_right_only_where_nothing_answers(tmp_path: Path, medicines: list[Medicine]) -> None:
    unanswerable, answerable = load(tmp_path, medicines, row()), load(tmp_path, medicines, row(("metformin", "dosage")))
    flags = [{"kind": "nothing_found", "text": "Nothing."}]
    citations = [{"n": 1, "passage_id": "p", "attribute": "dosage", "quote": "q"}]
    assert score(unanswerable, flags=flags).values["abstention"] == 1.0
    assert score(unanswerable, citations=citations, evidence=[], calls=[]).values["abstention"] == 0.0
    assert score(unanswerable, flags=flags).values["hr_document.1"] is None
    assert score(answerable, flags=flags).values["false_abstention"] == 1.0


def test_a_failed_example_counts_wherever_it_applies(tmp_path: Path, medicines: list[Medicine]) -> None:
    benchmark = load(tmp_path, medicines, row(("metformin", "dosage")), {**row(), "id": "y"})
    answerable, unanswerable = (benchmark.values_if_failed(example) for example in benchmark.examples)
    assert (answerable["hr_document.1"], answerable["false_abstention"], answerable["abstention"]) == (0.0, 1.0, None)
    assert (unanswerable["hr_document.1"], unanswerable["abstention"]) == (None, 0.0)
    assert answerable.keys() == {metric.name for metric in benchmark.metrics}


def test_consumer_questions_have_the_medicine_as_gold(tmp_path: Path, medicines: list[Medicine]) -> None:
    rows = [
        {"id": "1", "question": "how long glucophage", "medicine": "glucophage 500 mg", "question_type": "Usage"},
        {"id": "2", "question": "what is zorblax", "medicine": "zorblax"},
    ]
    benchmark = load(tmp_path, medicines, *rows)
    assert [example.id for example in benchmark.examples] == ["1"]
    assert "1 of 2 questions are about no medicine of the corpus." in benchmark.notes
    values = score(benchmark, evidence=[item(named(medicines, "metformin"), "storage")], calls=[]).values
    assert (values["hr_document.1"], values["hr_attribute.1"]) == (1.0, 0.0)  # usage stands for dosage


def test_the_shipped_dialogues_are_read(medicines: list[Medicine]) -> None:
    from wardround.evals.medicineqa_open.items import FOLDER

    benchmark = medicineqa.load(FOLDER / "dev.jsonl", medicines=medicines, corpus_sha256="c")
    assert len(benchmark.examples) == 100
    assert any("gold only in labels that the corpus lacks" in note for note in benchmark.notes)
    assert all(isinstance(example, Example) and example.groups["category"] for example in benchmark.examples)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"id": "x", "text": "?"}, "medicineqa reads `dialogue` and `evidence`"),
        ({"id": "x", "dialogue": "hello"}, "must be lists"),
        ({"id": "x", "dialogue": []}, "the dialogue is empty"),
        ({"id": "x", "dialogue": [{"role": "user"}]}, "has no text `content`"),
        (row(("metformin", "taste")), "no known attribute"),
    ],
)
def test_a_row_that_is_something_else_is_named(
    tmp_path: Path, medicines: list[Medicine], data: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=f"data.jsonl:1.*{said}"):
        load(tmp_path, medicines, data)
