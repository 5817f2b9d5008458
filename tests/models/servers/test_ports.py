from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from wardround.errors import UserError
from wardround.models.servers.ports import claim, is_loopback


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with claim("127.0.0.1", 0) as listening:
        yield listening


def test_a_busy_port_is_one_line(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with pytest.raises(UserError, match=f"port `{port}` of 127.0.0.1 is in use.*--next-port"):
        claim("127.0.0.1", port)


def test_the_next_free_one_is_taken_when_asked_for(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with claim("127.0.0.1", port, next_free=True) as found:
        assert port < found.getsockname()[1] <= port + 50


def test_a_port_can_be_taken_again_at_once() -> None:
    with claim("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        server, _ = first.accept()
        server.close()
        client.close()
    claim("127.0.0.1", port).close()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UserError, match="no address of this machine"):
        claim("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("10.0.0.1", False)],  # noqa: S104
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
