"""Numbers with their units in a text, English and Chinese, and which of them no passage holds.

Canonical forms. Units are singular English: `mg`, `mcg`, `g`, `kg`, `mL`, `L`, `IU` (also "units", 单位), `mEq`,
`mmol`, `%`, `°C`, `°F`, `mmHg`, `second` to `year`, `tablet`, `capsule`, `pill`, `puff`, `drop`, `dose` and the
like; `times` for how often. "per", "/", "a", "each", "daily" build compounds: `mg/kg/day`, `g/day`, `times/day`
("twice a day" is 2 times/day, as are "b.i.d." and 每日两次). A bare number ("age 12") has the unit "". 万 and
"million" belong to the number (80万单位 is 800000 IU). Not quantities: citation marks, list numbers, section
references, telephone numbers, numbers inside names (B12, COVID-19, 5-HT, type 2), number words without a unit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from .sentences import CITATION_MARK, split_sentences


class Quantity(NamedTuple):
    """A number or range as it stands at `text[start:end]`."""

    value: Decimal
    high: Decimal | None
    """The upper end of a range."""
    unit: str
    """The canonical unit, "" for a bare number."""
    start: int
    end: int

    @property
    def label(self) -> str:
        """For people: `250 to 500 mg`."""
        ends = [self.value] if self.high is None else [self.value, self.high]
        number = " to ".join(f"{end:f}".rstrip("0").rstrip(".") if end % 1 else f"{end:.0f}" for end in ends)
        return f"{number} {self.unit}".rstrip()


# Canonical unit -> the spellings, as regular expressions. `!` marks spellings whose case matters.
_SPELLINGS: dict[str, str] = {
    "mmHg": r"mm\s?hg|毫米汞柱",
    "mcg": r"mcgs?|[µμ]g|ug|micrograms?|微克",
    "mg": r"mgs?|milligrams?|毫克",
    "kg": r"kgs?|kilograms?|kilos?|公斤|千克",
    "ng": r"ng|nanograms?|纳克",
    "g": r"gm?s?|grams?|grammes?|克",
    "lb": r"lbs?|pounds?|磅",
    "oz": r"oz|ounces?",
    "mL": r"mls?|milli-?lit(?:er|re)s?|c\.?c\.?(?=\W|$)|毫升",
    "dL": r"dl|deciliters?|分升",
    "L": r"l|lit(?:er|re)s?|升",
    "IU": r"i\.?u\.?|international units?|usp units?|units?|u|国际单位|单位",
    "mEq": r"meqs?|milliequivalents?|毫当量",
    "mmol": r"mmols?|millimoles?|毫摩尔",
    "mol": r"moles?|mol|摩尔",
    "°C": r"[°º]\s?c|℃|degrees? (?:c(?:elsius)?|centigrade)|摄氏度",
    "°F": r"[°º]\s?f|℉|degrees? f(?:ahrenheit)?|华氏度",
    "%": r"%|％|per\s?cent",
    "mm": r"mm|millimet(?:er|re)s?|毫米",
    "cm": r"cm|centimet(?:er|re)s?|厘米",
    "m2": r"m2|m²|square met(?:er|re)s?|平方米",
    "second": r"seconds?|secs?|秒钟?",
    "minute": r"minutes?|mins?|分钟",
    "hour": r"hours?|hrs?|h|个?小时|个?钟头",
    "day": r"days?|d|天|日",
    "week": r"weeks?|wks?|个?星期|周",
    "month": r"months?|个月|月",
    "year": r"years?|yrs?|y/?o|周?岁|年",
    "tablet": r"tablets?|tabs?|caplets?|片",
    "capsule": r"capsules?|caps?|softgels?|粒",
    "pill": r"pills?|丸",
    "puff": r"puffs?|inhalations?|actuations?|揿|喷|吸",
    "spray": r"sprays?",
    "drop": r"drops?|滴",
    "dose": r"doses?|剂(?!量)",
    "sachet": r"sachets?|packets?|袋|包",
    "patch": r"patch(?:es)?|贴",
    "suppository": r"suppositor(?:y|ies)|枚",
    "vial": r"vials?|ampoules?|ampules?|支",
    "bottle": r"bottles?|瓶",
    "teaspoon": r"teaspoon(?:ful)?s?|tsps?|茶匙",
    "tablespoon": r"tablespoon(?:ful)?s?|tbsps?|汤匙",
    "cup": r"cups?|杯",
    "drink": r"drinks?",
    "times": r"times|次",
}
_GROUPS = list(_SPELLINGS)
_UNIT_TEXT = "|".join(f"(?P<u{i}>(?:{_SPELLINGS[name]}))" for i, name in enumerate(_GROUPS))
# A Latin unit must end where its word ends; a Chinese one may run on.
_UNIT = re.compile(rf"(?:{_UNIT_TEXT})(?![A-Za-z\u00b5\u03bc])", re.IGNORECASE)

_DIGIT_WORDS = {
    name: Decimal(i)
    for i, name in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {name: Decimal(10 * i) for i, name in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), start=3)}
_WORDS = _DIGIT_WORDS | {"hundred": Decimal(100), "thousand": Decimal(1000), "half": Decimal("0.5")}
_FRACTIONS = {
    "½": Decimal("0.5"),
    "¼": Decimal("0.25"),
    "¾": Decimal("0.75"),
    "⅓": Decimal(1) / 3,
    "⅔": Decimal(2) / 3,
}
_DIGITS = r"\d{1,3}(?:[,\u2009\u202f]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_ENGLISH = (
    r"(?:one|a|two|three|four|five)\s+and\s+(?:a|one)\s+half|one[\s-]half|half(?:\s+an?)?|"
    r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[\s-](?:one|two|three|four|five|six|seven|eight|nine)|"
    r"(?:one|two|three|four|five|six|seven|eight|nine|a)\s+(?:hundred|thousand)|"
    + "|".join(sorted((w for w in _WORDS if w not in {"half", "hundred", "thousand"}), key=len, reverse=True))
)
_CHINESE = r"[一二两三四五六七八九十百千半]+"
_NUMBER = re.compile(
    rf"(?<![A-Za-z_Ͱ-Ͽ\d])(?<![A-Za-z]-)(?<!\d\.)(?:"
    rf"(?P<fraction>(?:\d+\s?)?[½¼¾⅓⅔]|(?:\d+\s)?[1-3]/[234](?![\d/]))|(?P<digits>{_DIGITS})|"
    rf"(?P<english>(?:{_ENGLISH})\b)|(?P<chinese>{_CHINESE}))"
    rf"(?P<scale>\s*(?:million|万|亿)(?![A-Za-z]))?",
    re.IGNORECASE,
)
_TWICE = re.compile(r"\b(?:(once)|(twice)|(thrice))\b", re.IGNORECASE)
_LATIN = re.compile(
    r"(?<![A-Za-z])(?:(?P<n>q\.?d|o\.?d|b\.?i\.?d|t\.?i\.?d|q\.?i\.?d)\.?|q\.?\s?(?P<h>\d{1,2})\s?h\.?)(?![A-Za-z])",
    re.IGNORECASE,
)
_LATIN_TIMES = {"qd": 1, "od": 1, "bid": 2, "tid": 3, "qid": 4}
_RANGE = re.compile(r"\s*[°º]?\s*(?:[-–—~～]|至|到|或|\bto\b|\bor\b|\bthrough\b)\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:\band\b|与|和)\s*", re.IGNORECASE)
_GAP = re.compile(r"[ \t\u00a0\u3000\n\r]*-?[ \t\u00a0\n\r]*")
_PER = re.compile(
    r"\s*(?:of\s+)?(?:body\s?-?weight|bw|体重)?\s*(?:/|·|\bper\b|\ban?\b|\beach\b|\bevery\b|每)\s*", re.IGNORECASE
)
_EVERY = re.compile(r"\s*(?:of\s+)?(?:body\s?-?weight|bw|体重)?\s*\b(daily|weekly|monthly|hourly)\b", re.IGNORECASE)
_ADVERBS = {"daily": "day", "weekly": "week", "monthly": "month", "hourly": "hour"}
# After "a", "each", "every": only what one counts by ("500 mg a day", not "5 mg a tablet").
_COUNTED_BY = frozenset({"day", "week", "month", "year", "hour", "minute"})
_PERIOD_BEFORE = re.compile(
    r"(每|一|1|１|毎)?(?P<period>日|天|晚|早|周|星期|月|年)\s*(?:口服|服用|服|用药|用|给药|外用|使用|注射)?\s*\Z"
)
_PERIODS = {
    "日": "day",
    "天": "day",
    "晚": "day",
    "早": "day",
    "周": "week",
    "星期": "week",
    "月": "month",
    "年": "year",
}
_TIMES_AFTER = re.compile(
    rf"\s*(?:口服|服用|服|用药|用|给药)?\s*(?:\d+|{_CHINESE})(?:\s*[-–—~～至到或]\s*(?:\d+|{_CHINESE}))?\s*次"
)
_BLANKED = re.compile(
    r"(?m)^[ \t]*(?:\d{1,3}[.．)）、](?!\d)|[(（]\d{1,3}[)）])"  # list numbers
    r"|[(（\[]\s*\d{1,2}\.\d{1,2}(?:\s*,\s*\d{1,2}(?:\.\d{1,2})?)*\s*[)）\]]"  # section references
    r"|(?i:\b(?:call|dial|ring|phone|text)|拨打|致电|热线|电话)[：:\s]*(?:on\s)?\+?\d[\d\-– ()]*"
    r"|\b\d-\d{3}-\d{3}-\d{4}\b|\b\d{3}-\d{3}-\d{4}\b|\b\d{4}-\d{2}-\d{2}\b"
    r"|(?i:\b(?:type|section|step|phase|table|figure|item|no\.|nos\.|number)\s?\d+(?:\.\d+)?(?![\d%]))"
    r"|\d+\s?型"
)
_NAME_AFTER = re.compile(r"[A-Za-z]|-[A-Za-z]")


def quantities(text: str) -> list[Quantity]:
    """The quantities of `text` in order of their place; see the module for what counts and the canonical forms."""
    return _scan(_blank(text))


def missing_quantities(sentence: str, passages: Sequence[str]) -> list[Quantity]:
    """The quantities of `sentence` that stand in none of `passages`.

    Compared after canonical spelling only, strict on purpose: no units are converted (1 g against "1,000 mg" is
    missing) and no frequencies ("twice daily" against "every 12 hours" is missing "2 times/day"). Both ends of a
    range must stand somewhere; an end of a passage's range counts as standing there, a value within it does not.
    A bare number is found by its value alone. The rate "/day" may stand apart from its amount within one sentence
    ("the daily dose must not exceed 4 g" and "up to 4 g per day" agree; "500 mg twice daily" is no "500 mg a day").
    """
    cleared = _blank(sentence)
    wanted = _scan(cleared)
    if not wanted:  # most sentences: what stands in the passages need not be read
        return []
    standing = [amount for passage in passages for amount in _amounts(passage)]
    values = {amount.value for amount in standing}
    missing: list[Quantity] = []
    apart = _has_day(cleared)
    for quantity in wanted:
        ends = [quantity.value] if quantity.high is None else [quantity.value, quantity.high]
        if quantity.unit == "":
            found = all(value in values for value in ends)
        else:
            found = all(any(_agrees(value, quantity.unit, apart, amount) for amount in standing) for value in ends)
        if not found:
            missing.append(quantity)
    return missing


def has_day(text: str) -> bool:
    """Whether `text` speaks of an amount a day ("daily", 每日), other than how often a day."""
    return _has_day(_blank(text))


class _Amount(NamedTuple):
    value: Decimal
    unit: str
    with_day: bool
    """Its sentence speaks of a day."""


_DAY_WORD = re.compile(
    r"(?<!times )(?<!twice )(?<!thrice )(?<!times a )(?<!times per )(?<!twice a )(?<!twice per )(?<!times each )"
    r"(?:\bdaily\b|\bper day\b|\b(?:a|each|every) day\b|/\s?d(?:ay)?\b|\b(?:in|within|per) (?:any )?24 hours|"
    r"24[- ]hour period)|(?:每日|每天|一日|一天|每晚|24小时)|/[日天]",
    re.IGNORECASE,
)
_OFTEN_A_DAY = re.compile(
    rf"(?:每日|每天|一日|一天|日服|每晚)\s*(?:口服|服用|服|用药|用|给药|外用|使用|注射)?\s*(?:[2-9]|\d\d|[二两三四五六])"
    rf"(?:\s*(?:[-–—~～至到或])\s*(?:\d+|{_CHINESE}))?\s*次|(?:[2-9]|[二两三四五六])\s*次\s*/\s*[日天]",
)


def _has_day(cleared: str) -> bool:
    return bool(_DAY_WORD.search(_OFTEN_A_DAY.sub(" ", cleared)))


def _amounts(passage: str) -> list[_Amount]:
    amounts: list[_Amount] = []
    for span in split_sentences(passage):
        cleared = _blank(span.text)
        found = _scan(cleared)
        with_day = bool(found) and _has_day(cleared)
        for quantity in found:
            amounts.append(_Amount(quantity.value, quantity.unit, with_day))
            if quantity.high is not None:
                amounts.append(_Amount(quantity.high, quantity.unit, with_day))
    return amounts


def _agrees(value: Decimal, unit: str, with_day: bool, amount: _Amount) -> bool:
    if value != amount.value:
        return False
    if unit == amount.unit:
        return True
    if unit == amount.unit + "/day":
        return amount.with_day and amount.unit not in {"", "times"}
    return unit + "/day" == amount.unit and unit != "times" and with_day


def _blank(text: str) -> str:
    """`text` with what only looks like a quantity replaced by spaces, so that offsets stay."""
    without_marks = CITATION_MARK.sub(lambda found: " " * len(found.group()), text)
    return _BLANKED.sub(lambda found: " " * len(found.group()), without_marks)


def _scan(text: str) -> list[Quantity]:
    found: list[Quantity] = []
    position = 0
    while number := _next_number(text, position):
        start, end, value, spoken = number
        quantity = _read(text, start, end, value, spoken=spoken)
        if quantity is None:
            position = end
        else:
            found.append(quantity)
            position = quantity.end
    return sorted(found + _latin(text), key=lambda quantity: quantity.start)


def _latin(text: str) -> list[Quantity]:
    """b.i.d., q6h and the like."""
    found: list[Quantity] = []
    for shorthand in _LATIN.finditer(text):
        hours = shorthand.group("h")
        if hours:
            found.append(Quantity(Decimal(hours), None, "hour", shorthand.start(), shorthand.end()))
        else:
            times = _LATIN_TIMES[shorthand.group("n").replace(".", "").lower()]
            found.append(Quantity(Decimal(times), None, "times/day", shorthand.start(), shorthand.end()))
    return found


def _next_number(text: str, position: int) -> tuple[int, int, Decimal, bool] | None:
    """The next number from `position` on: start, end, value, and whether it is a word rather than digits."""
    number = _NUMBER.search(text, position)
    # Only up to that number: searching to the end each time would take quadratic time.
    adverb = _TWICE.search(text, position, number.start() if number else len(text))
    if adverb:
        return adverb.start(), adverb.end(), Decimal(adverb.lastindex or 0), True
    if number is None:
        return None
    return number.start(), number.end(), _value(number), not (number.group("digits") or number.group("fraction"))


def _value(number: re.Match[str]) -> Decimal:
    scale = (number.group("scale") or "").strip().lower()
    factor = {"million": 1_000_000, "万": 10_000, "亿": 100_000_000}.get(scale, 1)
    return factor * _plain_value(number)


def _plain_value(number: re.Match[str]) -> Decimal:
    if digits := number.group("digits"):
        return Decimal(re.sub(r"[,\u2009\u202f]", "", digits))
    if fraction := number.group("fraction"):
        if fraction[-1] in _FRACTIONS:
            whole = fraction[:-1].strip()
            return (Decimal(whole) if whole else Decimal(0)) + _FRACTIONS[fraction[-1]]
        *whole_part, part = fraction.split()
        above, below = part.split("/")
        return (Decimal(whole_part[0]) if whole_part else Decimal(0)) + Decimal(above) / Decimal(below)
    if english := number.group("english"):
        return _english_value(english.lower())
    return _chinese_value(number.group("chinese"))


def _english_value(words: str) -> Decimal:
    parts = [part for part in re.split(r"[\s-]+", words) if part not in {"and", "an"}]
    if "half" in parts:
        whole = parts[0] if len(parts) > 2 else ""
        return (Decimal(1) if whole == "a" else _WORDS.get(whole, Decimal(0))) + Decimal("0.5")
    if parts[-1] in {"hundred", "thousand"}:
        return _WORDS.get(parts[0], Decimal(1)) * _WORDS[parts[-1]]
    return sum((_WORDS[part] for part in parts), Decimal(0))


def _chinese_value(numeral: str) -> Decimal:
    if numeral == "半":
        return Decimal("0.5")
    total, current = 0, 0
    for sign in numeral.rstrip("半"):
        if sign in "十百千":
            total += max(current, 1) * {"十": 10, "百": 100, "千": 1000}[sign]
            current = 0
        elif sign == "半":
            continue
        else:
            current = "零一二三四五六七八九".index("二" if sign == "两" else sign)
    return Decimal(total + current) + (Decimal("0.5") if numeral.endswith("半") else Decimal(0))


def _read(  # noqa: PLR0911 - one return a rule
    text: str, start: int, end: int, value: Decimal, *, spoken: bool
) -> Quantity | None:
    """The quantity that begins with the number at `start`, or None where the number is part of something else."""
    if _TWICE.fullmatch(text, start, end):
        unit, stop = _compound(text, "times", end)
        return None if value == 1 and unit == "times" else Quantity(value, None, unit, start, stop)
    if text[max(0, start - 3) : start] == "百分之":
        return Quantity(value, None, "%", start - 3, end)
    unit, stop = _unit_at(text, end)
    high: Decimal | None = None
    upper = _upper_end(text, start, stop if unit else end)
    if upper:
        high_value, high_end, high_spoken = upper
        high_unit, high_stop = _unit_at(text, high_end)
        if (high_unit and unit in {"", high_unit}) or not (unit or high_unit or spoken or high_spoken):
            high, unit, stop = high_value, high_unit, high_stop if high_unit else high_end
    if not unit:
        pair = re.compile(rf"/({_DIGITS})\s*mm\s?hg", re.IGNORECASE).match(text, end)
        if pair:
            return Quantity(value, Decimal(pair.group(1)), "mmHg", start, pair.end())
        if spoken or _NAME_AFTER.match(text, end):
            return None
        return Quantity(value, high, "", start, stop)
    unit, stop = _frequency(text, start, unit, stop)
    if spoken and not text[start].isascii() and _is_idiom(text, start, stop, unit, value):
        return None
    if unit == "times" and value == 1 and high is None:
        return None
    return Quantity(value, high, unit, start, stop)


def _upper_end(text: str, start: int, end: int) -> tuple[Decimal, int, bool] | None:
    """The number after "to", "-", "or" (and "and" after "between"): value, end, whether it is a word."""
    joint = _RANGE.match(text, end)
    if not joint and re.search(r"(?:\bbetween|介于|在)\s*\Z", text[max(0, start - 10) : start], re.IGNORECASE):
        joint = _BETWEEN.match(text, end)
    if not joint:
        return None
    number = _NUMBER.match(text, joint.end())
    if not number:
        return None
    spoken = not (number.group("digits") or number.group("fraction"))
    return _value(number), number.end(), spoken


def _unit_at(text: str, position: int) -> tuple[str, int]:
    """The unit with its "per" parts at `position`, ("", position) where none stands there."""
    gap = _GAP.match(text, position)
    found = _UNIT.match(text, gap.end() if gap else position)
    if not found and (classed := re.compile(r"\s*个(?=[单片粒])").match(text, position)):
        found = _UNIT.match(text, classed.end())
    if not found:
        return "", position
    return _compound(text, _canonical(found), found.end())


def _canonical(found: re.Match[str]) -> str:
    return next(name for i, name in enumerate(_GROUPS) if found.group(f"u{i}") is not None)


def _compound(text: str, unit: str, position: int) -> tuple[str, int]:
    while True:
        adverb = _EVERY.match(text, position)
        if adverb:
            unit, position = f"{unit}/{_ADVERBS[adverb.group(1).lower()]}", adverb.end()
            continue
        per = _PER.match(text, position)
        if not per:
            return unit, position
        count = re.compile(r"(\d+)\s*").match(text, per.end()) if per.group().strip() in {"/", "per"} else None
        below = _UNIT.match(text, count.end() if count else per.end())
        if not below:
            return unit, position
        name = _canonical(below)
        loose = per.group().strip().split()[-1].lower() in {"a", "an", "each", "every"}
        how_often = per.group().strip() == "每" and _TIMES_AFTER.match(text, below.end())
        if (loose and name not in _COUNTED_BY) or name in unit.split("/")[1:] or how_often:
            return unit, position
        unit, position = f"{unit}/{count.group(1) if count else ''}{name}", below.end()


def _frequency(text: str, start: int, unit: str, stop: int) -> tuple[str, int]:
    """每日三次: the period stands before the number. 3 次 alone stays `times`."""
    if unit == "times" and (before := _PERIOD_BEFORE.search(text[max(0, start - 8) : start])):
        return f"times/{_PERIODS[before.group('period')]}", stop
    return unit, stop


def _is_idiom(text: str, start: int, stop: int, unit: str, value: Decimal) -> bool:
    """一日, 一天 (a day, as in "a day 3 times"), 一次 (each time), 一片 where it is no count, 第一天."""
    if value == 1 and (unit in {"day", "times"} or (unit == "week" and _TIMES_AFTER.match(text, stop))):
        return True
    if unit.startswith("times/"):
        return False
    if text[max(0, start - 1) : start] in {"第", "十", "同", "统", "星", "周"}:
        return True
    return (
        unit in {"month", "day", "year"}
        and text[stop - 1] in "月日年"
        and not text[start:stop].count("个")
        and value <= 31
    )
