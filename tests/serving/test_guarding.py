"""What is refused before any agent sees it, and what a request may be."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from gateway_server import Serve

QUESTION: Any = [{"role": "user", "content": "How do I store insulin glargine?"}]
BODY = {"model": "by_rules", "messages": QUESTION}


def test_pages_of_other_origins_are_refused_and_get_no_cors(serve: Serve) -> None:
    http = serve("by_rules").http
    reply = http.post("/v1/chat/completions", json=BODY, headers={"Origin": "https://evil.example"})
    assert reply.status_code == 403
    assert not [name for name in reply.headers if name.startswith("access-control")]


def test_an_allowed_origin_may_call(serve: Serve) -> None:
    http = serve("by_rules", origins=("https://chat.example",)).http
    asking = {"Origin": "https://chat.example", "Access-Control-Request-Method": "POST"}
    assert http.options("/v1/chat/completions", headers=asking).headers["access-control-allow-origin"]
    reply = http.post("/v1/chat/completions", json=BODY, headers={"Origin": "https://chat.example"})
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "https://chat.example"


def test_a_name_that_somebody_pointed_here_is_refused(serve: Serve) -> None:
    reply = serve().http.get("/v1/models", headers={"Host": "rebound.example"})
    assert reply.status_code == 421


def test_a_body_that_a_page_may_send_unasked_is_refused(serve: Serve) -> None:
    reply = serve("by_rules").http.post("/v1/chat/completions", content=json.dumps(BODY))
    assert reply.status_code == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"model": "\xff"}', b"[" * 100_000, b'{"a":' * 100_000, b'{"model": NaN}', b"null", b'"x"'],
    ids=["empty", "cut", "no UTF-8", "deep list", "deep object", "NaN", "null", "text"],
)
def test_a_body_that_is_no_request(serve: Serve, body: bytes) -> None:
    reply = serve().http.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"


def test_fifty_megabytes_are_refused_unread(serve: Serve) -> None:
    http = serve("by_rules").http
    reply = http.post("/v1/chat/completions", json={**BODY, "x": "a" * 50_000_000})
    assert reply.status_code == 413


def test_fifty_megabytes_without_a_length_are_refused(serve: Serve) -> None:
    def parts() -> Generator[bytes]:
        for _ in range(50):
            yield b"a" * 1_000_000

    server = serve("by_rules")
    kind = {"content-type": "application/json"}
    try:
        status = server.http.post("/v1/chat/completions", content=parts(), headers=kind).status_code
    except (httpx.WriteError, httpx.RemoteProtocolError):
        status = 413  # it hung up before everything was sent
    assert status == 413
    assert server.http.get("/healthz").status_code == 200


def test_ten_thousand_messages_are_answered(serve: Serve) -> None:
    turns = [{"role": role, "content": "hm"} for _ in range(5000) for role in ("user", "assistant")]
    reply = serve("by_rules").http.post("/v1/chat/completions", json={**BODY, "messages": [*turns, *QUESTION]})
    assert reply.status_code == 200
    assert "freeze" in reply.json()["choices"][0]["message"]["content"]


def test_half_a_character_is_refused(serve: Serve) -> None:
    body = b'{"model": "by_rules", "messages": [{"role": "user", "content": "\\ud800"}]}'
    reply = serve("by_rules").http.post(
        "/v1/chat/completions", content=body, headers={"content-type": "application/json"}
    )
    assert reply.status_code == 400


def test_a_request_that_never_ends_holds_nobody_else_up(serve: Serve) -> None:
    server = serve("by_rules")
    url = httpx.URL(server.address)
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n{")
        assert server.http.post("/v1/chat/completions", json=BODY).status_code == 200


def test_unknown_paths_have_errors_of_the_same_form(serve: Serve) -> None:
    reply = serve().http.get("/v1/nothing")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"
