"""Whoever stops listening stops the graph, and the model behind it: seen at the model server."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx
import openai
import pytest
from chat_server import Handler, Reply, delta, endless
from gateway_server import Serve, Served
from wardround.serving.replying import Patience

QUESTION: Any = [{"role": "user", "content": "Count."}]
BODY = {"model": "utility", "messages": QUESTION, "stream": True}


def hanging(*said: str) -> Reply:
    """A stream that says something and then nothing, until the client hangs up."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.begin_stream()
        for piece in said:
            handler.event(delta(content=piece))
        while True:
            try:
                if not handler.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    handler.server.hung_up.set()
                    return
            except BlockingIOError:
                time.sleep(0.02)

    return reply


def ended(server: Served, **turns: int) -> bool:
    """Whether, within a while, this many turns ended so."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if server.turns() == turns:
            return True
        time.sleep(0.05)
    return False


def test_a_closed_tab(serve: Serve) -> None:
    server = serve()
    server.model_server.always(endless())
    with server.http.stream("POST", "/v1/chat/completions", json=BODY) as reply:
        next(reply.iter_lines())
    assert server.model_server.hung_up.wait(5)
    assert ended(server, cancelled=1)


def test_openais_client_closing_its_stream(serve: Serve) -> None:
    server = serve()
    server.model_server.always(endless())
    stream = server.openai().chat.completions.create(model="utility", messages=QUESTION, stream=True)
    next(iter(stream))
    stream.close()
    assert server.model_server.hung_up.wait(5)


def test_a_client_that_gives_up_waiting_for_a_whole_answer(serve: Serve) -> None:
    server = serve()
    server.model_server.always(endless())
    client = server.openai().with_options(timeout=0.4)
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="utility", messages=QUESTION)
    assert server.model_server.hung_up.wait(5)
    assert ended(server, cancelled=1)


def test_a_client_that_leaves_before_the_first_word(serve: Serve) -> None:
    server = serve()
    server.model_server.always(hanging())
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.address}/v1/chat/completions", json=BODY, timeout=0.4)
    assert server.model_server.hung_up.wait(5)
    assert ended(server, cancelled=1)


def test_the_nodes_inside_a_graph_stop_too(serve: Serve) -> None:
    server = serve("ward_round")
    server.model_server.always(hanging())
    body = {**BODY, "model": "ward_round", "messages": [{"role": "user", "content": "Can I take ibuprofen?"}]}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.address}/v1/chat/completions", json=body, timeout=1)
    assert server.model_server.hung_up.wait(5)
    assert ended(server, cancelled=1)


def test_a_turn_that_takes_too_long(serve: Serve) -> None:
    server = serve(longest_turn_s=0.5)
    server.model_server.always(hanging("Let me "))
    with pytest.raises(openai.APIError, match="too long") as caught:
        list(server.openai().chat.completions.create(model="utility", messages=QUESTION, stream=True))
    assert caught.value.code == "timeout"
    assert server.model_server.hung_up.wait(5)
    assert ended(server, failed=1)


def test_signs_of_life_while_nothing_comes(serve: Serve) -> None:
    server = serve(patience=Patience(head_s=0.1, keep_alive_s=0.1), longest_turn_s=1)
    server.model_server.always(hanging())
    text = server.http.post("/v1/chat/completions", json=BODY).text
    assert text.startswith('data: {"id"')
    assert text.count(": ping\n\n") >= 4
    assert text.endswith("data: [DONE]\n\n")


def test_a_client_that_does_not_read(serve: Serve) -> None:
    def flood(handler: Handler, _: dict[str, Any]) -> None:
        handler.begin_stream()
        while True:
            handler.event(delta(content="on and on " * 2000))

    server = serve(patience=Patience(stall_s=0.5))
    server.model_server.always(flood)
    url = httpx.URL(server.address)
    with socket.create_connection((url.host, url.port or 0)) as connection:
        body = httpx.Request("POST", f"{url}/v1/chat/completions", json=BODY)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {url.host}\r\ncontent-type: application/json\r\n"
        connection.sendall(f"{head}content-length: {len(body.content)}\r\n\r\n".encode() + body.content)
        assert server.model_server.hung_up.wait(20)
        assert ended(server, cancelled=1)
