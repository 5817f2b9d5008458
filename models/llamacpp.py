"""The embedded engine: llama.cpp's OpenAI-compatible server inside this process, on a loopback port."""

from __future__ import annotations

import asyncio
import atexit
import os
import secrets
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakMethod

from langchain_core.language_models import LanguageModelInput
from pydantic import Field

from ..errors import MissingExtra, UserError
from ..settings import Settings
from .openai_chat import OpenAIChat, chat_arguments
from .profile import ModelProfile
from .retry import Backoff

QUEUE_S = 3600.0
"""Seconds that a call may wait for its turn; llama.cpp's own limit."""


class Endpoint(NamedTuple):
    """Where a running engine listens."""

    address: str
    """With `/v1`."""
    key: str
    """The key it asks for; random, so that no other program of this machine can use the engine."""


class Engine:
    """One model in memory, started at the first use, shared by all who hold this object.

    Any number of threads and event loops may call it; it works through their requests one after the other and
    keeps the prompts it has seen, so that a prompt with a known beginning is only read from there on.
    """

    def __init__(
        self,
        model: Path,
        *,
        name: str,
        context_tokens: int = 4096,
        threads: int | None = None,
        lora: Path | None = None,
        adapters: Mapping[str, Path] | None = None,
    ) -> None:
        """`model`: a GGUF file. `name`: what the server calls it. `threads`: see `default_threads`. `lora`: an
        adapter in GGUF form, applied in full to every request. `adapters`: such files by name, applied to requests for
        that name only."""
        self._model, self._name, self._lora = model, name, lora
        self._adapters = dict(adapters or {})
        self._context, self._threads = context_tokens, threads or default_threads()
        self._lock = Lock()
        self._server: Any = None
        self._endpoint: Endpoint | None = None

    @property
    def identity(self) -> str:
        """The files it answers from, for a response cache: path, size and time of change of model and adapter."""
        stats = [(file, file.stat()) for file in self._files() if file.exists()]
        return " ".join(f"{file}:{stat.st_size}:{stat.st_mtime_ns}" for file, stat in stats)

    def _files(self) -> list[Path]:
        return [self._model, *([self._lora] if self._lora is not None else []), *self._adapters.values()]

    def scales(self, name: str) -> list[dict[str, float]] | None:
        """What llama.cpp is told of its adapters for a request to the model or adapter `name`; None without any."""
        if not self._adapters:
            return None
        whole = [{"id": 0, "scale": 1.0}] if self._lora is not None else []
        return whole + [
            {"id": place, "scale": float(adapter == name)}
            for place, adapter in enumerate(self._adapters, start=len(whole))
        ]

    def start(self) -> Endpoint:
        """Loads the model unless it is loaded, and says where it listens. Blocks for about a second.

        Raises `MissingExtra` without xllamacpp, `UserError` where a file is missing or is no model.
        """
        with self._lock:
            if self._endpoint is None:
                self._server = self._serve(key := secrets.token_urlsafe(24))
                self._endpoint = Endpoint(self._server.listening_address + "/v1", key)
                # A server thread that outlives the interpreter crashes it. The weak reference lets an engine that
                # nobody holds any more go before that.
                atexit.register(_stop, WeakMethod(self.stop))
            return self._endpoint

    def stop(self) -> None:
        """Frees the model; `start` loads it again."""
        with self._lock:
            self._server = self._endpoint = None

    def _serve(self, key: str) -> Any:
        try:
            xllamacpp: Any = import_module("xllamacpp")  # compiled, without types
        except ImportError as error:
            raise MissingExtra(
                "the model `local` needs the package `xllamacpp`: run `pip install 'wardround[local]'`"
            ) from error
        for file in self._files():
            if not file.is_file():
                raise UserError(f"model file `{file}` does not exist: run `wardround models pull smollm2`")
        params: Any = xllamacpp.CommonParams()
        params.model.path = str(self._model)
        params.model_alias = {self._name}
        params.n_ctx = self._context
        params.n_parallel = 1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        params.use_jinja = True
        params.cache_prompt = True
        params.warmup = False
        params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
        params.ui = params.endpoint_slots = False
        params.offline = True
        params.verbosity = -1  # it writes to the process's own stdout and stderr
        loras = [(self._lora, 1.0)] if self._lora is not None else []
        loras += [(file, 0.0) for file in self._adapters.values()]
        if loras:
            params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(file), scale) for file, scale in loras]
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            beside = "".join(f" with `{file}`" for file, _ in loras)
            raise UserError(
                f"llama.cpp cannot load `{self._model}`{beside} ({error}): "
                "is it a whole GGUF file that fits into memory?"
            ) from error


class LlamaCppChat(OpenAIChat):
    """The chat model on an embedded engine; made by `llamacpp_chat`."""

    engine: Any = Field(exclude=True)
    """The `Engine`."""

    def _prepare(self) -> None:
        endpoint = self.engine.start()
        for client in (self.root_client, self.root_async_client):
            client.base_url, client.api_key = endpoint.address, endpoint.key
        self.openai_api_base = endpoint.address

    async def _aprepare(self) -> None:
        await asyncio.to_thread(self._prepare)

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        scales = self.engine.scales(payload["model"])
        if scales is not None:
            payload["extra_body"]["lora"] = scales
            payload["model"] = self.model_name
        return payload


@lru_cache(maxsize=4)
def shared_engine(
    model: Path, name: str, context_tokens: int, lora: Path | None, adapters: tuple[tuple[str, Path], ...] = ()
) -> Engine:
    """The process's engine for these arguments: asking twice does not load a model twice."""
    return Engine(model, name=name, context_tokens=context_tokens, lora=lora, adapters=dict(adapters))


def default_threads() -> int:
    """One core fewer than this process may use, at most 8.

    The engine's threads wait for each other at every layer, so a core that something else wants for a moment stops
    them all: on 2 busy cores, 2 threads gave 5 to 70 tokens a second and 1 thread a steady 50 to 60.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, usable - 1))


def llamacpp_chat(
    engine: Engine,
    *,
    settings: Settings,
    profile: ModelProfile,
    backoff: Backoff | None = None,
    **params: Any,
) -> LlamaCppChat:
    """The chat model on `engine`, named and able as `profile` says; `params` as in `openai_chat`."""
    # Silence is no sign of trouble here: calls beyond the first wait in the engine's queue, and a crash would take
    # this process along.
    patient = settings.model_copy(update={"timeout_s": max(settings.timeout_s, QUEUE_S)})
    arguments = chat_arguments(
        profile.name,
        "http://127.0.0.1/v1",
        settings=patient,
        profile=profile,
        backoff=backoff,
        identity=engine.identity,
        **params,
    )
    return LlamaCppChat(engine=engine, **arguments)


def _stop(method: WeakMethod[Any]) -> None:
    stop = method()
    if stop is not None:
        stop()
