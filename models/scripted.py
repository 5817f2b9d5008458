"""A chat model that answers from a file: the same every time, without a server. For tests, yours and ours.

The file's form is described in `wardround.models.script`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr, ValidationError

from ..errors import ModelReplyError, ModelUnavailable, UserError
from .profile import ModelProfile
from .reasoning import REASONING_KEY
from .script import Script, ScriptedRule

ROLE_KEY = "wardround_role"
"""The key in a call's `config["metadata"]` under which a node names its role."""


class ScriptedChat(BaseChatModel):
    """The chat model; made by `scripted_chat`, or from a `Script` of your own."""

    script: Script
    declared: ModelProfile = ModelProfile(
        name="scripted", tools=True, json_schema=True, context_tokens=32768, strength="strong"
    )
    model_name: str = "scripted"
    _used: dict[int, int] = PrivateAttr(default_factory=dict)
    _calls: int = PrivateAttr(default=0)
    _lock: Any = PrivateAttr(default_factory=Lock)

    @property
    def _llm_type(self) -> str:
        return "wardround-scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Takes tools as any model does; which of them is called, the script says."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    # langchain-core hands the run's metadata to `_generate` but not to `_stream`, so the role is taken from the
    # config here, where every call comes through, and travels as an argument.

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """As for every chat model."""
        return super().invoke(input, config, **_with_role(kwargs, config))

    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """As for every chat model."""
        return await super().ainvoke(input, config, **_with_role(kwargs, config))

    def stream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[AIMessageChunk]:
        """As for every chat model; word by word."""
        yield from super().stream(input, config, **_with_role(kwargs, config))

    async def astream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[AIMessageChunk]:
        """As for every chat model; word by word."""
        async for chunk in super().astream(input, config, **_with_role(kwargs, config)):
            yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 -- scripts end where they end
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        rule, number = self._choose(messages, kwargs.get(ROLE_KEY))
        time.sleep(rule.delay_s)
        return ChatResult(generations=[ChatGeneration(message=_message(rule, number, messages))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        rule, number = self._choose(messages, kwargs.get(ROLE_KEY))
        await asyncio.sleep(rule.delay_s)
        return ChatResult(generations=[ChatGeneration(message=_message(rule, number, messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        rule, number = self._choose(messages, kwargs.get(ROLE_KEY))
        time.sleep(rule.delay_s)
        for chunk in _chunks(_message(rule, number, messages)):
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        rule, number = self._choose(messages, kwargs.get(ROLE_KEY))
        await asyncio.sleep(rule.delay_s)
        for chunk in _chunks(_message(rule, number, messages)):
            if run_manager is not None:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _choose(self, messages: list[BaseMessage], role: str | None) -> tuple[ScriptedRule, int]:
        """The rule that answers, now used once more, and the number of the call."""
        prompt = render(messages)
        last = str(messages[-1].text) if messages else ""
        with self._lock:
            for index, rule in enumerate(self.script.rules):
                used = self._used.get(index, 0)
                if (rule.times is None or used < rule.times) and rule.matches(prompt, last, role):
                    self._used[index] = used + 1
                    self._calls += 1
                    return rule, self._calls
        shown = last if len(last) <= 200 else last[:199] + "…"
        raise UserError(
            f"no rule of the script answers role `{role or '-'}` with last message `{' '.join(shown.split())}`: "
            'add one, or {"otherwise": {"content": "..."}} at the end'
        )


def scripted_chat(path: Path, *, profile: ModelProfile | None = None) -> ScriptedChat:
    """The model that answers from the script in `path`. Raises `UserError` where the file is wrong."""
    try:
        script = Script.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"script file `{path}` cannot be read ({error.strerror}): give `scripted:FILE` an existing file"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(
            f"script file `{path}`: {where}: {first['msg']}; see `wardround.models.script` for the format"
        ) from error
    chat = ScriptedChat(script=script)
    declared = profile or chat.declared.model_copy(update=script.profile.set_fields())
    return chat.model_copy(update={"declared": declared})


def render(messages: Sequence[BaseMessage]) -> str:
    """The prompt as `when` sees it."""
    return "\n".join(f"{message.type}: {message.text}" for message in messages)


def _with_role(kwargs: dict[str, Any], config: RunnableConfig | None) -> dict[str, Any]:
    metadata = ensure_config(config).get("metadata") or {}
    return {**kwargs, ROLE_KEY: metadata.get(ROLE_KEY)}


def _message(rule: ScriptedRule, number: int, messages: Sequence[BaseMessage]) -> AIMessage:
    if rule.error == "unavailable":
        raise ModelUnavailable("the script says that the model server does not answer: change the script's `error`")
    if rule.reply is None:
        raise ModelReplyError("the script says that the model server answers garbage: change the script's `error`")
    reply, text = rule.reply, rule.reply.text()
    calls = [
        {"name": call.name, "args": call.args, "id": f"call_{number}_{index}", "type": "tool_call"}
        for index, call in enumerate(reply.tool_calls)
    ]
    written = len((text + " " + reply.reasoning + " " + " ".join(call.name for call in reply.tool_calls)).split())
    asked = len(render(messages).split())
    return AIMessage(
        content=text,
        tool_calls=calls,
        additional_kwargs={REASONING_KEY: reply.reasoning} if reply.reasoning else {},
        response_metadata={
            "model_name": "scripted",
            "model_provider": "wardround",
            "finish_reason": "tool_calls" if calls else "stop",
            "retries": 0,
        },
        # Words instead of tokens: no vocabulary is needed, and they are the same every time.
        usage_metadata=UsageMetadata(input_tokens=asked, output_tokens=written, total_tokens=asked + written),
    )


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    """`message` as a server would stream it: thinking, then words, then tool calls, then the end with usage."""
    for word in re.findall(r"\S+\s*|\s+", message.additional_kwargs.get(REASONING_KEY, "")):
        yield ChatGenerationChunk(message=AIMessageChunk(content="", additional_kwargs={REASONING_KEY: word}))
    for word in re.findall(r"\S+\s*|\s+", str(message.content)):
        yield ChatGenerationChunk(message=AIMessageChunk(content=word))
    for index, call in enumerate(message.tool_calls):
        arguments = json.dumps(call["args"], ensure_ascii=False)
        piece = tool_call_chunk(name=call["name"], args=arguments, id=call["id"], index=index)
        yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[piece]))
    last = AIMessageChunk(
        content="", response_metadata=message.response_metadata, usage_metadata=message.usage_metadata
    )
    yield ChatGenerationChunk(message=last)
