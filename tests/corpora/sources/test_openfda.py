"""US labels in each shape openFDA gives them."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wardround.corpora.medicines import Attribute
from wardround.corpora.sources import Problems, openfda

LABELS = Path(__file__).parents[4] / "shared/data/openfda_labels/openfda_labels_compact.jsonl.gz"

PREGNANCY = "8.1 Pregnancy Risk Summary No harm has been seen in women who took examplol in pregnancy."
PEDIATRIC = "8.4 Pediatric Use Examplol has not been studied in children younger than six years."
RENAL = "8.6 Renal Impairment Halve the dose below 30 mL/min."


def answer_label(**changes: object) -> dict[str, Any]:
    """One result as the openFDA API answers it."""
    return {
        "set_id": "11111111-2222-3333-4444-555555555555",
        "id": "99999999-2222-3333-4444-555555555555",
        "version": "7",
        "effective_time": "20260716",
        "indications_and_usage": ["1 INDICATIONS AND USAGE Examplol tablets are indicated for examples."],
        "indications_and_usage_table": ["<table><tr><td>examples</td></tr></table>"],
        "use_in_specific_populations": [f"8 USE IN SPECIFIC POPULATIONS {PREGNANCY} {PEDIATRIC} {RENAL}"],
        "pregnancy": [PREGNANCY],
        "pediatric_use": [PEDIATRIC],
        "openfda": {
            "brand_name": ["EXEMPLAR"],
            "generic_name": ["EXAMPLOL MALEATE"],
            "substance_name": ["EXAMPLOL MALEATE"],
            "route": ["ORAL"],
            "rxcui": ["1", "2"],
            "unii": ["ABC"],
            "pharm_class_epc": ["Example Blocker [EPC]"],
        },
        **changes,
    }


def row_label(**changes: object) -> dict[str, Any]:
    """The same label as one line of JSONL, names at the top and texts under `sections`."""
    answer = answer_label()
    sections = {key: answer[key][0] for key in ("indications_and_usage", "pregnancy", "pediatric_use")}
    return {"set_id": answer["set_id"], **answer["openfda"], "sections": sections, **changes}


def bulk(*labels: dict[str, Any], indent: int | None = None) -> str:
    return json.dumps({"meta": {"results": {"total": len(labels)}}, "results": list(labels)}, indent=indent)


@pytest.fixture
def problems() -> Problems:
    return Problems()


def test_an_answer_becomes_a_medicine(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "answer.json"
    file.write_text(bulk(answer_label()))
    (medicine,) = openfda.read(file, problems)
    assert medicine.id == "openfda:11111111-2222-3333-4444-555555555555"
    assert medicine.names.display == "Exemplar (examplol maleate, tablet)"
    assert medicine.names.substances == ("examplol maleate",)
    assert medicine.form == "tablet"
    assert medicine.codes.rxcui == ("1", "2")
    assert medicine.classes == ("Example Blocker [EPC]",)
    assert (medicine.source.version, medicine.source.date) == ("7", "2026-07-16")
    assert medicine.texts[Attribute.INDICATIONS] == "Examplol tablets are indicated for examples."
    assert not problems


def test_a_text_that_stands_twice_is_stored_once(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "answer.json"
    file.write_text(bulk(answer_label()))
    (medicine,) = openfda.read(file, problems)
    assert medicine.texts[Attribute.PRECAUTIONS] == RENAL
    assert medicine.texts[Attribute.PREGNANCY_LACTATION].startswith("Risk Summary")
    assert medicine.texts[Attribute.CHILDREN].startswith("Examplol has not been studied")


def write_jsonl(folder: Path) -> Path:
    (folder / "a.jsonl").write_text(json.dumps(row_label()) + "\n")
    return folder / "a.jsonl"


def write_gzip(folder: Path) -> Path:
    with gzip.open(folder / "a.jsonl.gz", "wt") as file:
        file.write(json.dumps(row_label()) + "\n")
    return folder / "a.jsonl.gz"


def write_zip(folder: Path) -> Path:
    path = folder / "drug-label-0001-of-0001.json.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("drug-label-0001-of-0001.json", bulk(answer_label(), indent=2))
    return path


@pytest.mark.parametrize("write", [write_jsonl, write_gzip, write_zip])
def test_every_shape_gives_the_same_texts(tmp_path: Path, problems: Problems, write: Any) -> None:
    (medicine,) = openfda.read(write(tmp_path), problems)
    assert medicine.texts[Attribute.INDICATIONS] == "Examplol tablets are indicated for examples."
    assert medicine.form == "tablet"
    assert not problems


def test_lines_of_a_pretty_printed_file_are_counted(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "bulk.json"
    text = bulk(answer_label(), answer_label(set_id=""), indent=1).replace('"id":', '"was":')
    file.write_text(text)
    assert len(list(openfda.read(file, problems))) == 1
    begin = [number for number, line in enumerate(text.splitlines(), 1) if line == "  {"][1]
    assert [(each.line, each.reason) for each in problems.kept] == [(begin, "no `set_id`")]


def test_a_cut_bulk_file_gives_what_stands_before(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "bulk.json"
    file.write_text(bulk(answer_label(), answer_label(set_id="b"))[:-300])
    assert len(list(openfda.read(file, problems))) == 1
    assert "the rest of the file was not read" in problems.kept[0].reason


def test_names_come_from_the_product_data_where_openfda_has_none(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "answer.json"
    elements = "EOVIST Gadoxetate Disodium GADOXETATE DISODIUM TROMETHAMINE WATER"
    file.write_text(bulk(answer_label(openfda={}, spl_product_data_elements=[elements])))
    (medicine,) = openfda.read(file, problems)
    assert medicine.names.brands == ("Eovist",)
    assert medicine.names.generic == ("Gadoxetate Disodium",)


def test_a_label_without_any_name_is_a_problem(tmp_path: Path, problems: Problems) -> None:
    file = tmp_path / "answer.json"
    file.write_text(bulk(answer_label(openfda={})))
    assert not list(openfda.read(file, problems))
    assert problems.by_reason == {"no name": 1}


@pytest.mark.parametrize("stamp", ["20261399", "2026", "", "today"])
def test_a_wrong_date_is_no_date(stamp: str) -> None:
    assert openfda.iso_date(stamp) is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("1 INDICATIONS AND USAGE Take it.", "Take it."),
        ("8.1 Pregnancy Risk Summary", "Risk Summary"),
        ("CONTRAINDICATIONS Do not take it.", "Do not take it."),
        ("PREGNANCY EXPOSURE REGISTRY There is one.", "PREGNANCY EXPOSURE REGISTRY There is one."),
        ("Pregnancy is no reason to stop.", "Pregnancy is no reason to stop."),
        ("2.5 mg once daily.", "2.5 mg once daily."),
    ],
)
def test_headings_are_removed_only_where_beyond_doubt(text: str, left: str) -> None:
    assert openfda.without_heading(text) == left


def test_subsections_start_paragraphs_and_references_do_not() -> None:
    text = "5 WARNINGS AND PRECAUTIONS 5.1 Liver See (5.2 Heart) and 5.1 Liver. 5.2 Heart It may race."
    assert openfda.in_paragraphs(text).split("\n\n") == [
        "5 WARNINGS AND PRECAUTIONS",
        "5.1 Liver See (5.2 Heart) and 5.1 Liver.",
        "5.2 Heart It may race.",
    ]


def test_equal_sections_of_two_attributes_are_kept_once() -> None:
    text = "The same sentence, long enough to be no coincidence, stands in two sections."
    assert len(openfda.without_repeats({"warnings": text, "drug_interactions": text})) == 1


def real_labels() -> Iterator[Any]:
    if not LABELS.exists():
        pytest.skip(f"development data `{LABELS}` is not here")
    return openfda.read(LABELS, Problems())


def test_real_labels_are_read() -> None:
    medicines = list(real_labels())
    assert len(medicines) > 1800
    assert sum(medicine.form is not None for medicine in medicines) > 0.9 * len(medicines)
