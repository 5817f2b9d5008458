"""Keys and cores of names."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from invented import invented
from wardround.corpora.names import NameKind, core, form_words, key, names_of
from wardround.corpora.words import fold

PARTS = "盐酸 注射用 片 胶囊 甲硝唑 复方 口服 钠 钙 (缓释) 布洛芬 颗粒 散 5mg sodium tablets oral l'or Ö".split()
NAMES = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=6).map(" ".join) | st.text()


@given(NAMES)
def test_the_key_of_a_key_is_itself(name: str) -> None:
    assert key(key(name)) == key(name)


@given(NAMES | st.lists(st.sampled_from(PARTS), max_size=6).map("".join))
def test_the_core_of_a_core_is_itself(name: str) -> None:
    assert core(core(name)) == core(name)


@given(NAMES)
@example("0\U0002f800")  # an ideograph that folds to another
def test_folding_before_makes_no_difference(name: str) -> None:
    assert key(fold(name)) == key(name)
    assert core(fold(name)) == core(name)


@given(NAMES)
def test_a_core_is_empty_only_where_the_key_is(name: str) -> None:
    if key(name):
        assert core(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Co-Trimoxazole", "co trimoxazole"),
        ("Z-Pak", "zpak"),
        ("ＴＹＬＥＮＯＬ", "tylenol"),
        ("Épinephrine", "epinephrine"),
        ("St. John's wort", "st john’s WORT"),
        ("Plan B 1.5", "plan b 15"),
        ("盐酸 二甲双胍", "盐酸二甲双胍"),
    ],
)
def test_spellings_with_one_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Metformin HCl 500 mg tablets", "metformin"),
        ("metformin hydrochloride", "metformin"),
        ("Diclofenac sodium topical gel", "diclofenac"),
        ("Sodium chloride injection", "sodium chloride"),
        ("calcium tablets", "calcium"),
        ("eye drops", "eye drops"),
        ("Amoxicillin and clavulanate potassium", "amoxicillin clavulanate"),
        ("盐酸二甲双胍缓释片", "二甲双胍"),
        ("注射用头孢曲松钠", "头孢曲松"),
        ("布洛芬（芬必得）", "布洛芬"),
        ("感冒丸", "感冒丸"),
        ("泡腾片", "泡腾片"),
        ("Examplol（针剂）", "examplol"),
    ],
)
def test_cores(name: str, expected: str) -> None:
    assert core(name) == expected


def test_form_words_are_singular_and_know_both_languages() -> None:
    assert form_words("ibuprofen Injections 400 mg") == {"injection"}
    assert "注射液" in form_words("布洛芬注射液")
    assert form_words("ibuprofen pills, pack of 24") == frozenset()


def test_every_name_is_found_with_its_best_kind() -> None:
    medicine = invented(
        "Ostramycin hydrochloride",
        generic=("ostramycin",),
        brands=("Children's Ostra", "Ostramycin"),
        aliases=("甲例",),
        misspellings=("ostromycin",),
    )
    found = names_of(medicine)
    assert found["ostramycinhydrochloride"] is NameKind.DISPLAY
    assert found["ostramycin"] is NameKind.BRAND
    assert found["甲例"] is NameKind.ALIAS
    assert found["ostromycin"] is NameKind.MISSPELLING
    assert {"childrenostra", "childrensostra", "ostra"} <= set(found)


def test_the_substances_of_a_combination_are_components() -> None:
    found = names_of(invented("Duo", generic=(), substances=("bevarone maleate", "ostramycin")))
    assert found["bevarone"] is NameKind.COMPONENT
    assert found["ostramycin"] is NameKind.COMPONENT


def test_a_single_letter_is_no_name() -> None:
    assert all(len(name) > 1 for name in names_of(invented("Vitamin K", aliases=("K", "㊗", "-"))))
