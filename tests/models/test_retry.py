from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.models.retry import Backoff, retry_after_s


@given(st.integers(1, 10_000))
def test_waits_grow_but_never_beyond_the_longest(tries: int) -> None:
    backoff = Backoff(first_s=0.5, longest_s=30)
    upper = min(30.0, 0.5 * 2.0 ** min(tries - 1, 30))
    assert upper / 2 <= backoff.wait_s(tries) <= upper


@pytest.mark.parametrize(("header", "seconds"), [(None, None), ("", None), ("2", 2.0), ("-1", 0.0), ("soon", None)])
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds


def test_retry_after_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    waited = retry_after_s(later)
    assert waited is not None
    assert 55 < waited <= 60


@pytest.mark.parametrize("header", ["nan", "inf", "-inf"])
def test_retry_after_that_is_no_time_is_ignored(header: str) -> None:
    assert retry_after_s(header) is None
