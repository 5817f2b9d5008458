"""The router of the ward round: which specialist answers the last message. A model chooses, or a plain rule does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from ..corpora.asking import asked_attributes
from ..errors import ModelReplyError
from ..models import profile_of, structured_reply
from .calling import role_config
from .dialogue import transcript
from .prompting import prompt
from .rules import is_small_talk, last_question
from .turn import MedicineSearch

_READ: Final = 8_000
"""Characters of the conversation that the router reads."""
_SHORT_FOLLOW_UP: Final = 12
"""Words; a message of no more, about nothing of its own, goes to whoever answered before."""
_CASE_WORDS: Final = 40
_WANTS_DIAGNOSIS: Final = re.compile(
    r"\bdifferential\b|\bdiagnos(?:is|es|e|ed)\b|\bddx\b|what (?:disease|condition|illness)\b|"
    r"what (?:does|could|might) (?:he|she|the patient|they|it) (?:have|be)\b|诊断|什么病|鉴别",
    re.IGNORECASE,
)
_FINDINGS: Final = re.compile(
    r"\b(?:presents?|presented|presenting|examination|history of|biopsy|ct|mri|x-?ray|ultrasound|laborator\w+|labs?|"
    r"blood pressure|heart rate|temperature|palpable|lesion|rash|fever|pain|murmur|lymph|haemoglobin|hemoglobin|esr|"
    r"crp|wbc|leu[ck]ocytes?|creatinine|year-old|years old|aged \d+|woman of \d+|man of \d+)\b|主诉|查体|既往史|患者",
    re.IGNORECASE,
)
_TELLING_FINDINGS: Final = 3
_FILM: Final = re.compile(r"\b(?:x-?rays?|films?|radiographs?|cxrs?|chest images?)\b|胸片|X光|X线|片子", re.IGNORECASE)
_CHANGE: Final = re.compile(
    r"\b(?:chang\w*|compar\w*|wors\w*|improv\w*|better|increas\w*|decreas\w*|grow\w*|shr[aiu]nk\w*|resolv\w*|"
    r"progress\w*|earlier|previous|prior|last|before|since|between|still|new)\b|变化|对比|比较|好转|加重|进展|吸收",
    re.IGNORECASE,
)


class Specialist(StrEnum):
    """Who may answer."""

    CONSULTATION = "consultation"
    DIAGNOSIS = "diagnosis"
    PROGRESSION = "progression"
    NONE = "none"


async def route(
    model: BaseChatModel | None,
    messages: Sequence[AnyMessage],
    medicines: MedicineSearch,
    config: RunnableConfig,
    *,
    before: Specialist | None = None,
) -> tuple[Specialist, str]:
    """Who answers the last message, and what was wrong with the model's choice where the rule decided instead.

    A weak model is not asked: the rule knows better.

    Args:
        model: None for the rule alone.
        messages: the conversation.
        medicines: whose names count as medicines.
        config: the node's.
        before: who answered last.

    Raises:
        ModelError: the server can't do its part.
    """
    by_rule = route_by_rule(messages, medicines, before=before)
    if model is None or profile_of(model).strength == "weak":
        return by_rule, ""
    task = prompt("route")
    said = transcript(messages, most_characters=_READ)
    asked: list[BaseMessage] = [
        SystemMessage(task.text),
        HumanMessage(f"{said}\n\nAnswered before: {before or 'nobody'}"),
    ]
    try:
        parsed, _ = await structured_reply(
            model, asked, _FORM, name="specialist", config=role_config(config, "router", task)
        )
    except ModelReplyError as error:
        return by_rule, str(error)
    chosen = (parsed or {}).get("specialist")
    if chosen not in set(Specialist):
        return by_rule, f"`{str(chosen)[:40]}` is no specialist"
    return Specialist(str(chosen)), ""


_FORM: Final = {
    "type": "object",
    "properties": {"specialist": {"type": "string", "enum": [s.value for s in Specialist]}},
    "required": ["specialist"],
    "additionalProperties": False,
}


def route_by_rule(  # noqa: PLR0911 - one return a rule
    messages: Sequence[AnyMessage], medicines: MedicineSearch, *, before: Specialist | None = None
) -> Specialist:
    """The rule, in this order. Small talk is nobody's. What changed between films, and is no told case, is the
    historian's. A told case, or a wish for a diagnosis, is the diagnostician's. A medicine, or a question on a
    leaflet's subject, is the adviser's. A short follow-up stays where it was.
    """
    last = last_question(messages)
    if is_small_talk(last):
        return Specialist.NONE
    findings = {match.group().lower() for match in _FINDINGS.finditer(last)}
    is_case = len(last.split()) >= _CASE_WORDS and len(findings) >= _TELLING_FINDINGS
    mentions = medicines.mentions(last)
    if asks_about_films(last) and not is_case and not mentions:
        return Specialist.PROGRESSION
    if _WANTS_DIAGNOSIS.search(last) and (is_case or not mentions):
        return Specialist.DIAGNOSIS
    if is_case and not asked_attributes(last):
        return Specialist.DIAGNOSIS
    if mentions or asked_attributes(last) or medicines.unknown_names(last):
        return Specialist.CONSULTATION
    if before is not None and before is not Specialist.NONE and len(last.split()) <= _SHORT_FOLLOW_UP:
        return before
    return Specialist.DIAGNOSIS if is_case else Specialist.NONE


def asks_about_films(text: str) -> bool:
    """Whether a question is about a change between chest films."""
    return _FILM.search(text) is not None and _CHANGE.search(text) is not None
