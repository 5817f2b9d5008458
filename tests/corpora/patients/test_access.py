"""A grant is the only key: who gets one, and that nothing else opens anything."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from invented_patients import EFFUSION, store_of
from pydantic import TypeAdapter, ValidationError
from wardround.corpora.patients import (
    OWNER,
    Caller,
    Grant,
    HistoryQuery,
    PatientStore,
    RunContext,
    binding,
    granted,
    history,
    issue,
    keep_bound,
)
from wardround.errors import AccessDenied, UserError


@pytest.fixture
def store(tmp_path: Path) -> PatientStore:
    return store_of(
        tmp_path / "p.sqlite",
        ("a1", "ada", "2180-05-05", EFFUSION),
        ("a2", "ada", "2180-05-06", EFFUSION),
        ("a3", "ada", "2180-05-07", EFFUSION),
        ("b1", "bob", "2180-05-05", EFFUSION),
    )


def test_a_caller_gets_the_patients_they_may_read(store: PatientStore) -> None:
    nurse = Caller("nurse", frozenset({"ada"}))
    assert issue(store, nurse, patient="ada", study="a2").patient == "ada"
    with pytest.raises(AccessDenied):
        issue(store, nurse, patient="bob", study="b1")
    with pytest.raises(AccessDenied):
        issue(store, Caller("nobody"), patient="ada", study="a2")


def test_a_refusal_does_not_tell_whether_the_patient_exists(store: PatientStore) -> None:
    nurse = Caller("nurse", frozenset({"ada", "gone"}))
    texts: set[str] = set()
    for patient in ("bob", "nobody", "gone"):
        with pytest.raises(AccessDenied) as refused:
            issue(store, nurse, patient=patient, study="b1")
        texts.add(str(refused.value).replace(patient, "..."))
    assert len(texts) == 1


@pytest.mark.parametrize("study", ["b1", "../a1", "a1/../a2", "", "none"])
def test_the_current_study_is_one_of_the_patient(store: PatientStore, study: str) -> None:
    with pytest.raises(UserError, match="has no study"):
        issue(store, OWNER, patient="ada", study=study)


def test_a_film_that_is_not_in_the_store_has_a_time(store: PatientStore) -> None:
    grant = issue(store, OWNER, patient="ada", at=datetime.fromisoformat("2180-05-06T12:00:00"))
    assert [r.study_id for r in history(store, grant, HistoryQuery()).records] == ["a1"]
    with pytest.raises(UserError, match="give either"):
        issue(store, OWNER, patient="ada")
    with pytest.raises(UserError, match="give either"):
        issue(store, OWNER, patient="ada", study="a2", at=datetime.fromisoformat("2180-05-06T12:00:00"))


def test_a_grant_cannot_be_made_by_hand_copied_or_written_down(store: PatientStore) -> None:
    about: dict[str, Any] = {"caller": OWNER, "store": store.id, "patient": "bob", "study": None}
    with pytest.raises(AccessDenied, match="cannot be made by hand"):
        Grant(object(), **about, before=9, zoned=False, date=datetime.fromisoformat("2180-05-06").date())
    grant = issue(store, OWNER, patient="ada", study="a2")
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            act(grant)
    with pytest.raises(AttributeError):
        grant.patient = "bob"  # pyright: ignore[reportAttributeAccessIssue]


def test_a_printed_grant_holds_no_id(store: PatientStore) -> None:
    assert "ada" not in repr(RunContext(issue(store, OWNER, patient="ada", study="a2")))


@pytest.mark.parametrize("sent", [{}, {"patient": "bob"}, "bob", 1, {"grant": None}])
def test_what_a_client_sends_is_no_grant(sent: object) -> None:
    with pytest.raises(AccessDenied, match="cannot grant itself"):
        RunContext(grant=sent)  # pyright: ignore[reportArgumentType]
    with pytest.raises((ValidationError, AccessDenied)):
        TypeAdapter(RunContext).validate_python({"grant": sent}).grant.patient  # pyright: ignore  # noqa: B018
    for context in (sent, None, RunContext()):
        with pytest.raises(AccessDenied):
            granted(context)


def test_a_grant_opens_only_the_store_it_was_issued_for(store: PatientStore, tmp_path: Path) -> None:
    other = store_of(tmp_path / "other.sqlite", ("a1", "ada", "2180-05-05", EFFUSION))
    grant = issue(store, OWNER, patient="ada", study="a2")
    with pytest.raises(AccessDenied, match="not for these patient records"):
        history(other, grant, HistoryQuery())


def test_a_conversation_stays_with_its_patient_and_does_not_go_back(store: PatientStore) -> None:
    def bound(patient: str, study: str) -> Any:
        return binding(RunContext(issue(store, OWNER, patient=patient, study=study)))

    first = keep_bound(None, bound("ada", "a2"))
    assert keep_bound(first, bound("ada", "a2")) == first
    assert keep_bound(first, bound("ada", "a3")) == bound("ada", "a3")
    with pytest.raises(AccessDenied, match="another patient"):
        keep_bound(first, bound("bob", "b1"))
    with pytest.raises(AccessDenied, match="came after"):
        keep_bound(first, bound("ada", "a1"))
    assert keep_bound(first, None) == first
