"""The retrieving nodes: from calls, or from raw text, to numbered evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypedDict

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool

from ..agents.checking import EvidenceItem
from ..agents.dialogue import transcript
from ..agents.labels import LabelFlag, conflicting, injection, superseded
from ..agents.node import Node, node
from ..agents.rules import last_question
from ..agents.streaming import emit
from ..agents.turn import Call, Flag, MedicineSearch
from ..corpora.medicines import Hit, Medicine, SourceRef
from ..corpora.words import has_chinese
from ..tools.search_medicine import search_medicine

MOST_PASSAGES: Final = 10


class RetrieverInput(TypedDict):
    """State the nodes read."""

    messages: Sequence[AnyMessage]
    calls: Sequence[Call]


class RetrieverOutput(TypedDict):
    """State the nodes write."""

    calls: list[Call]
    evidence: list[EvidenceItem]
    flags: list[Flag]


def retriever(medicines: MedicineSearch, *, k: int = 3) -> Node[RetrieverInput, RetrieverOutput]:
    """A node that carries out the calls, `k` passages each, at most ten together.

    The calls come back with their number of hits. A call that finds nothing, or nothing on its attribute, is flagged.
    """
    tool = search_medicine(medicines, k=k)

    async def retrieve(state: RetrieverInput, config: RunnableConfig) -> RetrieverOutput:
        calls, found, flags = [], list[list[Hit]](), list[Flag]()
        chinese = has_chinese(last_question(state["messages"]))
        for call in state["calls"]:
            emit("tool_start", tool=tool.name, arguments=call.search.model_dump(mode="json"))
            hits = await _run(tool, call, config)
            emit("tool_end", tool=tool.name, hits=len(hits))
            calls.append(call.model_copy(update={"hits": len(hits)}))
            found.append(hits)
            flags.extend(_shortfall(call, hits, chinese=chinese))
        for flag in dict.fromkeys(flags):
            emit("text", text=flag.text, lasting=True)
        evidence = _numbered(found)
        _show(evidence)
        return {"calls": calls, "evidence": evidence, "flags": [*flags, *_label_flags(evidence, medicines)]}

    return node(retrieve, "retrieve")


async def _run(tool: BaseTool, call: Call, config: RunnableConfig) -> list[Hit]:
    request = {"type": "tool_call", "id": "search", "name": tool.name, "args": call.search.model_dump(mode="json")}
    message = await tool.ainvoke(request, config)
    return list(message.artifact)


def raw_retriever(
    medicines: MedicineSearch, *, query: Literal["dialogue", "last_turn"], k: int = 6
) -> Node[RetrieverInput, RetrieverOutput]:
    """A node that searches with the conversation itself: the usual order that distilling is compared with.

    `dialogue` takes all turns, `last_turn` the last one; the search is the same two-level one.
    """
    text_of: Callable[[Sequence[AnyMessage]], str] = (
        last_question if query == "last_turn" else lambda m: transcript(m, most_characters=20_000)
    )

    async def retrieve(state: RetrieverInput, _config: RunnableConfig) -> RetrieverOutput:
        hits = medicines.search(text_of(state["messages"]), k)
        evidence = _numbered([hits])
        _show(evidence)
        return {"calls": [], "evidence": evidence, "flags": _label_flags(evidence, medicines)}

    return node(retrieve, "retrieve")


def _numbered(found: Sequence[Sequence[Hit]]) -> list[EvidenceItem]:
    """The best hit of every call, then the second of every call ..., each passage once."""
    longest = max((len(hits) for hits in found), default=0)
    order = [hits[place].passage for place in range(longest) for hits in found if place < len(hits)]
    unique = list({p.id: p for p in order}.values())[:MOST_PASSAGES]
    return [EvidenceItem(n=n, passage=p) for n, p in enumerate(unique, start=1)]


def _show(evidence: Sequence[EvidenceItem]) -> None:
    for item in evidence:
        passage = item.passage
        emit(
            "source",
            n=item.n,
            id=passage.id,
            title=f"{passage.medicine}, {passage.attribute.label}",
            text=passage.text,
            source=f"{passage.source.name} {passage.source.id}",
            date=passage.source.date,
            url=_address(passage.source),
        )


def _address(source: SourceRef) -> str | None:
    """Where people find a source; known for the label's `set_id` of openFDA and of the shipped corpus."""
    if source.name not in ("openfda", "essential"):
        return None
    return f"https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid={source.id}"


def _shortfall(call: Call, hits: Sequence[Hit], *, chinese: bool) -> list[Flag]:
    if call.medicine and not hits:
        text = f"药品数据库中没有“{call.medicine}”。" if chinese else f"The medicine database has no “{call.medicine}”."
        return [Flag(kind="medicine_not_found", text=text)]
    if call.medicine and call.attribute and all(h.passage.attribute is not call.attribute for h in hits):
        text = (
            f"药品数据库中没有“{call.medicine}”的“{call.attribute.label_zh}”内容。"
            if chinese
            else f"The medicine database has no text on “{call.attribute.label}” for “{call.medicine}”."
        )
        return [Flag(kind="attribute_missing", text=text)]
    return []


def _label_flags(evidence: Sequence[EvidenceItem], medicines: MedicineSearch) -> list[Flag]:
    about: dict[str, Medicine] = {}
    for item in evidence:
        if (record := medicines.medicine(item.passage.medicine_id)) is not None:
            about[record.id] = record
    found: list[LabelFlag] = [*superseded(evidence, about), *conflicting(evidence, about), *injection(evidence)]
    return [Flag(kind=f.kind, text=f.explanation) for f in found]
