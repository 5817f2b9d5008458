"""The OpenAPI description says what is served: Schemathesis makes requests of it and checks the replies against it."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_server import Serve
from hypothesis import HealthCheck, given, settings


def test_no_request_breaks_the_description(serve: Serve) -> None:
    schemathesis: Any = pytest.importorskip("schemathesis")
    server = serve("by_rules")
    schema = schemathesis.openapi.from_url(f"{server.address}/openapi.json")
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    slow: Any = list(HealthCheck)
    often = settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=slow)
    asked: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @often
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            # That a conversation ends with a question, no schema says; so one may be refused.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        check()
        asked.append(f"{operation.method.upper()} {operation.path}")
    assert "POST /v1/chat/completions" in asked
    assert len(asked) >= 8
