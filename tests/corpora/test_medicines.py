"""The records: what they refuse."""

from __future__ import annotations

import pytest
from invented import invented
from pydantic import ValidationError
from wardround.corpora.medicines import Attribute, Medicine, SearchCall, SourceRef
from wardround.corpora.sources.attributes import resolve


def test_every_attribute_has_two_labels_of_its_own() -> None:
    assert len({a.label for a in Attribute}) == len({a.label_zh for a in Attribute}) == len(Attribute) == 16


@pytest.mark.parametrize("attribute", Attribute)
def test_every_label_leads_back_to_its_attribute(attribute: Attribute) -> None:
    assert resolve(attribute.value) == resolve(attribute.label_zh) == attribute


@pytest.mark.parametrize("medicine_id", ["", "metformin", "a:", "a:b c", "a:b#dosage", "A:b", "a:b\n", "a b:c"])
def test_ids_that_would_not_be_found_again_are_refused(medicine_id: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        Medicine.model_validate({**invented("Anol").model_dump(), "id": medicine_id})


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="leave the attribute out"):
        invented("Anol", texts={Attribute.DOSAGE: " \n"})


@pytest.mark.parametrize("date", ["2026", "16.07.2026", "2026-13-01", "yesterday"])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    with pytest.raises(ValidationError, match="date"):
        SourceRef(name="invented", id="1", date=date)


def test_records_can_not_be_changed_or_hold_more() -> None:
    call = SearchCall(medicine="anol")
    with pytest.raises(ValidationError, match="frozen"):
        call.medicine = "benol"
    with pytest.raises(ValidationError, match="patient"):
        SearchCall.model_validate({"medicine": "anol", "patient": "1"})


def test_a_record_survives_json() -> None:
    medicine = invented("Anol", form="gel", brands=("An",))
    assert Medicine.model_validate_json(medicine.model_dump_json()) == medicine
