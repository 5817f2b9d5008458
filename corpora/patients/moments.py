"""Times that are known to the second, the day, the month or the year, and which of two is provably the earlier one."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta

_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_CLOCKS_DIFFER = timedelta(hours=14)  # the most that local time differs from UTC


def parse_moment(text: str) -> tuple[datetime, datetime | None]:
    """The first and the last moment that an ISO 8601 or FHIR time may mean; the last is None where it is exact.

    `2180`, `2180-05` and `2180-05-06` are periods; a time without seconds is the whole minute.

    Raises:
        ValueError: no such time.
    """
    text = text.strip()
    if partial := _PARTIAL.fullmatch(text):
        year, month, day = (int(g) if g else None for g in partial.groups())
        assert year is not None  # noqa: S101 - the pattern has it
        first = datetime(year, month or 1, day or 1)  # noqa: DTZ001 - the source gives local dates
        last_month = month or 12
        last = datetime(year, last_month, day or monthrange(year, last_month)[1], 23, 59, 59, 999_999)  # noqa: DTZ001
        return first, last
    time = datetime.fromisoformat(text)
    if re.fullmatch(r"[^T ]+[T ]\d\d:?\d\d(?:Z|[+-]\d\d:?\d\d)?", text):
        return time, time + timedelta(seconds=59, microseconds=999_999)
    return time, None


def span(time: datetime, until: datetime | None) -> tuple[int, int, bool]:
    """The first and last moment in microseconds since 1970 (in UTC where a zone is known), and whether one is."""
    return _microseconds(time), _microseconds(until or time), time.tzinfo is not None


def clock_difference(zoned: bool, other_zoned: bool) -> int:
    """By how many microseconds two times may seem later or earlier than they are because one of them has no zone."""
    return 0 if zoned == other_zoned else _CLOCKS_DIFFER // timedelta(microseconds=1)


def _microseconds(time: datetime) -> int:
    epoch = datetime(1970, 1, 1, tzinfo=time.tzinfo)
    if time.tzinfo is not None:
        from datetime import UTC

        epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (time - epoch) // timedelta(microseconds=1)
