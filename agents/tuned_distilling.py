"""Distilling with a small model that was tuned for it (`wardround train distiller`): a form with a list of calls.

The model writes `{"calls": [...]}`, each call either a medicine that the conversation names with an attribute of the
vocabulary, or, where the person asks which medicine helps, the words for the complaint. The reply is held to that
form, so it is always valid where the server enforces schemas; what the model chooses is believed. The request is the
same in training and in use: both are made here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..corpora.medicines import Attribute
from ..corpora.words import fold
from ..models import for_role, structured_reply
from .calling import role_config
from .choices import Choice, medicine_choices
from .dialogue import transcript
from .prompting import prompt
from .rules import Asked, other_names
from .turn import Call, DistilledBy, MedicineSearch
from .weak_distilling import NotUsable

PROMPT: Final = "distill_tuned"
MOST_FORMS: Final = 3
MOST_KEYWORDS: Final = 60
"""Characters of a complaint."""
_MOST_CHARACTERS: Final = 2000
"""Of the turns before the question, and of the question, the last part each."""
_MOST_HINTS: Final = 4
_MOST_TOKENS: Final = 128
ATTRIBUTES: Final = tuple(a for a in Attribute if a is not Attribute.OTHER)


class Form(BaseModel):
    """One call as the model writes it: `medicine` and `attribute`, or `keywords` alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    medicine: str | None = None
    attribute: Attribute | None = None
    keywords: str | None = Field(default=None, max_length=MOST_KEYWORDS)


def request(messages: Sequence[AnyMessage], choices: Sequence[Choice]) -> list[BaseMessage]:
    """What the model is asked for a conversation: the turns, the last as the question, then the names it holds.

    Folded: case and width tell a small model nothing.
    """
    before = fold(transcript(messages[:-1], most_characters=_MOST_CHARACTERS))
    lines = [
        *([before] if before else []),
        f"question: {fold(' '.join(messages[-1].text.split()))[-_MOST_CHARACTERS:]}",
        f"names: {'; '.join(c.said for c in choices[:_MOST_HINTS]) or '-'}",
    ]
    return [*prompt(PROMPT).messages(), HumanMessage("\n".join(lines))]


def reply(forms: Sequence[Form]) -> str:
    """The JSON that a model should write for these calls."""
    calls = [f.model_dump(mode="json", exclude_none=True) for f in forms]
    return json.dumps({"calls": calls}, ensure_ascii=False, separators=(",", ":"))  # a sixth fewer tokens


def form_schema(names: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of a reply whose medicines are among `names`."""
    complaint = _object({"keywords": {"type": "string", "minLength": 2, "maxLength": MOST_KEYWORDS}})
    named = _object(
        {
            "medicine": {"type": "string", "enum": list(names)},
            "attribute": {"type": "string", "enum": [a.value for a in ATTRIBUTES]},
        }
    )
    item = {"anyOf": [named, complaint]} if names else complaint
    return _object({"calls": {"type": "array", "items": item, "maxItems": MOST_FORMS}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


async def tuned_calls(
    model: BaseChatModel, messages: Sequence[AnyMessage], medicines: MedicineSearch, config: RunnableConfig
) -> list[Call]:
    """The calls that the tuned model makes for the last turn; none where it sees nothing to search for.

    Raises:
        NotUsable: the reply is not of the form, which only a server that enforces no schema lets through.
    """
    choices = medicine_choices(messages, medicines)
    asked = Asked.of(messages, medicines)
    parsed, _ = await structured_reply(
        for_role(model, "distiller"),
        request(messages, choices),
        form_schema([c.said for c in choices]),
        name="search_medicine",
        config=role_config(config, "distiller", prompt(PROMPT)),
        max_tokens=_MOST_TOKENS,
    )
    forms = _forms(parsed, choices)
    names = {c.said: c.name for c in choices}
    between = [f.medicine for f in forms if f.attribute is Attribute.INTERACTIONS and f.medicine]
    made = [
        Call(
            medicine=names[f.medicine] if f.medicine else None,
            attribute=f.attribute if f.medicine else Attribute.INDICATIONS,
            keywords=asked.keywords if f.medicine else f.keywords or "",
            other_names=tuple(
                other_names([names[o] for o in between if o != f.medicine], medicines) if f.medicine in between else ()
            ),
            distilled_by=DistilledBy.MODEL,
        )
        for f in dict.fromkeys(forms)
    ]
    asked_about = {mention.text for mention in medicines.mentions(messages[-1].text)}
    return [*_of_the_name_said_last(made, choices, asked_about), *made]


def _of_the_name_said_last(made: Sequence[Call], choices: Sequence[Choice], asked_about: set[str]) -> list[Call]:
    """A call of the rules before the model's, where its first is about another medicine than the one named last.

    Which subject is asked, and which of the medicines in the question (`asked_about`) it is about, the adapter tells
    better than rules do; which medicine of an earlier turn "it" is, worse (measured on the development dialogues of
    MedicineQA-Open: docs/training-distiller.md).
    """
    first = next((call for call in made if call.medicine), None)
    if first is None or not choices or first.medicine == choices[0].name or first.medicine in asked_about:
        return []
    told = {"medicine": choices[0].name, "other_names": (), "distilled_by": DistilledBy.RULE}
    return [first.model_copy(update={**told, "reason": "the medicine named last, with the model's subject"})]


def _forms(parsed: dict[str, Any] | None, choices: Sequence[Choice]) -> list[Form]:
    calls: Any = (parsed or {}).get("calls")
    if not isinstance(calls, list):
        raise NotUsable("the reply holds no list of calls")
    said = {c.said for c in choices}
    forms: list[Form] = []
    for entry in calls[:MOST_FORMS]:
        try:
            form = Form.model_validate(entry)
        except ValidationError as error:
            raise NotUsable(f"a call is not of the form: {error.errors()[0]['msg']}") from None
        if form.medicine is None and not (form.keywords or "").strip():
            raise NotUsable("a call has neither a medicine nor keywords")
        if form.medicine is not None and (form.medicine not in said or form.attribute is None):
            raise NotUsable(f"the conversation names no medicine `{form.medicine[:60]}`, or no attribute is asked")
        forms.append(form)
    return forms
