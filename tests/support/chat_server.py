"""A real HTTP server on loopback that speaks the OpenAI chat protocol and fails on command."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MODEL = "test-model"
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}

Reply = Callable[["Handler", dict[str, Any]], None]
"""What the server does with one request: writes to the handler, given the request's body."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] -- it is never another kind

    def log_message(self, format: str, *args: Any) -> None:
        pass  # keeps test output quiet

    def do_GET(self) -> None:
        models = {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "us"}]}
        self.send(200, json.dumps(models))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.seen.append(
                Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            reply = self.server.queue.pop(0) if self.server.queue else self.server.otherwise
        try:
            reply(self, body)
        except (BrokenPipeError, ConnectionResetError):
            self.server.hung_up.set()
            self.close_connection = True

    def send(self, status: int, text: str | bytes, kind: str = "application/json", **headers: str) -> None:
        """A whole answer."""
        data = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self) -> None:
        """The head of a stream; it ends when the connection does, as with a server that dies."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, data: object) -> None:
        """One event of a stream."""
        text = data if isinstance(data, str) else json.dumps(data)
        self.wfile.write(f"data: {text}\n\n".encode())
        self.wfile.flush()


@dataclass(frozen=True)
class Request:
    """One request, as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.queue: list[Reply] = []
        self.otherwise: Reply = say("All is well.")
        self.seen: list[Request] = []
        self.hung_up = threading.Event()


class ChatServer:
    """The server: `with ChatServer() as server`, then `server.then(...)` for what it does next."""

    def __enter__(self) -> Self:
        self._server = _Server()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """With `/v1`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self) -> list[Request]:
        """What came so far (chat requests only)."""
        return self._server.seen

    @property
    def hung_up(self) -> threading.Event:
        """Set when a client went away in the middle of an answer."""
        return self._server.hung_up

    def then(self, *replies: Reply) -> None:
        """Queues replies, one for each request; afterwards requests get `All is well.`"""
        self._server.queue.extend(replies)

    def always(self, reply: Reply) -> None:
        """The reply to every request that nothing is queued for."""
        self._server.otherwise = reply


def say(
    *pieces: str,
    reasoning: str | Sequence[str] = "",
    key: str = "reasoning_content",
    calls: Sequence[tuple[str, dict[str, Any]]] = (),
    finish: str = "",
) -> Reply:
    """A proper reply, whole or streamed piece by piece, as the request asks. `key` names the reasoning field."""
    thoughts = [reasoning] if isinstance(reasoning, str) else list(reasoning)
    thoughts = [thought for thought in thoughts if thought]
    reason = finish or ("tool_calls" if calls else "stop")
    tool_calls = [
        {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
        for index, (name, args) in enumerate(calls)
    ]

    def reply(handler: Handler, body: dict[str, Any]) -> None:
        if not body.get("stream"):
            message: dict[str, Any] = {"role": "assistant", "content": "".join(pieces) if pieces else None}
            message |= {key: "".join(thoughts)} if thoughts else {}
            message |= {"tool_calls": tool_calls} if tool_calls else {}
            handler.send(200, json.dumps(completion(message, reason)))
            return
        handler.begin_stream()
        handler.event(delta(role="assistant", content=""))
        for thought in thoughts:
            handler.event(delta(**{key: thought}))
        for piece in pieces:
            handler.event(delta(content=piece))
        for index, call in enumerate(tool_calls):
            handler.event(delta(tool_calls=[{**call, "index": index}]))
        handler.event(delta(finish=reason))
        if (body.get("stream_options") or {}).get("include_usage"):
            handler.event({**delta(), "choices": [], "usage": USAGE})
        handler.event("[DONE]")

    return reply


def completion(message: object, finish: str = "stop") -> dict[str, Any]:
    """The body of a whole reply."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion", "created": 0, "model": MODEL, "choices": [choice], "usage": USAGE}


def delta(finish: str | None = None, **fields: object) -> dict[str, Any]:
    """The body of one event of a stream."""
    choice = {"index": 0, "delta": fields, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 0, "model": MODEL, "choices": [choice]}


def fail(status: int, message: str = "no", **headers: str) -> Reply:
    """An error in the protocol's form; headers as keywords (`retry_after="1"`)."""
    return lambda handler, _: handler.send(status, json.dumps({"error": {"message": message}}), **headers)


def body(text: str | bytes, kind: str = "application/json") -> Reply:
    """Status 200 with any body."""
    return lambda handler, _: handler.send(200, text, kind)


def drop(handler: Handler, _: dict[str, Any]) -> None:
    """Closes the connection without an answer."""
    handler.close_connection = True


def cut(*pieces: str) -> Reply:
    """A stream that stops after these pieces without its end."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.begin_stream()
        handler.event(delta(role="assistant", content=""))
        for piece in pieces:
            handler.event(delta(content=piece))

    return reply


def events(*data: object) -> Reply:
    """A stream of exactly these events."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.begin_stream()
        for item in data:
            handler.event(item)

    return reply


def slowly(text: str, pause_s: float) -> Reply:
    """A proper whole reply, one byte at a time for its first bytes, with pauses."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        data = json.dumps(completion({"role": "assistant", "content": text})).encode()
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        for position in range(4):
            handler.wfile.write(data[position : position + 1])
            handler.wfile.flush()
            time.sleep(pause_s)
        handler.wfile.write(data[4:])

    return reply


def endless(pause_s: float = 0.005) -> Reply:
    """A stream that goes on until the client hangs up."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.begin_stream()
        for _number in range(2000):
            handler.event(delta(content="on and "))
            time.sleep(pause_s)

    return reply
