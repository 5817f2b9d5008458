"""The diagnostician: one reading of a case by a model, with its budget held whatever the model does.

Made for reasoning models (MedE2, arXiv 2505.23118): the thinking is kept apart, may take so many tokens, and is closed
by force when these are spent. What the model quotes from the case is looked for there. A reply that can't be used is
asked for once more, with the reason; then names are read of its text, and the sample says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, cast

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from ..errors import ModelReplyError, UserError
from ..models import structured_reply
from ..models.reasoning import REASONING_KEY
from .calling import role_config
from .case import MOST_IMAGES, case_text
from .differential import MOST, Diagnosis, Finding, Sample, in_case
from .differential_text import name_key, read_differential
from .images import image_count
from .prompting import prompt
from .purse import OverBudget, Purse
from .sentences import split_sentences

Form = Literal["reasoned", "official"]
_SHORTEST, _LONGEST, _MOST_OFFERED = 15, 300, 12
"""Characters of a sentence of the case that a weak model may choose as a finding, and how many are offered."""
_AGAIN: Final = "This cannot be used: {problem}. Answer again with the JSON object alone."


async def one_sample(
    purse: Purse,
    messages: Sequence[AnyMessage],
    config: RunnableConfig,
    *,
    number: int = 0,
    form: Form = "reasoned",
    role: str = "diagnostician",
    further: Sequence[BaseMessage] = (),
    params: dict[str, Any] | None = None,
) -> Sample:
    """One sample: the case to the model, its reply read and checked.

    A weak model fills in a short form: names, and for each a sentence of the case.

    Args:
        purse: model and budget.
        messages: the conversation with the case; images in it need a model with vision.
        config: the node's.
        number: of the sample.
        form: `official` asks as DiagnosisArena's official script does: names alone, no quotations.
        role: whose prompt: `diagnostician` or `critic`.
        further: turns after the case, e.g. the differential to be criticised.
        params: `seed`, `temperature` of the call.

    Raises:
        UserError: images for a model that sees none.
        ModelError: the server can't do its part.
    """
    images = image_count(messages)
    if images > MOST_IMAGES:
        raise UserError(f"the case shows {images} images: at most {MOST_IMAGES}")
    if images and not purse.profile.vision:
        raise UserError(
            f"the case shows {images} images and `{purse.profile.name}` sees none: choose a model with vision, say "
            "`vision: true` in WARDROUND_PROFILE if it has it, or leave the images out"
        )
    given = params or {}
    case = case_text(messages)
    weak = purse.profile.strength == "weak"
    name = {"critic": "diagnose_critique"}.get(role) or (
        "diagnose_official" if form == "official" else "diagnose_short" if weak else "diagnose"
    )
    task = prompt(name)
    schema = _weak_form(case) if weak else _strong_form()
    asked: list[BaseMessage] = [SystemMessage(task.text), *messages, *further]
    named = role_config(config, role, task)
    message: AIMessage | None = None
    before: AIMessage | None = None
    try:
        if form == "official" and role == "diagnostician":
            message = await purse.ask(
                asked, lambda said, most: purse.model.ainvoke(list(said), named, max_tokens=most, **given)
            )
            return _from_text(message, number, purse, problem="")
        parsed, message = await _form(purse, asked, named, schema=schema, params=given)
        sample, problem = _sample(parsed, message, case, number, "form")
        if sample is None:
            before = message
            again = [*asked, AIMessage(str(message.text)[:4000]), HumanMessage(_AGAIN.format(problem=problem))]
            parsed, message = await _form(purse, again, named, schema=schema, params=given)
            sample, _ = _sample(parsed, message, case, number, "repair", problem)
        if sample is not None:
            return sample.model_copy(update={"output_tokens": purse.used})
        return _from_text(before or message, number, purse, problem)
    except OverBudget as spent:
        last = message or before
        if last is not None:
            return _from_text(last, number, purse, str(spent))
        return Sample(number=number, problem=str(spent), read_as="nothing", output_tokens=purse.used)
    except ModelReplyError as error:
        return Sample(number=number, problem=str(error), read_as="nothing", output_tokens=purse.used)


async def _form(
    purse: Purse,
    messages: Sequence[BaseMessage],
    config: RunnableConfig,
    *,
    schema: dict[str, Any],
    params: dict[str, Any],
) -> tuple[dict[str, Any] | None, AIMessage]:
    """The reply as an object, None where it holds none, and the message."""
    found: dict[str, Any] | None = None

    async def ask(asked: Sequence[BaseMessage], most: int) -> AIMessage:
        nonlocal found
        found, message = await structured_reply(
            purse.model, list(asked), schema, name="differential", config=config, max_tokens=most, **params
        )
        return message

    message = await purse.ask(messages, ask)
    return found, message


def _sample(
    parsed: dict[str, Any] | None,
    message: AIMessage,
    case: str,
    number: int,
    read_as: str,
    problem: str = "",
) -> tuple[Sample | None, str]:
    """The sample, or None and what is wrong with the reply."""
    if parsed is None:
        return None, "the reply holds no complete JSON object"
    entries: Any = parsed.get("differential")
    if not isinstance(entries, list) or not entries:
        return None, "`differential` is no list of diagnoses"
    diagnoses: dict[str, Diagnosis] = {}
    for entry in cast("list[Any]", entries):
        held = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {"diagnosis": entry}
        name = held.get("diagnosis")
        if not isinstance(name, str) or not name_key(name) or name_key(name) in diagnoses:
            continue
        diagnoses[name_key(name)] = Diagnosis(
            rank=len(diagnoses) + 1,
            diagnosis=" ".join(name.split())[:200],
            supporting=_findings(held.get("for"), case),
            opposing=_findings(held.get("against"), case),
        )
        if len(diagnoses) == MOST:
            break
    if not diagnoses:
        return None, "`differential` names no diagnosis"
    thinking = str(message.additional_kwargs.get(REASONING_KEY) or "")
    said = parsed.get("reasoning")
    return Sample(
        number=number,
        diagnoses=tuple(diagnoses.values()),
        reasoning="\n\n".join(filter(None, (thinking, said if isinstance(said, str) else ""))),
        next_tests=_texts(parsed.get("next_tests")),
        red_flags=_texts(parsed.get("red_flags")),
        read_as=read_as,
        problem=problem,
    ), ""


def _from_text(message: AIMessage, number: int, purse: Purse, problem: str) -> Sample:
    """Names read of a text that is no form; without quotations."""
    found = read_differential(str(message.text))
    return Sample(
        number=number,
        diagnoses=tuple(Diagnosis(rank=n, diagnosis=name) for n, name in enumerate(found.diagnoses, start=1)),
        reasoning=str(message.additional_kwargs.get(REASONING_KEY) or ""),
        read_as=found.how,
        problem=problem,
        output_tokens=purse.used,
    )


def _findings(given: Any, case: str) -> tuple[Finding, ...]:
    return tuple(Finding(quote=text, in_case=in_case(text, case)) for text in _texts(given))


def _texts(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list):
        return ()
    texts = [" ".join(item.split())[:500] for item in cast("list[Any]", given) if isinstance(item, str)]
    return tuple(dict.fromkeys(text for text in texts if text))[:3]


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


_TEXT: Final[dict[str, Any]] = {"type": "string"}
_LIST: Final[dict[str, Any]] = {"type": "array", "items": _TEXT, "maxItems": 3}


def _strong_form() -> dict[str, Any]:
    entry = _object({"diagnosis": _TEXT, "for": _LIST, "against": _LIST})
    listed = {"type": "array", "items": entry, "minItems": 1, "maxItems": MOST}
    return _object({"reasoning": _TEXT, "differential": listed, "next_tests": _LIST, "red_flags": _LIST})


def _weak_form(case: str) -> dict[str, Any]:
    """Names of letters only, and for each a choice among sentences of the case: a weak model invents its quotes."""
    sentences = [" ".join(s.text.split()) for s in split_sentences(case)]
    offered = [text for text in dict.fromkeys(sentences) if _SHORTEST <= len(text) <= _LONGEST][:_MOST_OFFERED]
    name = {"type": "string", "pattern": "^[A-Z][A-Za-z,' -]{3,70}$"}
    quote = {"type": "string", "enum": offered} if offered else _TEXT
    entry = _object({"diagnosis": name, "for": quote})
    return _object({"differential": {"type": "array", "items": entry, "minItems": MOST, "maxItems": MOST}})
