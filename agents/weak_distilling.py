"""Distilling with a model too weak for tool calls: a form with two fields, each a choice.

The medicine must be one that the conversation names, in the last turn if it names any; the attribute one of the
vocabulary. An attribute that nothing speaks for is not believed, neither the words of the question nor the passages
they find: a model of 135 million parameters answers the form, but untuned it does not understand the question
(`docs/consultation.md` has the figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from ..corpora.medicines import Attribute, SearchCall
from ..models import structured_reply
from .calling import role_config
from .prompting import prompt
from .rules import Asked, named_medicines
from .turn import Call, DistilledBy, MedicineSearch

_MOST_CHOICES: Final = 12
_MOST_CHARACTERS: Final = 1500
_PASSAGES_ASKED: Final = 3
_ATTRIBUTES: Final = tuple(a for a in Attribute if a is not Attribute.OTHER)


class NotUsable(Exception):
    """Neither the model's reply nor its repair can be used; the text says why."""


async def fill_in_form(
    model: BaseChatModel, messages: Sequence[AnyMessage], medicines: MedicineSearch, config: RunnableConfig
) -> Call:
    """One call for the last turn. The conversation must name a medicine.

    Raises:
        NotUsable: the reply was no choice among the given ones, twice, or the question's words leave no choice.
    """
    named = named_medicines(messages, medicines)
    last = len(messages) - 1
    names = [m.name for m in named if m.turn == last] or [m.name for m in named]
    asked = Asked.of(messages, medicines)
    believed = asked.attributes or _found_by_words(names[0], asked.keywords, medicines)
    first, problem = await _ask(model, messages, names[:_MOST_CHOICES], _ATTRIBUTES, config)
    if first and believed and first[1] not in believed:
        problem = f"the model chose {first[1].value}, the question's words point to {believed[0].value}"
    if first and not problem:
        return Call(medicine=first[0], attribute=first[1], keywords=asked.keywords, distilled_by=DistilledBy.MODEL)
    choices = asked.attributes if problem and first else _ATTRIBUTES
    if len(choices) < 2:  # nothing left to choose from: the rules know as much
        raise NotUsable(problem)
    second, still = await _ask(model, messages, names[:_MOST_CHOICES], choices, config)
    if second is None:
        raise NotUsable(still)
    return Call(
        medicine=second[0],
        attribute=second[1],
        keywords=asked.keywords,
        distilled_by=DistilledBy.REPAIR,
        reason=problem,
    )


def _found_by_words(name: str, keywords: str, medicines: MedicineSearch) -> tuple[Attribute, ...]:
    """The attributes of the passages of a medicine that a question's words find, the nearest first."""
    hits = medicines.search(SearchCall(medicine=name, keywords=keywords), _PASSAGES_ASKED) if keywords else []
    return tuple(dict.fromkeys(h.passage.attribute for h in hits if h.passage.attribute in _ATTRIBUTES))


async def _ask(
    model: BaseChatModel,
    messages: Sequence[AnyMessage],
    names: Sequence[str],
    attributes: Sequence[Attribute],
    config: RunnableConfig,
) -> tuple[tuple[str, Attribute] | None, str]:
    """The (medicine, attribute) chosen, or None and what was wrong."""
    task = prompt("distill_short")
    said = " ".join(m.text for m in messages if isinstance(m, HumanMessage))[-_MOST_CHARACTERS:]
    parsed, _ = await structured_reply(
        model,
        [*task.messages(), HumanMessage(said)],
        search_form(names, attributes),
        name="search_medicine",
        config=role_config(config, "distiller", task),
    )
    if parsed is None:
        return None, "the reply holds no JSON object"
    medicine, attribute = parsed.get("medicine"), parsed.get("attribute")
    if medicine not in names:
        return None, f"the conversation names no medicine `{str(medicine)[:60]}`"
    if attribute not in attributes:
        return None, f"`{str(attribute)[:60]}` is no attribute to choose"
    return (str(medicine), Attribute(str(attribute))), ""


def search_form(names: Sequence[str], attributes: Sequence[Attribute]) -> dict[str, Any]:
    """The JSON schema of a choice of one medicine and one attribute."""
    return {
        "type": "object",
        "properties": {
            "medicine": {"type": "string", "enum": list(names)},
            "attribute": {"type": "string", "enum": [a.value for a in attributes]},
        },
        "required": ["medicine", "attribute"],
        "additionalProperties": False,
    }
