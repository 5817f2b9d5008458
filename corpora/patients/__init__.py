"""Patient records at rest: what was examined when, what the reports said, and who may read it."""

from .access import OWNER, Bound, Caller, Grant, RunContext, binding, granted, issue, keep_bound
from .history import Comparisons, HistoryQuery, history
from .reading import read_report, report_of
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
from .store import PatientStore
from .writing import write_patients

__all__ = [
    "OWNER",
    "Bound",
    "Box",
    "Caller",
    "Comparisons",
    "Condition",
    "Grant",
    "History",
    "HistoryQuery",
    "HistoryRecord",
    "Image",
    "Patient",
    "PatientStore",
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
    "history",
    "issue",
    "keep_bound",
    "read_report",
    "regions_in",
    "report_of",
    "write_patients",
]
