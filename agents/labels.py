"""Flags over the evidence as a whole: an older label beside a newer, labels that disagree, text that gives orders.

All by rule, for precision: a flag that is often wrong is soon ignored. None removes a passage.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import combinations

from pydantic import BaseModel, ConfigDict

from ..corpora.medicines import Medicine, Passage
from .checking import EvidenceItem
from .quantities import has_day, quantities
from .sentences import split_sentences


class LabelFlagKind(StrEnum):
    """The closed list."""

    SUPERSEDED = "superseded"
    CONFLICTING = "conflicting"
    INSTRUCTION_IN_PASSAGE = "instruction_in_passage"


class LabelFlag(BaseModel):
    """Something about passages that the reader of an answer should know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LabelFlagKind
    passage_ids: tuple[str, ...]
    explanation: str
    """One plain sentence."""


def superseded(evidence: Sequence[EvidenceItem], medicines: Mapping[str, Medicine]) -> list[LabelFlag]:
    """The passages to which a newer one stands beside: same substances, form and attribute, dates over a day apart.

    `medicines` by id; a passage whose medicine is not there, or that has no date, is left out.
    """
    newer: dict[str, tuple[Passage, Passage]] = {}
    for first, second in _same_subject(evidence, medicines):
        dates = [_date(first), _date(second)]
        if dates[0] is None or dates[1] is None or abs((dates[0] - dates[1]).days) <= 1:
            continue
        old, new = (first, second) if dates[0] < dates[1] else (second, first)
        held = newer.get(old.id)
        if held is None or (held[1].source.date or "") < (new.source.date or ""):
            newer[old.id] = (old, new)
    return [
        LabelFlag(
            kind=LabelFlagKind.SUPERSEDED,
            passage_ids=(old.id, new.id),
            explanation=f"The text on {old.medicine} ({old.attribute.label}) of {old.source.date} is older than"
            f" another of {new.source.date}.",
        )
        for old, new in newer.values()
    ]


def conflicting(evidence: Sequence[EvidenceItem], medicines: Mapping[str, Medicine]) -> list[LabelFlag]:
    """Documents about the same substances, form and attribute that disagree.

    Either their maximum doses have none in common (compared in the same unit, masses in mg, per day and per dose
    apart; sentences on children, kidneys, liver or age set aside), or one says contraindicated in pregnancy or
    breastfeeding and the other gives a dose for it. Passages of one document are never compared with each other.
    """
    flags: list[LabelFlag] = []
    for first, second in _same_subject(evidence, medicines):
        reason = _different_maximum(first, second) or _forbidden_and_dosed(first, second)
        if reason:
            flags.append(
                LabelFlag(
                    kind=LabelFlagKind.CONFLICTING,
                    passage_ids=(first.id, second.id),
                    explanation=f"Two texts on {first.medicine} ({first.attribute.label}) disagree: {reason}.",
                )
            )
    return flags


def injection(evidence: Sequence[EvidenceItem]) -> list[LabelFlag]:
    """The passages that carry instructions to the model ("ignore the above", "you are now", 忽略以上).

    Orders to patients ("do not use", "stop taking") are none.
    """
    flags: list[LabelFlag] = []
    for passage in (item.passage for item in evidence):
        words = instruction_in(passage.text)
        if words:
            flags.append(
                LabelFlag(
                    kind=LabelFlagKind.INSTRUCTION_IN_PASSAGE,
                    passage_ids=(passage.id,),
                    explanation=f"A text on {passage.medicine} ({passage.attribute.label}) seems to give orders to the"
                    f" model: “{words}”.",
                )
            )
    return flags


@lru_cache(maxsize=4096)  # the same few passages are found again and again, and the patterns are many
def instruction_in(text: str) -> str | None:
    """The words of the first instruction to a model in `text`, None where there is none."""
    unseen = [ord(c) for c in set(text) if unicodedata.category(c) == "Cf"]
    plain = text.translate(dict.fromkeys(unseen)) if unseen else text
    found = _INSTRUCTION.search(unicodedata.normalize("NFKC", plain))
    return " ".join(found.group().split()) if found else None


_MODEL = r"(?:ai|a\.i\.|assistants?|chat ?bots?|language models?|llms?|gpt\w*)"
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass) (?:(?:all|any|the|your|these|those|of|everything|every|"
    r"what is|what was|"
    r"other|my|our|safety) )*(?:above|previous|prior|preceding|earlier|foregoing|instructions?|prompts?|"
    r"guidelines you|system|"
    r"rules|passages?|evidence|sources|context)\b(?! (?:dose|doses|treatment|therapy|missed|history|medic\w+|"
    r"reactions?|table))|"
    r"\byou are (?:now|actually|from now on) (?:an? |in |acting|free|going to be|no longer (?:an?|bound)|the )"
    rf"|\byou are (?:an? )?(?:helpful |large |uncensored |honest )*{_MODEL}\b|\bas an? {_MODEL}\b|"
    rf"\b(?:note|attention|instructions?|message|important|warning|dear|hey|hello)(?: (?:to|for) (?:the |any |"
    rf"all )?)?[:, ]*{_MODEL}\b|"
    rf"\b(?:the |any |every )?{_MODEL} (?:must|should|shall|will|has to|is to|reading this)\b|"
    r"<\|?/?(?:im_start|im_end|system|assistant|user|endoftext)\|?>|\[/?inst\]|<</?sys>>|"
    r"(?:\A|\n|[.!?]\s+)\W{0,4}(?:system|assistant|developer)(?: (?:prompt|message|note|"
    r"override))?\s*:(?!\s*(?:organ|disorders))|"
    r"\b(?:system|developer) (?:prompt|message|override)\b|\bnew (?:system )?instructions?\s*:|"
    r"\b(?:do not|don't|never) (?:cite|quote the|reference (?:the|this|any) (?:source|passage)|reveal (?:this|"
    r"that|these|your)|"
    r"tell the user|inform the user|mention (?:this|that|these|any|the) (?:instructions?|passages?|sources?|"
    r"prompt|to the user))\b|"
    r"\bwithout (?:citing|any citations?|citations?)\b|\btell the (?:user|reader|person asking)\b|"
    r"\b(?:in|when writing|when giving) your (?:answer|response|reply|output)\b|\byour (?:answer|reply|output|"
    r"final answer) (?:must|should|is|will)\b|"
    r"\b(?:answer|respond|reply|output) (?:only |exactly |just |always )*(?:with|that|by saying|as follows|"
    r"in the affirmative)\b(?=.{0,40}[\"“':]|.{0,12}\b(?:it|this)\b.{0,12}\bsafe)|"
    r"\bwhen (?:asked|answering|responding|questioned|a user asks)\b.{0,40}\b(?:say|answer|respond|reply|"
    r"recommend|always|never)\b|"
    r"\b(?:jailbreak|developer mode|dan mode|prompt injection)\b|"
    r"(?:请)?(?:忽略|无视|忘记|忘掉|不要理会|覆盖)(?:掉)?(?:以上|上述|之前|前面|先前|此前|上面|所有|一切|全部)|你(?:现在|从现在起|从此)是|从现在(?:起|开始)[，,]?你|"
    r"作为(?:一[个名])?(?:ai|人工智能|语言模型|大模型|聊天机器人)|(?:ai|人工智能|语言模型|大模型)(?:助手)?(?:必须|应当?|请|需要)|(?:\A|\n|。)\s*(?:系统|"
    r"助手)(?:提示|消息|指令)?[::]|"
    r"系统提示词?|新的?(?:系统)?指令|(?:不要|禁止|不得|无需|请勿)(?:引用|标注)(?:来源|出处|本|任何|资料|说明书)?|(?:不要|请勿|禁止)告诉(?:用户|提问者)|(?:回答|"
    r"回复)(?:用户)?时[,,]?(?:请|必须|务必|一律|不要)|请直接回答",
    re.IGNORECASE,
)


def _same_subject(
    evidence: Sequence[EvidenceItem], medicines: Mapping[str, Medicine]
) -> Iterator[tuple[Passage, Passage]]:
    """Pairs of passages of different documents on the same substances, form and attribute."""
    for one, other in combinations([item.passage for item in evidence], 2):
        first, second = medicines.get(one.medicine_id), medicines.get(other.medicine_id)
        if first is None or second is None or one.attribute is not other.attribute:
            continue
        if (one.source.name, one.source.id, one.source.version) == (
            other.source.name,
            other.source.id,
            other.source.version,
        ):
            continue
        if _substances(first) and _substances(first) == _substances(second) and _form(first) == _form(second):
            yield one, other


def _substances(medicine: Medicine) -> frozenset[str]:
    return frozenset(name.casefold() for name in medicine.names.substances or medicine.names.generic)


def _form(medicine: Medicine) -> str:
    return (medicine.form or "").casefold()


def _date(passage: Passage) -> datetime.date | None:
    return datetime.date.fromisoformat(passage.source.date) if passage.source.date else None


_MAXIMUM = re.compile(
    r"\b(?:maximum|max\b|not (?:to )?exceed|no more than|not more than|(?:not|never) take more than|"
    r"never (?:go over|exceed|more than)|up to|at most|"
    r"should not be exceeded)|"
    r"不(?:得|可|应|要|能|宜)?(?:超过|多于)|最大|最高|极量|至多|最多",
    re.IGNORECASE,
)
_SET_ASIDE = re.compile(
    r"\b(?:child|children|pediatric|paediatric|infants?|adolescents?|years|renal|kidney|creatinine|crcl|"
    r"hepatic|liver|elderly|"
    r"geriatric|overdos\w+|studies|study|trials?|mice|rats|dialysis|weigh\w*|surgery|intravenous)\b|儿童|小儿|婴|肾|"
    r"肝|老年|过量|岁|体重|试验|静脉",
    re.IGNORECASE,
)
_DOSE_UNITS = frozenset({"mg", "IU", "mL", "tablet", "capsule", "puff", "drop", "mEq", "mmol"})
_IN_MG = {"g": Decimal(1000), "mcg": Decimal("0.001"), "mg": Decimal(1)}


def _maxima(text: str) -> dict[str, set[Decimal]]:
    """The maximum doses a text states, by unit; masses in mg, per day under `<unit>/day`."""
    maxima: dict[str, set[Decimal]] = {}
    for span in split_sentences(text):
        if _SET_ASIDE.search(span.text):
            continue
        for clause in re.split(r"[,;，；](?!\d)", span.text):
            stated = _MAXIMUM.search(clause)
            if not stated:
                continue
            for quantity in quantities(clause):
                base, _, per = quantity.unit.partition("/")
                if per not in {"", "day"}:
                    continue
                value = (quantity.high or quantity.value) * _IN_MG.get(base, Decimal(1))
                unit = "mg" if base in _IN_MG else base
                if unit in _DOSE_UNITS:
                    rate = "/day" if per or has_day(clause) else ""
                    maxima.setdefault(unit + rate, set()).add(value)
    return maxima


def _different_maximum(first: Passage, second: Passage) -> str | None:
    one, other = _maxima(first.text), _maxima(second.text)
    for unit in sorted(one.keys() & other.keys()):
        if not one[unit] & other[unit]:
            return f"maximum {_number(max(one[unit]))} {unit} against {_number(max(other[unit]))} {unit}"
    return None


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


_POPULATIONS = {
    "pregnancy": r"pregnan\w+|孕妇|妊娠",
    "breastfeeding": r"breast-?feeding|nursing (?:mothers|women)|lactation|哺乳",
}
_FORBIDDEN = r"\bcontraindicated\b|\bmust not be (?:used|taken)\b|\bdo not use\b|禁用|禁忌|禁止使用|忌用"
_NOT_FORBIDDEN = r"\bnot contraindicated\b|不(?:是|属于)?禁"


def _forbidden_and_dosed(first: Passage, second: Passage) -> str | None:
    for name, words in _POPULATIONS.items():
        for one, other in ((first, second), (second, first)):
            if _forbids(one.text, words) and not _forbids(other.text, words) and _doses(other.text, words):
                return f"contraindicated in {name} against a dose for it"
    return None


def _forbids(text: str, population: str) -> bool:
    return any(
        re.search(population, span.text, re.IGNORECASE)
        and re.search(_FORBIDDEN, span.text, re.IGNORECASE)
        and not re.search(_NOT_FORBIDDEN, span.text, re.IGNORECASE)
        for span in split_sentences(text)
    )


_DOSING = re.compile(
    r"\b(?:dose|dosage|take|takes|give|given|recommended)\b|用量|剂量|每次|一次|每日|口服", re.IGNORECASE
)
_REPORTED = re.compile(
    r"\b(?:not|avoid|rats?|rabbits?|mice|animals?|stud(?:y|ies)|reported|times the|fetal|risk)\b|不|动物|试验|避免",
    re.IGNORECASE,
)


def _doses(text: str, population: str) -> bool:
    return any(
        re.search(population, span.text, re.IGNORECASE)
        and _DOSING.search(span.text)
        and not _REPORTED.search(span.text)
        and any(q.unit.split("/")[0] in _DOSE_UNITS | _IN_MG.keys() for q in quantities(span.text))
        for span in split_sentences(text)
    )
