"""The tool `patient_history`: a thin LangChain tool over patient records.

A model names a region, a scope and a number. Which patient, and before which study, comes from the run context alone
(`corpora.patients.access`): there is no argument for it, and what a model writes into the others is never taken for an
id.
"""

from __future__ import annotations

from html import escape
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool
from langgraph.prebuilt import ToolRuntime
from pydantic import BaseModel, ConfigDict, Field

from ..corpora.patients.access import RunContext, granted
from ..corpora.patients.history import Comparisons, HistoryQuery, history
from ..corpora.patients.records import History, HistoryRecord, Scope, Sentence
from ..corpora.patients.region_words import asked_regions
from ..corpora.patients.regions import Region
from ..corpora.patients.store import PatientStore

_NAMES = ", ".join(r.value for r in Region)
_MOST = 20


class PatientHistoryCall(BaseModel):
    """What a model may ask for."""

    model_config = ConfigDict(extra="forbid")

    region: str | None = Field(
        default=None, max_length=200, description=f"The region asked about, in words or as one of: {_NAMES}."
    )
    scope: Scope = Field(
        default=Scope.GLOBAL,
        description="global: whole reports; regional: only what concerns the region; both.",
    )
    limit: int = Field(default=3, ge=1, le=_MOST, description="How many earlier studies at most, newest first.")


class _Injected(PatientHistoryCall):
    """With what LangGraph adds; a model is shown neither its name nor its type."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    runtime: ToolRuntime[RunContext, Any]


def patient_history(
    store: PatientStore, *, tokens: int = 1500, comparisons: Comparisons = Comparisons.MARK
) -> BaseTool:
    """The tool over `store`, for a graph whose `context_schema` is `RunContext`.

    Its content for a model is the records in delimited blocks, or a sentence that says why there are none; its artifact
    is the `History`. In a run without a grant it raises `AccessDenied`, which ends the run.
    """

    def fetch(
        runtime: ToolRuntime[RunContext, Any],
        region: str | None = None,
        scope: Scope = Scope.GLOBAL,
        limit: int = 3,
    ) -> tuple[str, History]:
        grant = granted(runtime.context)
        regions = asked_regions(region) if region else ()
        if scope is not Scope.GLOBAL and not regions:
            reason = f"Name a region, or take the scope global. Regions: {_NAMES}."
            return reason, History(empty_because="no region was named that is known")
        query = HistoryQuery(scope=scope, regions=regions, limit=limit, tokens=tokens, comparisons=comparisons)
        found = history(store, grant, query)
        return history_text(found, comparisons=comparisons), found

    return StructuredTool.from_function(
        fetch,
        name="patient_history",
        description="What earlier reports of this patient say: of one region of the chest, or whole reports. "
        "Nothing of the current examination or of a later one.",
        args_schema=_Injected,
        response_format="content_and_artifact",
    )


def history_text(found: History, *, comparisons: Comparisons = Comparisons.MARK) -> str:
    """A history as data for a model: one delimited, escaped block a record, numbered from 1, or why there is none."""
    if not found.records:
        return f"No earlier record: {found.empty_because}."
    blocks = [record_block(r, n, mark=comparisons is Comparisons.MARK) for n, r in enumerate(found.records, start=1)]
    if found.more:
        blocks.append("There are further earlier records; they are left out.")
    return "\n".join(blocks)


def record_block(record: HistoryRecord, n: int, *, mark: bool = True) -> str:
    """A record as data for a model; with `mark`, sentences about a still earlier film stand in `<compares>`."""
    ago = "earlier the same day" if record.days_before == 0 else f"{record.days_before} days before"
    return (
        f'<record n="{n}" date="{record.date}" age="{ago}" scope="{record.scope.value}">\n'
        f"{_marked(record.sentences) if mark else escape(record.text, quote=False)}\n</record>"
    )


def _marked(sentences: tuple[Sentence, ...]) -> str:
    lines: list[str] = []
    last = None
    for sentence in sentences:
        flat = escape(" ".join(sentence.text.split()), quote=False)
        shown = f"<compares>{flat}</compares>" if sentence.compares else flat
        if sentence.section is last:
            lines[-1] += f" {shown}"
        else:
            lines.append(f"{sentence.section.value.capitalize()}: {shown}")
        last = sentence.section
    return "\n".join(lines)
