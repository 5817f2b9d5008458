"""OpenTelemetry traces of runs, by its conventions for generative AI: the agent, its nodes, model calls and tools.

Off unless asked for. Without `content` a trace holds names, times and token counts, and nothing that was said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from ..errors import MissingExtra

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

Tracing = Callable[[str, str], BaseCallbackHandler]
"""From a run's id and its agent's name to what writes its trace."""
_NAME: Final = "wardround"


def tracing_to(address: str, *, content: bool = False) -> Tracing:
    """Traces sent by OTLP over gRPC to a collector, such as `http://127.0.0.1:4317`.

    Args:
        address: the collector; plain text for `http`, TLS for `https`.
        content: write prompts, answers and tools' arguments, too. They are patient data.

    Raises:
        MissingExtra: without the packages.
    """
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise MissingExtra("traces need packages: run `pip install 'wardround[serve]'`") from None
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: _NAME}))
    exporter = OTLPSpanExporter(endpoint=address, insecure=address.startswith("http://"))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return tracing(provider, content=content)


def tracing(provider: TracerProvider, *, content: bool = False) -> Tracing:
    """Traces to whatever a provider of OpenTelemetry's sends them to."""
    tracer = provider.get_tracer(_NAME)
    return lambda run, agent: _Spans(tracer, run, agent, content=content)


class _Spans(BaseCallbackHandler):
    """The spans of one run."""

    run_inline = True

    def __init__(self, tracer: Tracer, run: str, agent: str, *, content: bool) -> None:
        self._tracer = tracer
        self._about = {"wardround.run": run, "gen_ai.agent.name": agent}
        self._content = content
        self._spans: dict[UUID, Span] = {}
        """By the run that it is the span of, or the nearest above it."""
        self._own: set[UUID] = set()

    def on_chain_start(
        self,
        serialized: Any,  # noqa: ARG002 - langchain-core passes it by position
        inputs: Any,  # noqa: ARG002
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        if parent_run_id is None:
            name = f"invoke_agent {self._about['gen_ai.agent.name']}"
            self._start(run_id, None, name, {"gen_ai.operation.name": "invoke_agent", **self._about})
        elif any(tag.startswith("graph:step:") for tag in tags or ()):
            node = str((metadata or {}).get("langgraph_node"))
            self._start(run_id, parent_run_id, f"node {node}", {"wardround.node": node})
        elif parent_run_id in self._spans:
            self._spans[run_id] = self._spans[parent_run_id]

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002
        self._end(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error=error)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        about = metadata or {}
        model = str(about.get("ls_model_name") or "model")
        given: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
        if role := about.get("wardround_role"):
            given["wardround.role"] = str(role)
        if self._content:
            said = [{"role": m.type, "content": m.content} for m in messages[0]]
            given["gen_ai.input.messages"] = json.dumps(said, ensure_ascii=False)
        self._start(run_id, parent_run_id, f"chat {model}", given)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        generation = response.generations[0][0] if response.generations and response.generations[0] else None
        message = generation.message if isinstance(generation, ChatGeneration) else None
        given: dict[str, Any] = {}
        if isinstance(message, AIMessage):
            if used := message.usage_metadata:
                given["gen_ai.usage.input_tokens"] = used["input_tokens"]
                given["gen_ai.usage.output_tokens"] = used["output_tokens"]
            if reason := message.response_metadata.get("finish_reason"):
                given["gen_ai.response.finish_reasons"] = [str(reason)]
            if self._content:
                answer = [{"role": "assistant", "content": message.content}]
                given["gen_ai.output.messages"] = json.dumps(answer, ensure_ascii=False)
        self._end(run_id, given)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error=error)

    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **_: Any,
    ) -> None:
        name = str((serialized or {}).get("name"))
        given = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        if self._content:
            given["gen_ai.tool.call.arguments"] = input_str
        self._start(run_id, parent_run_id, f"execute_tool {name}", given)

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002
        self._end(run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error=error)

    def _start(self, run_id: UUID, parent: UUID | None, name: str, about: dict[str, Any]) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context

        above = self._spans.get(parent) if parent is not None else None
        context = set_span_in_context(above) if above is not None else None
        kind = SpanKind.CLIENT if name.startswith("chat ") else SpanKind.INTERNAL
        self._spans[run_id] = self._tracer.start_span(name, context=context, kind=kind, attributes=about)
        self._own.add(run_id)

    def _end(self, run_id: UUID, about: dict[str, Any] | None = None, error: BaseException | None = None) -> None:
        span = self._spans.pop(run_id, None)
        if span is None or run_id not in self._own:
            return
        self._own.discard(run_id)
        span.set_attributes(about or {})
        if error is not None:
            from opentelemetry.trace import StatusCode

            # Its text may hold what was said; the type does not.
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
        span.end()
