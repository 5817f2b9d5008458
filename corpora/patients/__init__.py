"""Patient records at rest: what was examined when, what the reports said, and who may read it."""

from .access import OWNER, Bound, Caller, Grant, RunContext, binding, granted, issue, keep_bound
from .records import (
    Box,
    Condition,
    History,
    HistoryRecord,
    Image,
    Patient,
    Report,
    Scope,
    Section,
    SectionName,
    Sentence,
    Study,
)
from .region_words import asked_regions, regions_in
from .regions import Region

__all__ = [
    "OWNER",
    "Bound",
    "Box",
    "Caller",
    "Condition",
    "Grant",
    "History",
    "HistoryRecord",
    "Image",
    "Patient",
    "Region",
    "Report",
    "RunContext",
    "Scope",
    "Section",
    "SectionName",
    "Sentence",
    "Study",
    "asked_regions",
    "binding",
    "granted",
    "issue",
    "keep_bound",
    "regions_in",
]
