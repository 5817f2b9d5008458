"""The gate before a real server on loopback, asked by real clients."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from chat_server import ChatServer, cut, drop, endless, fail, say, slowly
from pydantic import SecretStr
from wardround.errors import UserError
from wardround.models import chat_model
from wardround.models.servers.gate import ROUTES, Gate, GateServer, Upstream
from wardround.models.servers.ports import claim
from wardround.settings import Settings

KEY = "the-key-of-the-clients"
INNER = "the-key-behind"
BODY = {"model": "test-model", "messages": [{"role": "user", "content": "hi"}]}
MOST = 100_000


@pytest.fixture
def gate(chat_server: ChatServer) -> Gate:
    return Gate(Upstream(chat_server.address.removesuffix("/v1"), INNER), KEY, most_body_bytes=MOST)


@pytest.fixture
def closed(gate: Gate) -> Iterator[httpx.Client]:
    """A client of a gate that is not open yet."""
    listening = claim("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    headers = {"authorization": f"Bearer {KEY}"}
    with GateServer(gate, listening), httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
def client(gate: Gate, closed: httpx.Client) -> httpx.Client:
    gate.open()
    return closed


def test_a_reply_comes_through_and_the_keys_stay_apart(client: httpx.Client, chat_server: ChatServer) -> None:
    reply = client.post("/v1/chat/completions", json=BODY)
    assert reply.json()["choices"][0]["message"]["content"] == "All is well."
    (seen,) = chat_server.requests
    assert seen.body == BODY
    assert seen.headers["authorization"] == f"Bearer {INNER}"


def test_the_project_s_own_client_works_through_it(client: httpx.Client, chat_server: ChatServer) -> None:
    chat_server.then(say("One ", "two"))
    settings = Settings(_env_file=None, api_key=SecretStr(KEY), retries=0)  # type: ignore[call-arg]
    model = chat_model(f"openai:test-model@{client.base_url}/v1", settings=settings)
    assert "".join(chunk.text for chunk in model.stream("hi")) == "One two"
    wrong = chat_model(
        f"openai:test-model@{client.base_url}/v1", settings=settings.model_copy(update={"api_key": SecretStr("no")})
    )
    with pytest.raises(UserError, match="key"):
        wrong.invoke("hi")


@pytest.mark.parametrize(
    "path",
    [
        "/invocations", "/v1/load_lora_adapter", "/v1/completions", "/metrics", "/tokenize", "/docs", "/openapi.json",
        "/v1/chat/completions/", "/v1//chat/completions", "/v1/../invocations", "/v1/models/x", "/HEALTH", "/",
    ],
)  # fmt: skip
def test_what_is_not_named_does_not_exist(client: httpx.Client, chat_server: ChatServer, path: str) -> None:
    url = httpx.URL(str(client.base_url)).copy_with(raw_path=path.encode())
    for method in ("GET", "POST"):
        assert client.request(method, url, json=BODY).status_code == 404
    assert not chat_server.requests


@pytest.mark.parametrize(
    "header",
    [{}, {"authorization": "Bearer wrong"}, {"authorization": KEY}, {"authorization": f"Basic {KEY}"}],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/invocations"])
def test_without_the_key_nothing_is_told(
    client: httpx.Client, chat_server: ChatServer, header: dict[str, str], path: str
) -> None:
    del client.headers["authorization"]
    for method in ("GET", "POST", "OPTIONS"):
        reply = client.request(method, path, headers=header)
        assert reply.status_code == 401
        assert "/v1/chat" not in reply.text
    assert not chat_server.requests


def test_health_alone_needs_no_key(client: httpx.Client) -> None:
    del client.headers["authorization"]
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method in ROUTES.items()])
def test_a_route_takes_one_method(client: httpx.Client, path: str, method: str) -> None:
    for other in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {method}:
        assert client.request(other, path).status_code == 405


def test_before_the_model_is_loaded_clients_are_told_to_wait(closed: httpx.Client) -> None:
    for path, method in ROUTES.items():
        reply = closed.request(method, path, json=BODY)
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")


def test_errors_come_through_as_they_are(client: httpx.Client, chat_server: ChatServer) -> None:
    chat_server.then(fail(429, "slow down", retry_after="7"))
    reply = client.post("/v1/chat/completions", json=BODY)
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")
    assert reply.json()["error"]["message"] == "slow down"


def test_a_server_that_hangs_up_is_said(client: httpx.Client, chat_server: ChatServer) -> None:
    chat_server.then(drop)
    assert client.post("/v1/chat/completions", json=BODY).status_code == 502


def test_a_stream_arrives_as_it_is_written(client: httpx.Client, chat_server: ChatServer) -> None:
    chat_server.always(endless(pause_s=0.02))
    with client.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True}) as reply:
        start = time.monotonic()
        lines = reply.iter_lines()
        assert json.loads(next(lines).removeprefix("data: "))["choices"][0]["delta"] == {"content": "on and "}
        assert time.monotonic() - start < 5  # the whole takes 40 s


def test_when_the_client_goes_the_server_behind_stops(client: httpx.Client, chat_server: ChatServer) -> None:
    chat_server.always(endless())
    with client.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True}) as reply:
        next(reply.iter_raw())
    assert chat_server.hung_up.wait(5)


def test_when_the_client_goes_before_the_first_byte_too(client: httpx.Client, chat_server: ChatServer) -> None:
    seen = threading.Event()

    def never(handler: object, _: object) -> None:
        seen.set()
        handler.connection.settimeout(5)  # type: ignore[attr-defined]
        # The gate closes its connection: the read ends. Were it left open, this would time out instead.
        assert handler.connection.recv(1) == b""  # type: ignore[attr-defined]
        chat_server.hung_up.set()

    chat_server.then(never)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/chat/completions", json=BODY, timeout=0.5)
    assert seen.is_set()
    assert chat_server.hung_up.wait(5)


def test_half_an_answer_is_not_passed_off_as_a_whole_one(client: httpx.Client, chat_server: ChatServer) -> None:
    def half(handler: object, _: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.send_header("content-type", "application/json")  # type: ignore[attr-defined]
        handler.send_header("content-length", "1000")  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        handler.wfile.write(b'{"choices":')  # type: ignore[attr-defined]
        handler.close_connection = True  # type: ignore[attr-defined]

    chat_server.then(half)
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/v1/chat/completions", json=BODY)


def test_a_stream_that_is_cut_ends_there(client: httpx.Client, chat_server: ChatServer) -> None:
    chat_server.then(cut("One "))
    with client.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True}) as reply:
        text = "".join(reply.iter_text())
    assert "One " in text
    assert "[DONE]" not in text


def test_a_request_that_is_too_long_is_refused(client: httpx.Client, chat_server: ChatServer) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(12):
            yield b"x" * 10_000

    assert client.post("/v1/chat/completions", content=b"x" * (MOST + 1)).status_code == 413
    assert client.post("/v1/chat/completions", content=parts()).status_code == 413  # says no length beforehand
    assert not chat_server.requests


def test_slow_answers_of_many_clients_do_not_wait_for_each_other(client: httpx.Client, chat_server: ChatServer) -> None:
    chat_server.always(slowly("late", 0.1))
    start = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: client.post("/v1/chat/completions", json=BODY), range(20)))
    assert {reply.json()["choices"][0]["message"]["content"] for reply in replies} == {"late"}
    assert time.monotonic() - start < 6  # one after the other: 8 s
