"""When a call to a model server is tried again, how long to wait, and what to say in the end."""

from __future__ import annotations

import json
import logging
import math
import random
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ..errors import ModelReplyError, ModelUnavailable, UserError, WardroundError

_log = logging.getLogger("wardround.models")

overload_listener: ContextVar[Callable[[float], None] | None] = ContextVar("overload_listener", default=None)
"""Told, where one is set, of every reply that says the server is overloaded (HTTP 429), and how many seconds it asks to
wait (0: it doesn't say). The tries themselves go on as ever."""


class Backoff(BaseModel):
    """How long to wait between tries: twice as long each time, with jitter so that parallel calls spread."""

    model_config = ConfigDict(frozen=True)

    first_s: float = Field(default=0.5, ge=0)
    """Upper end of the first wait."""
    longest_s: float = Field(default=30.0, ge=0)
    """Upper end of any wait of our own choosing."""
    longest_asked_s: float = Field(default=120.0, ge=0)
    """The longest Retry-After that is waited for; a server that asks for more is given up at once."""

    def wait_s(self, tries: int) -> float:
        """Seconds to wait after `tries` failed tries: between half of the upper end and all of it."""
        upper = min(self.longest_s, self.first_s * 2.0 ** min(tries - 1, 30))
        return upper * random.uniform(0.5, 1.0)  # noqa: S311 -- spreads load, guards nothing


class CutStream(Exception):
    """A streamed reply ended before its end."""


class Fault(NamedTuple):
    """One failed try, understood."""

    cause: str
    again: bool
    retry_after_s: float | None = None
    overloaded: bool = False
    error: WardroundError | None = None
    """What to raise where trying again is no use."""


def http_library() -> ModuleType:
    """The HTTP library that the installed openai SDK is built on: httpx2 since 3.0, httpx before."""
    from importlib import import_module

    import openai

    roots = {base.__module__.partition(".")[0] for base in openai.DefaultHttpxClient.__mro__}
    return import_module("httpx2" if "httpx2" in roots else "httpx")


def server_faults() -> tuple[type[Exception], ...]:
    """Everything that a call may raise because of the server or the way to it."""
    import openai

    http: Any = http_library()
    return openai.OpenAIError, http.HTTPError, http.StreamError, json.JSONDecodeError, UnicodeDecodeError, CutStream


def understand(error: Exception, *, address: str, name: str, offered: Callable[[], list[str]]) -> Fault:
    """What `error` means for the call to model `name` at `address`.

    `offered` asks the server which models it has; it is only called where that helps the message.
    """
    import openai

    http: Any = http_library()
    if isinstance(error, openai.APIStatusError):
        return _status_fault(error, address=address, name=name, offered=offered)
    if isinstance(error, openai.APITimeoutError | http.TimeoutException):
        return Fault("timed out", again=True)
    if isinstance(error, openai.APIConnectionError | http.TransportError | CutStream):
        return Fault(_innermost(error), again=True)
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIResponseValidationError):
        code = _code(error.body)
        if code is None or code >= 500:  # an error event inside a stream
            return Fault(f"error in the stream: {_short(error.message)}", again=True)
    reply = ModelReplyError(
        f"model server `{address}` sent something that is not a chat completion ({_innermost(error)}): "
        "is this the address of an OpenAI-compatible server, with `/v1`?"
    )
    return Fault(str(error), again=False, error=reply)


def _status_fault(error: Any, *, address: str, name: str, offered: Callable[[], list[str]]) -> Fault:
    status: int = error.status_code
    said = _short(_message(error))
    cause = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if status in (408, 409, 429) or status >= 500:
        asked = retry_after_s(error.response.headers.get("retry-after"))
        return Fault(cause, again=True, retry_after_s=asked, overloaded=status == 429)
    if status in (401, 403):
        return Fault(
            cause,
            again=False,
            error=UserError(f"model server `{address}` refuses the key (HTTP {status}): set WARDROUND_API_KEY"),
        )
    if status == 404:
        models = offered()
        has = "it offers " + ", ".join(f"`{model}`" for model in models[:8]) if models else "it lists no models"
        remedy = "name one of those" if models else "does its address end in `/v1`?"
        return Fault(
            cause,
            again=False,
            error=UserError(f"model server `{address}` knows no model `{name}` (HTTP 404); {has}: {remedy}"),
        )
    if status < 400:
        moved = UserError(f"model server `{address}` answers with a redirect: give the address it points to")
        return Fault(cause, again=False, error=moved)
    refused = ModelReplyError(
        f"model server `{address}` refuses the request ({cause}): shorten the prompt if it is too long; "
        "if the server lacks a feature, say so in a profile file (WARDROUND_PROFILE)"
    )
    return Fault(cause, again=False, error=refused)


class Tries:
    """The tries of one call: counts them, says how long to wait, and raises when there is no use in another."""

    def __init__(
        self, *, address: str, name: str, retries: int, backoff: Backoff, offered: Callable[[], list[str]]
    ) -> None:
        self.causes: list[str] = []
        """Why each failed try failed, oldest first."""
        self._address, self._name = address, name
        self._retries, self._backoff, self._offered = retries, backoff, offered

    def failed(self, error: Exception) -> float:
        """Takes the failure of a try and returns the seconds to wait before the next one.

        Raises the `WardroundError` that ends the call: at once for faults that trying again cannot mend, else
        `ModelUnavailable` when the tries are used up. May ask the server for its models, so it may block.
        """
        fault = understand(error, address=self._address, name=self._name, offered=self._offered)
        if fault.error is not None:
            raise fault.error from error
        self.causes.append(fault.cause)
        if fault.overloaded and (listener := overload_listener.get()):
            listener(fault.retry_after_s or 0.0)
        count = len(self.causes)
        tried = f"{count} {'try' if count == 1 else 'tries'}"
        asked = fault.retry_after_s
        if asked is not None and asked > self._backoff.longest_asked_s:
            raise ModelUnavailable(
                f"model server `{self._address}` asks to wait {asked:.0f} s ({fault.cause}) after {tried}: "
                "run again later or send fewer requests at once"
            ) from error
        if count > self._retries:
            raise ModelUnavailable(
                f"no answer from model server `{self._address}` after {tried} ({fault.cause}): "
                "check that it runs and is not overloaded, or raise WARDROUND_RETRIES or WARDROUND_TIMEOUT_S"
            ) from error
        wait = max(self._backoff.wait_s(count), asked or 0.0)
        _log.warning(
            "model server %s, try %d of %d failed (%s); trying again in %.1f s",
            self._address,
            count,
            self._retries + 1,
            fault.cause,
            wait,
        )
        return wait

    def broke_off(self, error: Exception, received: int) -> ModelUnavailable:
        """The error for a stream that failed after `received` characters had been passed on."""
        fault = understand(error, address=self._address, name=self._name, offered=self._offered)
        return ModelUnavailable(
            f"model server `{self._address}` broke off a reply after {received} characters ({fault.cause}); "
            "part of it was already passed on, so it is not started again: ask once more"
        )

    def note(self) -> dict[str, Any]:
        """What a reply's `response_metadata` records: `retries` and, where there were any, `retry_causes`."""
        return {"retries": len(self.causes)} | ({"retry_causes": list(self.causes)} if self.causes else {})


def retry_after_s(value: str | None) -> float | None:
    """Seconds from a Retry-After header (RFC 9110, 10.2.3): a number, or a date."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = None  # then it is a date
    if seconds is not None:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _message(error: Any) -> str:
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        text = inner.get("message") if isinstance(inner, dict) else inner
        return str(text or body.get("detail") or "")
    return str(error.response.reason_phrase)


def _code(body: object) -> int | None:
    if not isinstance(body, dict):
        return None
    try:
        return int(str(body.get("code")))
    except ValueError:
        return None


def _innermost(error: BaseException) -> str:
    """The root cause in words: libraries wrap `connection refused` in layers that say only `error`."""
    seen: BaseException = error
    while (cause := seen.__cause__ or seen.__context__) is not None:
        seen = cause
    if isinstance(seen, ConnectionRefusedError):
        return "connection refused"
    return _short(str(seen)) or type(seen).__name__


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"
