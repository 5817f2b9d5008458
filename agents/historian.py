"""The historian: says what changed between two films, from images and the patient's earlier records.

After MedRecord-Augmented Generation (MMXU, arXiv 2502.11651). A strong model reasons and cites; what it says of records
is checked, sent back once, and then dropped. A weak model only chooses a letter, or a word for the change; what the
records say is then quoted by code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from ..errors import ModelReplyError
from ..models import structured_reply
from .asked_films import options_in, question_of
from .calling import role_config
from .prompting import Prompt, prompt
from .purse import OverBudget, Purse
from .reading_records import NumberedRecord, Reading, check_reading, quoted, record_citations
from .turn import AnsweredBy, Flag

CHANGES: Final = {
    "worsened": "It has worsened.",
    "improved": "It has improved.",
    "unchanged": "It is unchanged.",
    "cannot tell": "This cannot be told from what there is.",
}
"""What a weak model chooses from where there are no options, and how it is said."""
_AGAIN: Final = "This cannot be used: {problem}. Answer again, in the same form, without it."


async def read_films(
    purse: Purse,
    messages: Sequence[AnyMessage],
    config: RunnableConfig,
    *,
    records: Sequence[NumberedRecord] = (),
    shown: str = "",
) -> tuple[Reading, list[Flag]]:
    """One answer: the question with its images and records to the model, its reply read and checked.

    Args:
        purse: model and budget.
        messages: the conversation; the last message asks, with its images.
        config: the node's.
        records: what was fetched, numbered as `shown` numbers it.
        shown: the records as data for a model, or why there are none; empty where none were looked for.

    Raises:
        ModelError: the server can't do its part.
    """
    options = options_in(question_of(messages))
    asked = _with_records(messages, shown)
    try:
        if purse.profile.strength == "weak":
            return await _short(purse, asked, config, options, records)
        if options:
            return await _choice(purse, asked, config, options, records)
        return await _free(purse, asked, config, records)
    except OverBudget as spent:
        return _by_records(records, str(spent))
    except ModelReplyError as error:
        return _by_records(records, str(error))


def _with_records(messages: Sequence[AnyMessage], shown: str) -> list[AnyMessage]:
    """The conversation with the records between the images and the question of its last message."""
    *before, last = messages
    if not shown:
        return list(messages)
    text = f"{shown}\n\n{question_of([last])}"
    if isinstance(last.content, str):
        return [*before, HumanMessage(text)]
    parts = list(last.content)
    place = max(n for n, part in enumerate(parts) if isinstance(part, dict) and part.get("type") == "text")
    parts[place] = {"type": "text", "text": text}
    return [*before, HumanMessage(content=cast("Any", parts))]


async def _short(
    purse: Purse,
    asked: Sequence[AnyMessage],
    config: RunnableConfig,
    options: Mapping[str, str],
    records: Sequence[NumberedRecord],
) -> tuple[Reading, list[Flag]]:
    """A letter, or a word for the change, and nothing in the model's own words."""
    task = prompt("progress_short")
    field, known = ("letter", list(options)) if options else ("change", list(CHANGES))
    schema = _object({field: {"type": "string", "enum": known}})
    parsed, _ = await _ask_form(purse, [SystemMessage(task.text), *asked], config, task, schema)
    flags = [Flag(kind="weak_model", text=f"`{purse.profile.name}` is a weak model: it chose among fixed answers.")]
    chosen = (parsed or {}).get(field)
    if chosen not in known:
        reading, more = _by_records(records, f"the reply names no {field}")
        return reading, [*flags, *more]
    said = f"{chosen}. {options[chosen]}" if options else CHANGES[str(chosen)]
    told, cited = quoted(records)
    text = f"{said}\n\nEarlier records:\n{told}" if told else said
    letter = str(chosen) if options else None
    return Reading(text=text, letter=letter, citations=cited, answered_by=AnsweredBy.MODEL), flags


async def _choice(
    purse: Purse,
    asked: Sequence[AnyMessage],
    config: RunnableConfig,
    options: Mapping[str, str],
    records: Sequence[NumberedRecord],
) -> tuple[Reading, list[Flag]]:
    """A letter and its reason; a reason that fails the check is asked for once more, then loses its sentences."""
    task = prompt("progress_choice")
    schema = _object({"reason": {"type": "string"}, "letter": {"type": "string", "enum": list(options)}})
    first: list[BaseMessage] = [SystemMessage(task.text), *asked]
    parsed, message = await _ask_form(purse, first, config, task, schema)
    letter, reason, problem = _chosen(parsed, options, records)
    by = AnsweredBy.MODEL
    if problem:
        again = [*first, AIMessage(str(message.text)[:4000]), HumanMessage(_AGAIN.format(problem=problem))]
        try:
            parsed, message = await _ask_form(purse, again, config, task, schema)
        except (OverBudget, ModelReplyError) as error:
            problem = f"{problem}; then {error}"
        else:
            second, reason_again, problem = _chosen(parsed, options, records)
            letter, reason, by = second or letter, reason_again or reason, AnsweredBy.REPAIR
    flags: list[Flag] = []
    if letter is None:
        reading, more = _by_records(records, problem)
        text = str(message.text).strip() or reading.text  # a scorer may still read a letter in it
        return reading.model_copy(update={"text": text}), more
    kept, dropped = _kept(reason, records)
    if dropped:
        flags.append(_dropped_flag(dropped))
    text = f"{letter}. {options[letter]}" + (f"\n\n{kept}" if kept else "")
    return Reading(text=text, letter=letter, citations=record_citations(kept, records), answered_by=by), flags


def _chosen(
    parsed: Mapping[str, Any] | None, options: Mapping[str, str], records: Sequence[NumberedRecord]
) -> tuple[str | None, str, str]:
    """The letter, the reason, and what is wrong with the reply."""
    if parsed is None:
        return None, "", "the reply holds no complete JSON object"
    given, reason = parsed.get("letter"), parsed.get("reason")
    said = " ".join(reason.split()) if isinstance(reason, str) else ""
    letter = str(given).strip().strip("().").upper()
    if letter not in options:
        return None, said, f"`{str(given)[:40]}` is none of the letters {', '.join(options)}"
    return letter, said, _first_problem(said, records)


async def _free(
    purse: Purse, asked: Sequence[AnyMessage], config: RunnableConfig, records: Sequence[NumberedRecord]
) -> tuple[Reading, list[Flag]]:
    """An answer in the model's words; what fails the check is asked for once more, then loses its sentences."""
    task = prompt("progress")
    first: list[BaseMessage] = [SystemMessage(task.text), *asked]
    said = await _ask_text(purse, first, config, task)
    by, problem = AnsweredBy.MODEL, _first_problem(said, records) or ("" if said else "the reply is empty")
    if problem:
        again = [*first, AIMessage(said[:4000]), HumanMessage(_AGAIN.format(problem=problem))]
        try:
            said = await _ask_text(purse, again, config, task) or said
            by = AnsweredBy.REPAIR
        except (OverBudget, ModelReplyError) as error:
            problem = f"{problem}; then {error}"
    kept, dropped = _kept(said, records)
    if not kept:
        return _by_records(records, problem or "nothing of the reply passed the check")
    flags = [_dropped_flag(dropped)] if dropped else []
    return Reading(text=kept, citations=record_citations(kept, records), answered_by=by), flags


def _first_problem(text: str, records: Sequence[NumberedRecord]) -> str:
    """The first thing wrong with a text, for the model; empty where nothing is."""
    for sentence, problems in check_reading(text, records):
        if problems:
            return f"in “{sentence}” {problems[0].explanation.replace('passage', 'record')}"
    return ""


def _kept(text: str, records: Sequence[NumberedRecord]) -> tuple[str, int]:
    """The sentences that pass the check, and how many did not."""
    checked = check_reading(text, records)
    return " ".join(sentence for sentence, problems in checked if not problems), sum(bool(p) for _, p in checked)


def _dropped_flag(count: int) -> Flag:
    which = "1 sentence was" if count == 1 else f"{count} sentences were"
    return Flag(kind="unchecked_withdrawn", text=f"{which} withdrawn: no record holds what is said there.")


def _by_records(records: Sequence[NumberedRecord], problem: str) -> tuple[Reading, list[Flag]]:
    """What the records say, where the model's answer can't be used."""
    told, cited = quoted(records)
    text = f"No answer could be made. Earlier records:\n{told}" if told else "No answer could be made."
    flag = Flag(kind="fallback", text=f"The model's answer could not be used: {problem}.")
    return Reading(text=text, citations=cited, answered_by=AnsweredBy.QUOTES), [flag]


async def _ask_form(
    purse: Purse, messages: Sequence[BaseMessage], config: RunnableConfig, task: Prompt, schema: dict[str, Any]
) -> tuple[dict[str, Any] | None, AIMessage]:
    found: dict[str, Any] | None = None
    named = role_config(config, "historian", task)

    async def ask(said: Sequence[BaseMessage], most: int) -> AIMessage:
        nonlocal found
        found, message = await structured_reply(
            purse.model, list(said), schema, name="change", config=named, max_tokens=most
        )
        return message

    message = await purse.ask(messages, ask)
    return found, message


async def _ask_text(purse: Purse, messages: Sequence[BaseMessage], config: RunnableConfig, task: Prompt) -> str:
    named = role_config(config, "historian", task)
    message = await purse.ask(messages, lambda said, most: purse.model.ainvoke(list(said), named, max_tokens=most))
    return str(message.text).strip()


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}
