from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.agents.quantities import missing_quantities, quantities

CASES: list[tuple[str, list[str]]] = [
    ("Take 250 to 500 mg every 6 hours, at most 4 g per day.", ["250 to 500 mg", "6 hour", "4 g/day"]),
    ("1～2片，一日3次", ["1 to 2 tablet", "3 times/day"]),
    ("2-3 times a day", ["2 to 3 times/day"]),
    ("two tablets twice a day", ["2 tablet", "2 times/day"]),
    ("half a tablet once daily", ["0.5 tablet", "1 times/day"]),
    ("两片每日三次", ["2 tablet", "3 times/day"]),
    ("500mg and 500 mg and 500-mg", ["500 mg", "500 mg", "500 mg"]),
    ("one or two tablets", ["1 to 2 tablet"]),
    ("over age 12", ["12"]),
    ("10 mg/kg/day, 10 mg per kg per day", ["10 mg/kg/day", "10 mg/kg/day"]),
    ("1,000 mg, 5 µg, 5 micrograms, 5微克", ["1000 mg", "5 mcg", "5 mcg", "5 mcg"]),
    ("CYP2D6, B12, COVID-19, 5-HT3, omega-3, type 2 diabetes, 2型糖尿病", []),
    ("call 911 or 1-800-222-1222, 拨打120", []),
    ("80万单位", ["800000 IU"]),
    ("1.2 million units", ["1200000 IU"]),
    ("每次10～20mg，每天2~3次，疗程1个月", ["10 to 20 mg", "2 to 3 times/day", "1 month"]),
    ("12 years old, 12岁, 十二岁", ["12 year", "12 year", "12 year"]),
    ("a 24-hour day", ["24 hour"]),
    ("below 120/80 mmHg", ["120 to 80 mmHg"]),
    ("½ tablet or 1 1/2 tablets", ["0.5 to 1.5 tablet"]),
    ("38.5°C, 38.5℃, 101 °F", ["38.5 °C", "38.5 °C", "101 °F"]),
    ("百分之五, 5%, 5 percent", ["5 %", "5 %", "5 %"]),
    ("1片 q6h", ["1 tablet", "6 hour"]),
    ("5 mg b.i.d., 5 mg t.i.d.", ["5 mg", "2 times/day", "5 mg", "3 times/day"]),
    ("每6小时一次", ["6 hour"]),
    ("一周两次", ["2 times/week"]),
    ("每日一次，每次一片", ["1 times/day", "1 tablet"]),
    ("5 mg/5 mL", ["5 mg/5mL"]),
    ("store at 20° to 25°C", ["20 to 25 °C"]),
    ("between 2 and 4 tablets", ["2 to 4 tablet"]),
    ("250 mg to 500 mg", ["250 to 500 mg"]),
    ("500 mg or 1 g", ["500 mg", "1 g"]),
    ("below 15 mL/min", ["15 mL/minute"]),
    ("It is 0.5 mg. [1, 3]", ["0.5 mg"]),
    ("1. Take 3 drops", ["3 drop"]),
    ("see (5.1) and [5.2]", []),
    ("3次/日", ["3 times/day"]),
    ("once every 8 hours", ["8 hour"]),
    ("半小时后服半片", ["0.5 hour", "0.5 tablet"]),
    ("one of the two, half of them, once you know", []),
    ("30 mg/m2 weekly", ["30 mg/m2/week"]),
    ("twenty-five drops", ["25 drop"]),
    ("５００ｍｇ 5", ["500", "5"]),
    ("20 mEq, 5 mmol, 2 puffs, 3 capsules", ["20 mEq", "5 mmol", "2 puff", "3 capsule"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_reads(text: str, expected: list[str]) -> None:
    assert [quantity.label for quantity in quantities(text)] == expected


MISSING: list[tuple[str, str, list[str]]] = [
    ("Take 1 g [1].", "1,000 mg", ["1 g"]),
    ("Take two tablets.", "2 tablets", []),
    ("500 mg twice daily", "500 mg every 12 hours", ["2 times/day"]),
    ("500 mg twice daily", "500 mg two times a day", []),
    ("每日2次，每次500mg", "500 mg twice a day", []),
    ("no more than 4 g per day", "The daily dose must not exceed 4 g.", []),
    ("The daily dose is at most 4 g.", "up to 4 g per day", []),
    ("Take 4 g.", "up to 4 g per day", ["4 g"]),
    ("500 mg a day", "500 mg twice daily", ["500 mg/day"]),
    ("500 mg a day", "500 mg once daily", []),
    ("每天不超过4g", "4 g per day", []),
    ("300 mg", "250 to 350 mg", ["300 mg"]),
    ("350 mg", "250 to 350 mg", []),
    ("0.50 mg", "0.5 mg", []),
    ("5 mg", "0.5 mg, 15 mg", ["5 mg"]),
    ("children over age 12", "children 12 years and over", []),
    ("10 mg/kg", "10 mg", ["10 mg/kg"]),
    ("Take 5 mg", "", ["5 mg"]),
]


@pytest.mark.parametrize(("sentence", "passage", "expected"), MISSING)
def test_missing(sentence: str, passage: str, expected: list[str]) -> None:
    assert [quantity.label for quantity in missing_quantities(sentence, [passage])] == expected


def test_any_passage_will_do() -> None:
    assert missing_quantities("5 mg for 3 days", ["for 3 days", "5 mg"]) == []


PARTS = "1 2,000 ½ 半 十 mg / kg - to 每日 次 twice a day 一 万 [1] 片 .5 1/2 °C and million".split()


@given(st.text(max_size=80) | st.lists(st.sampled_from(PARTS)).map(" ".join))
def test_any_text_is_read_in_order_and_agrees_with_itself(text: str) -> None:
    found = quantities(text)
    assert all(0 <= quantity.start < quantity.end <= len(text) for quantity in found)
    assert [quantity.start for quantity in found] == sorted(quantity.start for quantity in found)


@given(
    value=st.decimals(min_value=Decimal("0.01"), max_value=99999, places=2),
    unit=st.sampled_from(["mg", "mcg", "mL", "%", "hours", "tablets", "片", "毫克", "mg/kg"]),
    other=st.decimals(min_value=Decimal("0.01"), max_value=99999, places=2),
)
def test_a_number_is_found_as_itself_and_as_no_other(value: Decimal, unit: str, other: Decimal) -> None:
    assert not missing_quantities(f"Give {value} {unit} now", [f"one gives {value:,}{unit}."])
    assert bool(missing_quantities(f"Give {other} {unit} now", [f"one gives {value} {unit}."])) == (value != other)
