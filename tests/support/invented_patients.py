"""Invented patients for tests: studies with reports, in a store."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from wardround.corpora.patients import PatientStore, Study
from wardround.corpora.patients.writing import StoreWriter, Written

EFFUSION = (
    "INDICATION: Cough.\n\nFINDINGS: Small left pleural effusion. The right lung is clear. Heart size is normal.\n\n"
    "IMPRESSION: Small left pleural effusion."
)


def study(name: str, patient: str, time: str) -> Study:
    """A study without films; `time` is as precise as it is written."""
    return Study.model_validate({"id": name, "patient_id": patient, "time": time, "source": "jsonl"})


def store_of(
    path: Path, *studies: tuple[str, str, str, str], issued: dict[str, datetime] | None = None
) -> PatientStore:
    """A store of (study, patient, time, report)."""
    with StoreWriter(path, source="jsonl", folder=path.parent) as writer:
        for name, patient, time, text in studies:
            writer.add_study(study(name, patient, time), Written(text, issued=(issued or {}).get(name)))
    return PatientStore(path)
