"""A small synthetic cohort in a store, and the questions about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wardround.corpora.cohort import Cohort, Question, cohort_patients, make_cohort
from wardround.corpora.patients import OWNER, PatientStore, RunContext, issue, write_patients

SEED = 7


class Kept(NamedTuple):
    """The cohort and its store."""

    cohort: Cohort
    store: PatientStore

    @property
    def questions(self) -> tuple[Question, ...]:
        """Of train and test patients."""
        return self.cohort.train + self.cohort.test

    def context(self, question: Question) -> RunContext:
        """For the patient and the current film of a question."""
        patient, study = ids_of(question)
        return RunContext(issue(self.store, OWNER, patient=patient, study=study))

    def later(self, question: Question) -> list[str]:
        """Every sentence that only the current or a later report of the patient, or another patient's, holds."""
        patient, study = ids_of(question)
        earlier: set[str] = set()
        other: set[str] = set()
        for one in self.cohort.patients:
            seen = one.who.id == patient
            for film, report in zip(one.who.films, one.reports, strict=True):
                seen = seen and film.study != study
                (earlier if seen else other).update(s.text for s in (*report.findings, *report.impression))
        return sorted(other - earlier)


def ids_of(question: Question) -> tuple[str, str]:
    """Patient and current study of a question, by the path of its film."""
    parts = question.cur_image_path.split("/")
    return parts[2][1:], parts[3][1:]


def kept(folder: Path, patients: int = 20) -> Kept:
    """A cohort of so many patients in a store in `folder`."""
    cohort = make_cohort(patients, SEED)
    path = folder / "patients.sqlite"
    write_patients(path, list(cohort_patients(cohort)), source="synthetic", folder=folder)
    return Kept(cohort, PatientStore(path))
