"""Chinese monographs and passage pools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wardround.corpora.medicines import Attribute
from wardround.corpora.sources import Problems, monographs_zh, passages
from wardround.corpora.sources.forms import form_of_chinese_name, forms_listed

DATA = Path(__file__).parents[4] / "shared/data"

ROW = {
    "name": "示例醇",
    "sections": {
        "英文名": "Examplol",
        "别名": "例醇；Exemplar",
        "药品类型": "示例药物，试验药",
        "剂型": "1.片剂：10mg。",
        "适应证": "用于示例。",
        "禁忌证": "尚不明确。",
    },
}


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_a_monograph_becomes_a_medicine(tmp_path: Path) -> None:
    (medicine,) = monographs_zh.read(write(tmp_path / "a.jsonl", ROW), Problems())
    assert medicine.id.startswith("monographs-zh:示例醇-")
    assert medicine.names.aliases == ("Examplol", "例醇", "Exemplar")
    assert medicine.form == "片"
    assert medicine.classes == ("示例药物", "试验药")
    assert medicine.texts[Attribute.COMPOSITION] == "1.片剂：10mg。"
    assert medicine.source_labels[Attribute.CONTRAINDICATIONS] == "禁忌证"


def test_namesakes_have_ids_that_do_not_depend_on_their_order(tmp_path: Path) -> None:
    other = {"name": "示例醇", "sections": {"适应证": "另一种用途。"}}
    first = [each.id for each in monographs_zh.read(write(tmp_path / "a.jsonl", ROW, other), Problems())]
    second = [each.id for each in monographs_zh.read(write(tmp_path / "b.jsonl", other, ROW), Problems())]
    assert len(set(first)) == 2
    assert first == second[::-1]


@pytest.mark.parametrize(
    "row", [{"name": "", "sections": {}}, {"name": "甲"}, {"name": "甲", "sections": {"适应证": " "}}]
)
def test_a_row_without_name_or_text_is_a_problem(tmp_path: Path, row: object) -> None:
    problems = Problems()
    assert len(list(monographs_zh.read(write(tmp_path / "a.jsonl", row, ROW), problems))) == 1
    assert [each.line for each in problems.kept] == [1]


def test_passages_of_one_medicine_are_grouped_and_joined(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.jsonl",
        {"medicine": "示例片", "attribute": "存储方式", "text": "密闭。"},
        {"medicine": "另一胶囊", "attribute": "适应症", "text": "用于另一。"},
        {"medicine": "示例片", "attribute": "storage_and_handling", "text": "避光。"},
        {"medicine": "示例片", "attribute": "storage", "text": "避光。"},
        {"medicine": "示例片", "attribute": "奇怪", "text": "不知。"},
    )
    problems = Problems()
    first, second = passages.read(file, problems)
    assert (first.id, first.form, second.form) == ("passages:示例片", "片", "胶囊")
    assert first.texts == {Attribute.STORAGE: "密闭。\n\n避光。", Attribute.OTHER: "不知。"}
    assert first.source_labels[Attribute.OTHER] == "奇怪"
    assert not problems


@pytest.mark.parametrize("row", [{"medicine": "甲"}, {"medicine": "甲", "attribute": "禁忌", "text": ""}])
def test_a_passage_without_text_is_a_problem(tmp_path: Path, row: object) -> None:
    problems = Problems()
    assert not list(passages.read(write(tmp_path / "a.jsonl", row), problems))
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("吡喹酮片", "片"),
        ("环孢素软胶囊", "软胶囊"),
        ("环孢素口服溶液", "口服溶液"),
        ("重组人干扰素α-2b凝胶", "凝胶"),
        ("盐酸左氧氟沙星滴眼液", "滴眼液"),
        ("碳酸钙D3咀嚼片(II)", "咀嚼片"),
        ("重组人干扰素α2b软膏(假单胞菌)", "软膏"),
        ("注射用奥沙利铂", "注射剂"),
        ("联苯双酯滴丸", "滴丸"),
        ("波立维", None),
        ("片", None),
    ],
)
def test_forms_are_read_off_the_end_of_a_name(name: str, form: str | None) -> None:
    assert form_of_chinese_name(name) == form


def test_forms_of_a_list_are_all_found() -> None:
    assert forms_listed("1.片剂：10mg，25mg。2.注射剂(粉)：20mg(附2ml溶媒)。") == ("片", "注射剂")


def test_the_real_sources_are_read_without_loss() -> None:
    file = DATA / "medicineqa_zh/passages.jsonl"
    if not file.exists():
        pytest.skip(f"development data `{file}` is not here")
    problems = Problems()
    medicines = list(passages.read(file, problems))
    assert len(medicines) == 292
    assert not any(Attribute.OTHER in medicine.texts for medicine in medicines)
    assert not problems
