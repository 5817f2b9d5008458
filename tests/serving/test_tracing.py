"""Traces, read back from OpenTelemetry's own exporter."""

from __future__ import annotations

from typing import Any

import pytest
from chat_server import fail
from gateway_server import Serve
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from wardround.serving.tracing import tracing

QUESTION: Any = [{"role": "user", "content": "Can I take warfarin together with ibuprofen?"}]


def traced(serve: Serve, *, content: bool = False, fault: bool = False) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    server = serve("consultation", tracing=tracing(provider, content=content))
    if fault:
        server.model_server.always(fail(500, "no"))
    body = {"model": "consultation", "messages": QUESTION}
    server.http.post("/v1/chat/completions", json=body)
    return list(exporter.get_finished_spans())


def test_a_trace_has_agent_nodes_models_and_tools_below_each_other(serve: Serve) -> None:
    spans = traced(serve)
    names = [span.name for span in spans]
    assert names[-1] == "invoke_agent consultation"
    assert {"node distill", "node retrieve", "node read", "chat test-model", "execute_tool search_medicine"} <= {*names}
    by_id = {span.context.span_id: span for span in spans if span.context}
    above = {span.name: by_id[span.parent.span_id].name for span in spans if span.parent}
    assert above["execute_tool search_medicine"] == "node retrieve"
    assert above["node retrieve"] == "invoke_agent consultation"
    chats = [dict(span.attributes or {}) for span in spans if span.name.startswith("chat ")]
    assert all(chat["gen_ai.usage.input_tokens"] == 11 for chat in chats)


@pytest.mark.parametrize("content", [False, True])
def test_what_was_said_is_in_it_only_on_request(serve: Serve, content: bool) -> None:
    text = " ".join(span.to_json() for span in traced(serve, content=content))
    assert ("warfarin" in text.lower()) is content
    assert ("All is well" in text) is content


def test_a_fault_is_told_by_its_type(serve: Serve) -> None:
    root = traced(serve, fault=True)[-1]
    assert dict(root.attributes or {})["error.type"] == "ModelUnavailable"
    assert not root.status.is_ok
