"""The reader: answers from the evidence (the last step of Distill-Retrieve-Read), every sentence checked as it is made.

Two modes. `free`: the model writes sentences with citations; each is checked when it is complete and only then leaves
the node. `quotes`: the model chooses among verbatim sentences; the default for weak models, which cannot be trusted to
copy a number. What fails the check is sent back once with the reasons; what fails again is replaced as a whole by
quotes, since an answer with a sentence cut out may say the opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NotRequired, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, ConfigDict

from ..models import profile_of, structured_reply
from ..tools.search_medicine import passage_block
from .calling import role_config
from .checking import EvidenceItem, check_sentence
from .dialogue import transcript
from .node import Node, node
from .prompting import prompt
from .quoting import MOST_QUOTED, Sentence, quotable, quote_answer
from .rules import last_question
from .sentences import SentenceBuffer
from .streaming import emit
from .turn import AnsweredBy, Call, Flag, MedicineSearch

Mode = Literal["free", "quotes"]
_CHARACTERS_A_TOKEN: Final = 3
_MOST_SHOWN: Final = 2000
"""Characters of a rejected answer that its model is shown again."""
_MOST_PROBLEMS: Final = 5
"""Reasons given for a rejection; an answer with more is no better for a longer list."""


class ReaderInput(TypedDict):
    """State the nodes read."""

    messages: Sequence[AnyMessage]
    calls: Sequence[Call]
    evidence: Sequence[EvidenceItem]


class RepairInput(ReaderInput):
    """State the repairing node reads."""

    draft: Draft


class QuoterInput(ReaderInput):
    """State the quoting node reads."""

    draft: NotRequired[Draft | None]
    """The model's answer that failed; None where no model was asked."""


class Draft(BaseModel):
    """An answer in the making."""

    model_config = ConfigDict(frozen=True)
    sentences: tuple[str, ...]
    problems: tuple[str, ...] = ()
    """What the check found, one line each; empty when the draft stands."""
    answered_by: AnsweredBy
    verbatim: bool = False
    """Whether its sentences are quotes, one a line."""

    @property
    def text(self) -> str:
        """The sentences put together."""
        return ("\n" if self.verbatim else " ").join(self.sentences)


class ReaderOutput(TypedDict):
    """State the nodes write."""

    draft: Draft
    flags: list[Flag]


Checker = Callable[[str], list[str]]


def mode_for(model: BaseChatModel) -> Mode:
    """`free` for a strong model, `quotes` for a weak one."""
    return "free" if profile_of(model).strength == "strong" else "quotes"


def reader(
    model: BaseChatModel, medicines: MedicineSearch, *, mode: Mode | None = None
) -> Node[ReaderInput, ReaderOutput]:
    """A node that drafts the answer; `mode` None takes the one for the model's strength.

    Raises (the node):
        ModelError: the model server does not answer.
    """
    chosen = mode or mode_for(model)

    async def read(state: ReaderInput, config: RunnableConfig) -> ReaderOutput:
        if chosen == "quotes":
            return await _choose(model, state, config)
        shown = _shown(state["evidence"], model)
        check = checker(shown, medicines)
        draft = await _write(model, _asked(state, shown, model), check, AnsweredBy.MODEL, config)
        return {"draft": draft, "flags": []}

    return node(read, "read")


def repairer(model: BaseChatModel, medicines: MedicineSearch) -> Node[RepairInput, ReaderOutput]:
    """A node that has the model write the answer once more, told what was wrong."""

    async def repair(state: RepairInput, config: RunnableConfig) -> ReaderOutput:
        rejected = state["draft"]
        emit("withdrawn", reason="; ".join(rejected.problems[:_MOST_PROBLEMS]))
        shown = _shown(state["evidence"], model)
        messages = [
            *_asked(state, shown, model),
            HumanMessage(
                "Your answer was:\n"
                + rejected.text[:_MOST_SHOWN]
                + "\n\nIt cannot be used:\n"
                + "\n".join(f"- {p}" for p in rejected.problems[:_MOST_PROBLEMS])
                + "\nWrite the whole answer again, correctly."
            ),
        ]
        draft = await _write(model, messages, checker(shown, medicines), AnsweredBy.REPAIR, config)
        return {"draft": draft, "flags": []}

    return node(repair, "repair")


def quoter() -> Node[QuoterInput, ReaderOutput]:
    """A node that answers with quotes chosen by rule; no model."""

    async def quote(state: QuoterInput, _config: RunnableConfig) -> ReaderOutput:
        rejected = state.get("draft")
        flags: list[Flag] = []
        if rejected and rejected.problems:
            emit("withdrawn", reason="; ".join(rejected.problems[:_MOST_PROBLEMS]))
            text = f"The model's answer failed the checks twice and was replaced by quotes: {rejected.problems[0]}."
            flags.append(Flag(kind="unchecked_withdrawn", text=text))
        offered = quotable(last_question(state["messages"]), state["calls"], state["evidence"])
        return {"draft": _quoted(offered[:MOST_QUOTED], AnsweredBy.QUOTES), "flags": flags}

    return node(quote, "quote")


async def _write(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    check: Checker,
    answered_by: AnsweredBy,
    config: RunnableConfig,
) -> Draft:
    """Stream the model's answer; sentences leave as they pass, until one fails."""
    buffer = SentenceBuffer()
    sentences: list[str] = []
    problems: dict[str, None] = {}  # in order, each once: a weak model may say one thing forty times

    def take(complete: Sequence[str]) -> None:
        for sentence in complete:
            sentences.append(sentence)
            problems.update(dict.fromkeys(check(sentence)))
            if not problems:
                emit("text", text=sentence)

    async for chunk in model.astream(list(messages), role_config(config, "reader", prompt("read"))):
        if thought := chunk.additional_kwargs.get("reasoning_content"):
            emit("reasoning", text=thought)
        take(buffer.feed(chunk.text))
    take(buffer.close())
    if not sentences:
        problems["the reply is empty"] = None
    return Draft(sentences=tuple(sentences), problems=tuple(problems), answered_by=answered_by)


def checker(evidence: Sequence[EvidenceItem], medicines: MedicineSearch) -> Checker:
    """A function from a sentence to what is wrong with it, one line each."""
    names: dict[str, list[str]] = {}
    for item in evidence:
        if (record := medicines.medicine(item.passage.medicine_id)) is not None:
            own = record.names
            names[record.id] = [*own.generic, *own.substances, *own.brands, *own.aliases]

    def check(sentence: str) -> list[str]:
        findings = check_sentence(sentence, evidence, names=names).problems
        return [f"{f.explanation} (in: {sentence})" for f in findings]

    return check


async def _choose(model: BaseChatModel, state: ReaderInput, config: RunnableConfig) -> ReaderOutput:
    question = last_question(state["messages"])
    offered = quotable(question, state["calls"], state["evidence"])
    if not offered:
        return {"draft": _quoted([], AnsweredBy.QUOTES), "flags": []}
    task = prompt("quote")
    listed = "\n".join(f"{i}. ({s.medicine}) {s.text}" for i, s in enumerate(offered, start=1))
    parsed, _ = await structured_reply(
        model,
        [SystemMessage(task.text), HumanMessage(f"Sentences:\n{listed}\n\nQuestion: {question}")],
        quote_form(len(offered)),
        name="quote_sentences",
        config=role_config(config, "reader", task),
    )
    chosen = _numbers(parsed, len(offered))
    if chosen:
        # The sentence nearest to the question always stands first; the model chooses what goes with it.
        quoted = [offered[i - 1] for i in sorted({1, *chosen})][:MOST_QUOTED]
        return {"draft": _quoted(quoted, AnsweredBy.MODEL), "flags": []}
    text = "The quotes were chosen by rules: the model's choice could not be read."
    draft = _quoted(offered[:MOST_QUOTED], AnsweredBy.QUOTES)
    return {"draft": draft, "flags": [Flag(kind="fallback", text=text)]}


def quote_form(offered: int) -> dict[str, Any]:
    """The JSON schema of a choice among `offered` numbered sentences."""
    return {
        "type": "object",
        "properties": {
            "sentences": {
                "type": "array",
                "items": {"type": "integer", "enum": list(range(1, offered + 1))},
                "minItems": 1,
                "maxItems": MOST_QUOTED,
            }
        },
        "required": ["sentences"],
        "additionalProperties": False,
    }


def _numbers(parsed: Mapping[str, Any] | None, most: int) -> list[int]:
    given: object = (parsed or {}).get("sentences")
    if not isinstance(given, list):
        return []
    numbers = [n for n in given if isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= most]
    return list(dict.fromkeys(numbers))[:MOST_QUOTED]


def _quoted(chosen: Sequence[Sentence], answered_by: AnsweredBy) -> Draft:
    lines = quote_answer(chosen)
    for line in lines:
        emit("text", text=line, line=True)
    return Draft(sentences=tuple(lines), answered_by=answered_by, verbatim=True)


def _room(model: BaseChatModel) -> int:
    return (profile_of(model).context_tokens * 2 // 3) * _CHARACTERS_A_TOKEN


def _shown(evidence: Sequence[EvidenceItem], model: BaseChatModel) -> list[EvidenceItem]:
    """The passages for which the model has room, at least one; citing one it did not see fails the check."""
    shown: list[EvidenceItem] = []
    left = _room(model)
    for item in evidence:
        left -= len(passage_block(item.passage, item.n))
        if left < 0 and shown:
            break
        shown.append(item)
    return shown


def _asked(state: ReaderInput, shown: Sequence[EvidenceItem], model: BaseChatModel) -> list[BaseMessage]:
    passages = "\n".join(passage_block(item.passage, item.n) for item in shown)
    conversation = transcript(state["messages"], most_characters=max(_room(model) // 3, 600))
    asked = f"Passages:\n{passages}\n\nConversation:\n{conversation}"
    return [SystemMessage(prompt("read").text), HumanMessage(asked)]
