"""Plain tables with a mapping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wardround.corpora.medicines import Attribute
from wardround.corpora.sources import Problems, read_source, table
from wardround.errors import UserError

MAPPING = {
    "name": "Drug",
    "id": "No",
    "brands": "Brands",
    "form": "Form",
    "date": "Day",
    "date_format": "%d.%m.%Y",
    "attributes": {"indications": "Use", "precautions": ["Care", "Driving"]},
}
HEADER = "No,Drug,Brands,Form,Day,Use,Care,Driving\n"
GOOD = '1,Examplol,Exemplar; Muster,tablet,16.07.2026,"For examples,\nand more.",Take care.,Do not drive.\n'


def write(folder: Path, text: str, mapping: dict[str, Any] | None = None, name: str = "drugs.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    (folder / f"{name}.mapping.json").write_text(json.dumps(mapping or MAPPING), encoding="utf-8")
    return folder / name


def test_a_row_becomes_a_medicine(tmp_path: Path) -> None:
    (medicine,) = read_source("table", write(tmp_path, HEADER + GOOD), Problems())
    assert medicine.id == "table:1"
    assert medicine.names.brands == ("Exemplar", "Muster")
    assert medicine.names.generic == ("Examplol",)
    assert medicine.source.date == "2026-07-16"
    assert medicine.texts[Attribute.INDICATIONS] == "For examples,\nand more."
    assert medicine.texts[Attribute.PRECAUTIONS] == "Take care.\n\nDo not drive."
    assert medicine.source_labels[Attribute.PRECAUTIONS] == "Care + Driving"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,,,,,Use,,\n", "no name in column"),
        (",Drug,,,,Use,,\n", "no id in column"),
        ("2,Drug,,,,,,\n", "no text in any mapped column"),
        ("2,Drug,,,2026-07-16,Use,,\n", "not a date as `%d.%m.%Y`"),
        ("2,Drug,Use\n", "wrong number of cells"),
        ('2,"Drug"x,,,,Use,,\n', "not a row of cells"),
    ],
)
def test_a_broken_row_is_reported_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    problems = Problems()
    assert len(list(read_source("table", write(tmp_path, HEADER + GOOD + row), problems))) == 1
    # The good row spans two lines.
    assert [(each.line, each.reason.partition(":")[0]) for each in problems.kept] == [(4, reason)]


def test_without_an_id_column_name_and_form_make_the_id(tmp_path: Path) -> None:
    mapping = {key: value for key, value in MAPPING.items() if key != "id"}
    (medicine,) = read_source("table", write(tmp_path, HEADER + GOOD, mapping), Problems())
    assert medicine.id == "table:Examplol-tablet"


def test_jsonl_rows_take_lists(tmp_path: Path) -> None:
    row = {"No": 1, "Drug": "Examplol", "Brands": ["Exemplar", "Muster"], "Use": "For examples."}
    (medicine,) = read_source("table", write(tmp_path, json.dumps(row), name="drugs.jsonl"), Problems())
    assert medicine.names.brands == ("Exemplar", "Muster")


def test_a_mapped_column_that_the_table_lacks_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, HEADER.replace("Driving", "Fahren") + GOOD)
    with pytest.raises(UserError, match="no column `Driving`"):
        list(read_source("table", file, Problems()))


@pytest.mark.parametrize(
    "wrong", [{"name": "Drug"}, {**MAPPING, "colour": "x"}, {**MAPPING, "attributes": {"x": "Use"}}]
)
def test_a_wrong_mapping_is_the_users_to_mend(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"mapping\.json"):
        list(read_source("table", write(tmp_path, HEADER + GOOD, wrong), Problems()))


def test_a_mapping_may_lie_elsewhere(tmp_path: Path) -> None:
    file = write(tmp_path, HEADER + GOOD)
    other = (tmp_path / "drugs.csv.mapping.json").rename(tmp_path / "other.json")
    assert len(list(read_source("table", file, Problems(), mapping=other))) == 1


def test_a_gb18030_table_is_read(tmp_path: Path) -> None:
    file = write(tmp_path, "", {"name": "名", "attributes": {"indications": "用"}, "encoding": "gb18030"})
    file.write_bytes("名,用\n示例醇,用于示例\n".encode("gb18030"))
    (medicine,) = table.read(file, Problems())
    assert medicine.names.display == "示例醇"
