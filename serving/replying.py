"""The reply to one request, streamed or whole, as an ASGI response of its own.

It watches the connection while it works: when the client goes away, or reads nothing for too long, the turn is stopped,
and with it the graph and the model.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..graphs.events import Event
from . import wire
from .asking import question_call, question_text
from .refusing import shown
from .telling import Piece, Teller
from .turns import Turn

_log: Final = logging.getLogger("wardround.serving")


@dataclass(frozen=True)
class Manner:
    """How a client wants its reply."""

    model: str
    stream: bool
    usage: bool = False
    native: bool = False
    """Whether Open WebUI's own lines are sent: sources and progress beside the answer instead of in it."""
    sources_text: bool = True
    """Whether the cited sources are listed in the answer, too."""
    asks_user: bool = False
    """Whether the frontend has a tool to ask its person with."""


@dataclass(frozen=True)
class Patience:
    """How long is waited, in seconds."""

    head_s: float = 5.0
    """For a first event, before a stream begins; up to then a fault has a status of its own."""
    keep_alive_s: float = 15.0
    """Between signs of life."""
    stall_s: float = 60.0
    """For a client that does not read."""


class Reply(Response):
    """The response; `admit` begins the turn once the response is under way."""

    def __init__(
        self,
        admit: Callable[[], Awaitable[Turn]],
        manner: Manner,
        patience: Patience,
        refused: Callable[[int], None],
    ) -> None:
        super().__init__()
        self._admit = admit
        self._manner = manner
        self._patience = patience
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Work, until it is done or nobody listens any more."""
        work = asyncio.create_task(self._work(_patient(send, self._patience.stall_s)))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            work.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
        if not work.cancelled() and (error := work.exception()) is not None and not isinstance(error, _Stalled):
            raise error

    async def _work(self, send: Send) -> None:
        try:
            turn = await self._admit()
        except Exception as error:  # noqa: BLE001 - a full disc, a database that went away: told, and logged
            refused = shown(error)
            if refused is not error:
                _log.error("a turn could not begin", extra={"error": type(error).__name__})
            self._refused(refused.status)
            await send_json(send, refused.status, refused.body, refused.headers)
            return
        try:
            if self._manner.stream:
                await self._stream(turn, send)
            else:
                await self._whole(turn, send)
        finally:
            await turn.stop()

    # -- whole ---------------------------------------------------------------------------------------------------

    async def _whole(self, turn: Turn, send: Send) -> None:
        teller, thought, usage = Teller(), "", dict[str, int]()
        final: Event | None = None
        asked: list[Mapping[str, Any]] = []
        while (event := await turn.next(None)) is not None:
            if event.kind == "error":
                await self._send_error(send, event)
                return
            if event.kind == "usage":
                usage = event.data
            elif event.kind == "interrupt":
                asked.append(event.data)
            elif event.kind == "final":
                final = event
            for piece in teller.tell(event):
                thought += _as_thought(piece) if piece.kind in ("reasoning", "progress") else ""
        call = question_call(turn.run, asked) if asked and self._manner.asks_user else None
        content = "" if asked else teller.whole(final.data if final else {})
        if asked and call is None:
            content = question_text(turn.run, asked)
        annotations = teller.annotations(content)
        if self._manner.sources_text:
            content += teller.sources_text(content)
        reply = wire.completion(
            turn.run, self._manner.model, content=content, reasoning=thought.strip(), annotations=annotations,
            usage=usage, call=call,
        )  # fmt: skip
        await send_json(send, 200, reply)

    async def _send_error(self, send: Send, event: Event) -> None:
        error = {name: event.data[name] for name in ("message", "type", "param", "code")}
        self._refused(event.data["status"])
        after = {"Retry-After": "5"} if event.data["status"] == 503 else {}
        await send_json(send, event.data["status"], {"error": error}, after)

    # -- streamed ------------------------------------------------------------------------------------------------

    async def _stream(self, turn: Turn, send: Send) -> None:
        chunks, teller = wire.Chunks(turn.run, self._manner.model), Teller()
        usage: Mapping[str, int] = {}
        asked: list[Mapping[str, Any]] = []
        begun = False

        async def put(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        async def begin() -> None:
            nonlocal begun
            begun = True
            headers = [(name.encode(), value.encode()) for name, value in wire.STREAM_HEADERS.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await put(chunks.role())

        while True:
            try:
                event = await turn.next(self._patience.keep_alive_s if begun else self._patience.head_s)
            except TimeoutError:
                await (put(wire.PING) if begun else begin())
                continue
            if event is None:
                break
            if event.kind == "error":
                if not begun:
                    await self._send_error(send, event)
                    return
                error = {name: event.data[name] for name in ("message", "type", "code", "param")}
                await put(wire.line({"error": error}) + wire.DONE)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            if event.kind == "usage":
                usage = event.data
            elif event.kind == "interrupt":
                asked.append(event.data)
            data = b"".join(self._shown(piece, chunks) for piece in teller.tell(event))
            if data:
                if not begun:
                    await begin()
                await put(data)
        if not begun:
            await begin()
        await put(self._end(turn, chunks, teller, usage, asked))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _shown(self, piece: Piece, chunks: wire.Chunks) -> bytes:
        if piece.kind == "content":
            return chunks.content(piece.text)
        if piece.kind == "source":
            return chunks.event("source", wire.source_event(piece.source or {})) if self._manner.native else b""
        if piece.kind == "progress" and self._manner.native:
            return chunks.event("status", {"description": piece.text, "done": False})
        return chunks.reasoning(_as_thought(piece))

    def _end(
        self,
        turn: Turn,
        chunks: wire.Chunks,
        teller: Teller,
        usage: Mapping[str, int],
        asked: list[Mapping[str, Any]],
    ) -> bytes:
        last = b""
        reason = "stop"
        annotations = teller.annotations(teller.content)
        if self._manner.native and (teller.progress or asked):
            done = "A person is asked" if asked else "Done"
            last += chunks.event("status", {"description": done, "done": True})
        if asked:
            call = question_call(turn.run, asked) if self._manner.asks_user else None
            if call is not None:
                reason = "tool_calls"
                last += chunks.call(call)
            else:
                apart = "\n\n" if teller.content else ""
                last += chunks.content(apart + question_text(turn.run, asked))
        elif self._manner.sources_text and (listed := teller.sources_text(teller.content)):
            last += chunks.content(listed)
        last += chunks.finish(reason, annotations)
        if self._manner.usage:
            last += chunks.usage(usage)
        return last + wire.DONE


def _as_thought(piece: Piece) -> str:
    return piece.text if piece.kind == "reasoning" else f"{piece.text}\n"


class _Stalled(Exception):
    """The client reads nothing."""


def _patient(send: Send, stall_s: float) -> Send:
    async def sending(message: Any) -> None:
        try:
            async with asyncio.timeout(stall_s):
                await send(message)
        except TimeoutError:
            raise _Stalled from None

    return sending


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_json(send: Send, status: int, data: object, headers: Mapping[str, str] | None = None) -> None:
    """A whole answer."""
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "backslashreplace")
    sent = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    encoded = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class Fixed(Response):
    """A reply whose words are known already."""

    def __init__(self, text: str, manner: Manner, run: str) -> None:
        chunks = wire.Chunks(run, manner.model)
        if manner.stream:
            data = [chunks.role(), chunks.content(text), chunks.finish("stop", ())]
            data += [chunks.usage({})] if manner.usage else []
            super().__init__(b"".join([*data, wire.DONE]), headers=dict(wire.STREAM_HEADERS))
        else:
            whole = wire.completion(run, manner.model, content=text, reasoning="", annotations=(), usage={})
            super().__init__(json.dumps(whole, ensure_ascii=False), media_type="application/json")


def error_response(error: BaseException) -> Response:
    """What is sent where no turn had begun."""
    refused = shown(error)
    return Response(
        json.dumps(refused.body, ensure_ascii=False),
        status_code=refused.status,
        headers=refused.headers,
        media_type="application/json",
    )
