"""Names that a source does not carry itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from invented import invented
from wardround.corpora import Corpus, SearchCall, write_index
from wardround.corpora.aliases import all_names, further_names, words_elsewhere
from wardround.corpora.names import NameKind, names_of


@pytest.mark.parametrize("name", ["paracetamol", "Tylenol", "对乙酰氨基酚", "acetominophen", "APAP"])
def test_a_label_that_says_acetaminophen_is_found_by_other_names(tmp_path: Path, name: str) -> None:
    label = invented("Acetaminophen tablets", generic=("acetaminophen",), substances=("ACETAMINOPHEN",), slug="label")
    write_index(tmp_path, [label, invented("Calmol")])
    hits = Corpus(tmp_path).search(SearchCall(medicine=name))
    assert {h.passage.medicine_id for h in hits} == {label.id}


def test_a_salt_on_the_label_makes_no_difference() -> None:
    label = invented("Clindamycin", generic=(), substances=("clindamycin hydrochloride",))
    assert further_names(label)["Cleocin"] is NameKind.ALIAS


def test_a_brand_is_also_known_without_its_form() -> None:
    names = all_names(label := invented("Lamotrigine", substances=("lamotrigine",)), names_of(label))
    assert {"lamictalodt", "lamictal"} <= set(names)


def test_a_combination_does_not_inherit_the_names_of_its_parts() -> None:
    both = invented("Duo", generic=(), substances=("acetaminophen", "ibuprofen"))
    assert further_names(both) == {}


def test_own_names_come_first() -> None:
    label = invented("Acetaminophen", brands=("Tylenol",), substances=("acetaminophen",))
    assert all_names(label, names_of(label))["tylenol"] is NameKind.BRAND


def test_the_words_of_the_table_are_folded() -> None:
    assert {"humira", "paracetamol", "metformin", "oxycontin"} <= words_elsewhere()
    assert not {w for w in words_elsewhere() if w != w.lower()}
