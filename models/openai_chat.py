"""Chat models behind any OpenAI-compatible server: vLLM, llama.cpp, a hosted service."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from typing import Any, Self, cast

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import Field, PrivateAttr, SecretStr, model_validator

from ..errors import ModelReplyError
from ..settings import Settings
from .profile import ModelProfile, declared_profile
from .reasoning import REASONING_KEY, reasoning_field, split_thinking
from .response_cache import ResponseCache
from .retry import Backoff, Tries, server_faults
from .stream import StreamReader
from .transport import CONNECT_S, http_clients
from .wire import checked_choices, is_list_of_dicts, malformed, plain_format

_SDK_FIELDS = frozenset(
    {"model", "messages", "stream", "stream_options", "extra_body", "extra_headers", "extra_query", "timeout"}
)
"""Of a request's fields those that the SDK must see itself; the others go by way of the extra body."""
SEED = 20240426
"""The default seed: together with temperature 0 a server that can repeat itself does."""


class OpenAIChat(BaseChatOpenAI):
    """A LangChain chat model for one model on one server; made by `openai_chat`.

    Beyond the base class: thinking is kept out of the content (`additional_kwargs["reasoning_content"]`, and
    `.content_blocks`), faults of the server are retried here and nowhere else, and what finally fails is one of
    `UserError`, `ModelUnavailable`, `ModelReplyError`. `response_metadata["retries"]` counts further tries.
    """

    declared: ModelProfile
    """What the model can do; `profile_of` reads it."""
    retries: int = Field(default=4, ge=0)
    """Further tries after a fault of the server."""
    backoff: Backoff = Backoff()
    """How long to wait between them."""
    _faults: tuple[type[Exception], ...] = PrivateAttr(default_factory=server_faults)

    @property
    def _llm_type(self) -> str:
        return "wardround-openai"

    @model_validator(mode="after")
    def _forget_the_environment(self) -> Self:
        """The SDK takes an organization and a project from variables meant for OpenAI itself."""
        for client in (self.root_client, self.root_async_client):
            client.organization = client.project = None
        return self

    # -- requests --------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Hook for subclasses whose server has to be started first; comes before every try. May block."""

    async def _aprepare(self) -> None:
        """The same for the event loop."""

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        # By way of the extra body the SDK sends what it is given unchanged. Its own way walks through every message
        # by its type, which takes longer than all else that it does; and where there is a `response_format` it parses
        # the reply and throws away one that a token limit cut off, thinking and all.
        ours = {name: payload.pop(name) for name in [*payload] if name not in _SDK_FIELDS}
        body = {**(payload.get("extra_body") or {}), **ours, "messages": payload["messages"]}
        if "response_format" in body:
            body["response_format"] = plain_format(body["response_format"])
        payload |= {"extra_body": body, "messages": []}
        return payload

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        strict: bool | None = True,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """As in the base class, but strict unless told otherwise: vLLM holds the arguments of a tool call to
        their schema only then."""
        return super().bind_tools(tools, strict=strict, **kwargs)

    def with_structured_output(
        self, schema: Any = None, *, method: Any = "json_schema", **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """As in the base class, but by `response_format` unless told otherwise: that is what vLLM and llama.cpp
        enforce on any model."""
        return super().with_structured_output(schema, method=method, **kwargs)

    def get_num_tokens_from_messages(self, *_: Any, **__: Any) -> int:
        """Not offered: the base class would download a vocabulary. Usage comes with each reply."""
        raise NotImplementedError("tokens are counted by the server: see `usage_metadata` of its reply")

    def get_token_ids(self, text: str) -> list[int]:
        """Not offered, for the same reason."""
        raise NotImplementedError(f"tokens are counted by the server, not here ({len(text)} characters)")

    def offered_models(self) -> list[str]:
        """The ids in the server's `/models`; empty where it does not say. Blocks for a few seconds at most."""
        try:
            page = self.root_client.models.list(timeout=CONNECT_S)
            return [str(model.id) for model in page.data or []]
        except (*self._faults, AttributeError, TypeError):
            return []  # only decorates the message about the real fault, which is raised by the caller

    def _tries(self) -> Tries:
        return Tries(
            address=str(self.openai_api_base),
            name=self.model_name,
            retries=self.retries,
            backoff=self.backoff,
            offered=self.offered_models,
        )

    # -- whole replies ---------------------------------------------------------------------------------------

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        tries = self._tries()
        while True:
            try:
                self._prepare()
                result = super()._generate(messages, stop, run_manager, **kwargs)
                return _finished(result, tries, kwargs)
            except self._faults as error:
                time.sleep(tries.failed(error))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        tries = self._tries()
        while True:
            try:
                await self._aprepare()
                result = await super()._agenerate(messages, stop, run_manager, **kwargs)
                return _finished(result, tries, kwargs)
            except self._faults as error:
                wait = await asyncio.to_thread(tries.failed, error)
            await asyncio.sleep(wait)

    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        body: Any = response.model_dump(warnings=False) if isinstance(response, openai.BaseModel) else response
        choices = checked_choices(body, str(self.openai_api_base))
        result = super()._create_chat_result(body, generation_info)
        for choice, generation in zip(choices, result.generations, strict=True):
            message = cast("AIMessage", generation.message)
            thinking, answer = reasoning_field(choice["message"]), message.content
            if isinstance(answer, str):
                tagged, answer = split_thinking(answer, opened_in_prompt=self.declared.reasoning and not thinking)
                thinking = "\n".join(part for part in (thinking, tagged) if part)
                message.content = answer
            if thinking:
                message.additional_kwargs[REASONING_KEY] = thinking
        # The provider `openai` would select a reading of the content that knows no thinking.
        result.llm_output = {**(result.llm_output or {}), "model_provider": "wardround"}
        return result

    # -- streams ---------------------------------------------------------------------------------------------

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        tries = self._tries()
        while True:
            reader = StreamReader(tries.note)
            try:
                self._prepare()
                # Callbacks are told here and not in the base class, which would show them unsplit text.
                with closing(
                    cast("Generator[ChatGenerationChunk]", super()._stream(messages, stop, **kwargs))
                ) as stream:
                    for raw in stream:
                        for chunk in reader.read(raw):
                            if run_manager is not None:
                                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                            yield chunk
                reader.check_ended(str(self.openai_api_base))
                return
            except self._faults as error:
                if reader.passed_on:
                    raise tries.broke_off(error, reader.passed_on) from error
                wait = tries.failed(error)
            time.sleep(wait)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        tries = self._tries()
        while True:
            reader = StreamReader(tries.note)
            try:
                await self._aprepare()
                # Closed at once when the caller goes away, so that the server stops generating.
                async with aclosing(
                    cast("AsyncGenerator[ChatGenerationChunk]", super()._astream(messages, stop, **kwargs))
                ) as stream:
                    async for raw in stream:
                        for chunk in reader.read(raw):
                            if run_manager is not None:
                                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                            yield chunk
                reader.check_ended(str(self.openai_api_base))
                return
            except self._faults as error:
                if reader.passed_on:
                    raise tries.broke_off(error, reader.passed_on) from error
                wait = await asyncio.to_thread(tries.failed, error)
            await asyncio.sleep(wait)

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        choices: Any = chunk.get("choices")
        if not is_list_of_dicts(choices) or any(malformed(choice.get("delta"), chunk) for choice in choices):
            raise ModelReplyError(f"model server `{self.openai_api_base}` streams something else than a reply")
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        if made is not None and choices:
            if thinking := reasoning_field(choices[0]["delta"]):
                made.message.additional_kwargs[REASONING_KEY] = thinking
            made.message.response_metadata["model_provider"] = "wardround"
        return made


def openai_chat(
    name: str,
    address: str,
    *,
    settings: Settings,
    profile: ModelProfile | None = None,
    backoff: Backoff | None = None,
    **params: Any,
) -> OpenAIChat:
    """The chat model `name` on the OpenAI-compatible server at `address` (with `/v1`).

    `profile` defaults to what the name stands for. `params` go into every request (`temperature`, `max_tokens`,
    `seed`, `stop`, `extra_body`, ...); unless given: temperature 0, a fixed seed, and at most a quarter of the
    context (8192 tokens at most) for a reply. A `response_cache` answers requests that were made before. Nothing of
    the environment is used but `settings`.
    """
    return OpenAIChat(**chat_arguments(name, address, settings=settings, profile=profile, backoff=backoff, **params))


def chat_arguments(
    name: str,
    address: str,
    *,
    settings: Settings,
    profile: ModelProfile | None = None,
    backoff: Backoff | None = None,
    response_cache: ResponseCache | None = None,
    identity: str | None = None,
    **params: Any,
) -> dict[str, Any]:
    """The constructor's arguments for `openai_chat`; `identity` as in `http_clients`."""
    declared = profile or declared_profile(name)
    clients = http_clients(address, timeout_s=settings.timeout_s, cache=response_cache, identity=identity)
    fixed: dict[str, Any] = {
        "model": name,
        "declared": declared,
        "base_url": address,
        # The SDK insists on a key, and would look for one in OPENAI_API_KEY, which is not meant for this server.
        "api_key": settings.api_key or SecretStr("none"),
        "http_client": clients.blocking,
        "http_async_client": clients.awaiting,
        "timeout": clients.timeout,
        "openai_proxy": None,
        "max_retries": 0,  # the SDK's own; ours are in `retries`
        "retries": settings.retries,
        "backoff": backoff or Backoff(),
        "stream_usage": True,
        "stream_chunk_timeout": None,  # a server that still sends keep-alives while it reads the prompt is alive
        "use_responses_api": False,
        "output_version": "v0",
    }
    chosen = {"temperature": 0.0, "seed": SEED, "max_tokens": reply_tokens(declared)} | params
    return fixed | chosen


def reply_tokens(profile: ModelProfile) -> int:
    """The default limit on a reply: without one a weak model may ramble until its context is full."""
    return min(8192, profile.context_tokens // 4)


def _finished(result: ChatResult, tries: Tries, kwargs: Mapping[str, Any]) -> ChatResult:
    """`result` with the record of its tries, and parsed where langchain's structured output will look for it."""
    for generation in result.generations:
        generation.message.response_metadata.update(tries.note())
        if isinstance(kwargs.get("response_format"), type):
            with suppress(json.JSONDecodeError):  # the parser that reads it names the fault with the reply
                generation.message.additional_kwargs["parsed"] = json.loads(generation.text)
    return result
