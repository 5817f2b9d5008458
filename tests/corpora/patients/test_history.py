"""The history query: which studies count as earlier, what of their reports comes back, and how much."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from invented_patients import EFFUSION, store_of
from wardround.corpora.patients import (
    OWNER,
    Comparisons,
    History,
    HistoryQuery,
    PatientStore,
    Region,
    Scope,
    history,
    issue,
)
from wardround.errors import UserError

LEFT = (Region.LEFT_LUNG,)
CHANGED = "FINDINGS: Unchanged left effusion. The heart is large.\n\nIMPRESSION: Stable."


def asked(store: PatientStore, study: str, query: HistoryQuery | None = None) -> History:
    return history(store, issue(store, OWNER, patient="p1", study=study), query or HistoryQuery(limit=50))


def earlier(store: PatientStore, study: str) -> list[str]:
    return [r.study_id for r in asked(store, study).records]


@pytest.mark.parametrize(
    ("other", "current", "is_earlier"),
    [
        ("2180-05-06T10:00:00", "2180-05-06T10:00:01", True),
        ("2180-05-06T10:00:00", "2180-05-06T10:00:00", False),
        ("2180-05-06T10:00:01", "2180-05-06T10:00:00", False),
        ("2180-05-06", "2180-05-06", False),
        ("2180-05-06", "2180-05-06T23:00:00", False),
        ("2180-05-06T00:30:00", "2180-05-06", False),
        ("2180-05-05", "2180-05-06", True),
        ("2180-05", "2180-05-31", False),
        ("2180-04", "2180-05-01", True),
        ("2180", "2181-01-01", True),
        ("2180-05-06T10:00:00+02:00", "2180-05-06T09:00:00+00:00", True),
        ("2180-05-06T10:00:00+00:00", "2180-05-06T11:30:00+02:00", False),
        ("2180-05-06T10:00:00", "2180-05-06T20:00:00+00:00", False),
        ("2180-05-06T10:00:00", "2180-05-07T00:00:01+00:00", True),
    ],
)
def test_only_a_study_that_is_provably_earlier_comes_back(
    tmp_path: Path, other: str, current: str, is_earlier: bool
) -> None:
    store = store_of(tmp_path / "p.sqlite", ("other", "p1", other, EFFUSION), ("now", "p1", current, EFFUSION))
    assert earlier(store, "now") == (["other"] if is_earlier else [])


def test_the_current_study_never_comes_back(tmp_path: Path) -> None:
    store = store_of(tmp_path / "p.sqlite", ("s1", "p1", "2180-05-06T10:00:00", EFFUSION))
    found = asked(store, "s1")
    assert (found.records, found.earlier, found.unclear_order) == ((), 0, 0)
    assert found.empty_because == "no study of this patient is known to be earlier than the current one"


def test_a_study_whose_order_is_unclear_is_counted_and_a_later_one_is_not(tmp_path: Path) -> None:
    store = store_of(
        tmp_path / "p.sqlite",
        ("same-day", "p1", "2180-05-06", EFFUSION),
        ("later", "p1", "2180-05-07", EFFUSION),
        ("now", "p1", "2180-05-06T10:00:00", EFFUSION),
    )
    assert asked(store, "now").unclear_order == 1


def test_a_report_signed_after_the_current_study_began_is_not_shown(tmp_path: Path) -> None:
    signed = {"a": datetime.fromisoformat("2180-05-06T12:00:00"), "b": datetime.fromisoformat("2180-05-05T12:00:00")}
    store = store_of(
        tmp_path / "p.sqlite",
        ("a", "p1", "2180-05-05T09:00:00", EFFUSION),
        ("b", "p1", "2180-05-05T08:00:00", EFFUSION),
        ("now", "p1", "2180-05-06T10:00:00", EFFUSION),
        issued=signed,
    )
    assert earlier(store, "now") == ["b"]


def test_addenda_are_not_shown(tmp_path: Path) -> None:
    text = f"{EFFUSION}\n\nADDENDUM: A nodule was seen on a later film."
    store = store_of(tmp_path / "p.sqlite", ("a", "p1", "2180-05-05", text), ("now", "p1", "2180-05-06", EFFUSION))
    assert "nodule" not in asked(store, "now").records[0].text


def test_records_come_newest_first_with_their_distance_in_days(tmp_path: Path) -> None:
    store = store_of(
        tmp_path / "p.sqlite",
        ("old", "p1", "2180-05-01", EFFUSION),
        ("new", "p1", "2180-05-05T23:59:00", EFFUSION),
        ("today", "p1", "2180-05-06T06:00:00", EFFUSION),
        ("now", "p1", "2180-05-06T10:00:00", EFFUSION),
    )
    assert [(r.study_id, r.days_before, r.date) for r in asked(store, "now").records] == [
        ("today", 0, "2180-05-06"),
        ("new", 1, "2180-05-05"),
        ("old", 5, "2180-05-01"),
    ]


def test_a_date_is_shown_as_precisely_as_it_is_known(tmp_path: Path) -> None:
    store = store_of(
        tmp_path / "p.sqlite",
        ("year", "p1", "2178", EFFUSION),
        ("month", "p1", "2179-05", EFFUSION),
        ("now", "p1", "2180-05-06", EFFUSION),
    )
    assert [r.date for r in asked(store, "now").records] == ["2179-05", "2178"]


@pytest.fixture
def two(tmp_path: Path) -> PatientStore:
    return store_of(
        tmp_path / "p.sqlite",
        ("a", "p1", "2180-05-04", EFFUSION),
        ("b", "p1", "2180-05-05", CHANGED),
        ("now", "p1", "2180-05-06", EFFUSION),
    )


def test_global_is_the_whole_report(two: PatientStore) -> None:
    record = asked(two, "now").records[1]
    assert record.scope is Scope.GLOBAL
    assert record.text == (
        "Indication: Cough.\nFindings: Small left pleural effusion. The right lung is clear. Heart size is normal.\n"
        "Impression: Small left pleural effusion."
    )


def test_regional_is_what_concerns_the_region(two: PatientStore) -> None:
    found = asked(two, "now", HistoryQuery(scope=Scope.REGIONAL, regions=LEFT))
    assert [r.text for r in found.records] == [
        "Findings: Unchanged left effusion.",
        "Findings: Small left pleural effusion.\nImpression: Small left pleural effusion.",
    ]
    assert found.regions == LEFT


def test_both_is_the_regional_and_the_global_record_of_each_study(two: PatientStore) -> None:
    found = asked(two, "now", HistoryQuery(scope=Scope.BOTH, regions=LEFT))
    assert [r.id for r in found.records] == ["b/regional", "b/global", "a/regional", "a/global"]


def test_sentences_that_compare_are_known_as_such_or_left_out(two: PatientStore) -> None:
    marked = asked(two, "now").records[0]
    assert marked.compares
    assert [s.compares for s in marked.sentences] == [True, False, True]
    left_out = asked(two, "now", HistoryQuery(comparisons=Comparisons.LEAVE_OUT))
    assert left_out.records[0].text == "Findings: The heart is large."
    assert left_out.comparing_left_out == 2


def test_the_limit_counts_studies_and_says_that_there_are_more(two: PatientStore) -> None:
    found = asked(two, "now", HistoryQuery(scope=Scope.BOTH, regions=LEFT, limit=1))
    assert [r.id for r in found.records] == ["b/regional", "b/global"]
    assert found.more
    assert not asked(two, "now", HistoryQuery(limit=2)).more


def test_the_budget_keeps_the_newest_and_cuts_after_a_sentence(two: PatientStore) -> None:
    found = asked(two, "now", HistoryQuery(tokens=9))
    assert [r.text for r in found.records] == ["Findings: Unchanged left effusion."]
    assert found.more
    assert sum(len(r.text) for r in asked(two, "now", HistoryQuery(tokens=40)).records) <= 160


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (HistoryQuery(scope=Scope.REGIONAL, regions=(Region.ABDOMEN,)), "no report says anything of: abdomen"),
        (HistoryQuery(tokens=1), "the token budget of 1 is too small"),
    ],
)
def test_an_empty_history_says_why(two: PatientStore, query: HistoryQuery, reason: str) -> None:
    found = asked(two, "now", query)
    assert found.records == ()
    assert reason in (found.empty_because or "")


def test_comparisons_alone_are_said_to_be_all_there_is(tmp_path: Path) -> None:
    store = store_of(
        tmp_path / "p.sqlite", ("a", "p1", "2180-05-05", "Unchanged."), ("now", "p1", "2180-05-06", "Clear.")
    )
    found = asked(store, "now", HistoryQuery(comparisons=Comparisons.LEAVE_OUT))
    assert "hold only sentences that compare" in (found.empty_because or "")


def test_a_study_without_a_report_is_passed_over(tmp_path: Path) -> None:
    store = store_of(tmp_path / "p.sqlite", ("a", "p1", "2180-05-05", " "), ("now", "p1", "2180-05-06", "Clear."))
    assert asked(store, "now").empty_because == "of 1 earlier study, none has a report that was known by then"


def test_a_query_that_makes_no_sense_is_refused(two: PatientStore) -> None:
    for query in (HistoryQuery(scope=Scope.REGIONAL), HistoryQuery(limit=0), HistoryQuery(tokens=0)):
        with pytest.raises(UserError):
            asked(two, "now", query)
