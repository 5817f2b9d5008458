"""Times that are known to the second, the day, the month or the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.corpora.patients.moments import clock_difference, parse_moment, span


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2180", "2180-01-01T00:00:00", "2180-12-31T23:59:59.999999"),
        ("2180-02", "2180-02-01T00:00:00", "2180-02-29T23:59:59.999999"),
        ("2180-05-06", "2180-05-06T00:00:00", "2180-05-06T23:59:59.999999"),
        ("2180-05-06T10:15", "2180-05-06T10:15:00", "2180-05-06T10:15:59.999999"),
        ("2180-05-06T10:15:00", "2180-05-06T10:15:00", None),
        ("2180-05-06T10:15:00.250", "2180-05-06T10:15:00.250000", None),
        ("2180-05-06T10:15:00+02:00", "2180-05-06T10:15:00+02:00", None),
    ],
)
def test_a_time_is_as_precise_as_it_is_written(text: str, first: str, last: str | None) -> None:
    found = parse_moment(text)
    assert [t and t.isoformat() for t in found] == [
        datetime.fromisoformat(first).isoformat(),
        last and datetime.fromisoformat(last).isoformat(),
    ]


@pytest.mark.parametrize("text", ["", "yesterday", "2180-13", "2180-02-30", "20", "2180-05-06T25:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text)


@given(st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2300-01-01")))
def test_an_exact_time_comes_back_from_its_text(time: datetime) -> None:
    assert parse_moment(time.isoformat()) == (time, None) or time.second == time.microsecond == 0


@given(st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2300-01-01")), st.integers(-14, 14))
def test_a_time_with_a_zone_is_counted_in_utc(time: datetime, hours: int) -> None:
    local = time.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert span(local, None) == (*span(local.astimezone(UTC), None)[:2], True)


def test_times_of_which_one_has_no_zone_may_be_14_hours_apart() -> None:
    assert clock_difference(True, True) == clock_difference(False, False) == 0
    assert clock_difference(True, False) == 14 * 3600 * 1_000_000
