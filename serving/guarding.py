"""What is looked at before any route: under which name and from which page it is called, and how much is sent.

A page in a person's browser can reach a server on loopback, and a name that an attacker points at 127.0.0.1 makes the
two look like one origin. So a call from a page of another origin is refused unless that was allowed, and so is a name
that the server was not told about; a body must be declared as JSON, which a page of another origin cannot do unasked.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .gateway import Options
from .refusing import Refused
from .replying import send_json


class Guard:
    """The middleware."""

    def __init__(self, app: ASGIApp, options: Options, *, has_keys: bool) -> None:
        self._app = app
        self._options = options
        self._any_host = "*" in options.hosts or (has_keys and not options.hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        began = False
        too_large = False

        async def counted() -> Message:
            nonlocal left, too_large
            message = await receive()
            if message["type"] == "http.request":
                left -= len(message.get("body", b""))
                if left < 0:
                    too_large = True
                    raise _too_large(self._options.largest_body)
            return message

        async def sending(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        left = self._options.largest_body
        try:
            self._check(scope, headers)
            await self._app(scope, counted, sending)
        except Refused as refused:
            if began:
                raise
            await send_json(send, refused.status, refused.body, {**refused.headers, "connection": "close"})

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._any_host and _bare(host) not in self._options.hosts:
            text = f"This server is not called `{host[:80]}`: allow the name with `--allow-host`."
            raise Refused(421, text, code="unknown_host")
        origin = headers.get("origin")
        if origin and origin not in self._options.origins and urlsplit(origin).netloc != host:
            text = f"Pages of `{origin[:80]}` may not call this server: allow them with `--allow-origin`."
            raise Refused(403, text, type="permission_error", code="origin_not_allowed")
        if scope["method"] == "POST":
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json" and not kind.endswith("+json"):
                raise Refused(415, "Send the body as JSON: `Content-Type: application/json`.", code="not_json")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._options.largest_body:
            raise _too_large(self._options.largest_body)


def _bare(host: str) -> str:
    """A host without its port."""
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0].lower()


def _too_large(most: int) -> Refused:
    text = f"The request is larger than {most / 1e6:.0f} MB: send fewer or smaller images."
    return Refused(413, text, code="request_too_large")
