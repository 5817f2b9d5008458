"""What a server that wardround starts lets nobody do, tried on a real one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from chat_server import ChatServer
from served import BASE, WARDROUND, Served, group
from wardround.models.servers.families import known_parsers
from wardround.models.servers.running import upstream_of
from wardround.models.servers.vllm_command import MOST_SEQUENCES, NO_DOMAIN

pytestmark = pytest.mark.timeout(900)
ASKED = {"model": BASE, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 2}


@pytest.fixture(scope="module")
def facts(vllm_env: Path) -> dict[str, Any]:
    """What tests/with_vllm/facts.py says, and the requests that reached the server whose image it asked for."""
    with ChatServer() as server:
        script = Path(__file__).with_name("facts.py")
        done = subprocess.run(
            [str(vllm_env), str(script), f"{server.address}/x.png", NO_DOMAIN],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1]) | {"requests": server.requests}


def test_vllm_itself_has_routes_without_a_key_and_the_gate_has_not(served: Served) -> None:
    inner = upstream_of(served.settings, served.port)
    body = {"model": BASE, "prompt": "hi"}
    with httpx.Client(transport=httpx.HTTPTransport(uds=inner.socket), base_url="http://vllm") as past_the_gate:
        assert past_the_gate.post("/tokenize", json=body).status_code == 200  # why there is a gate
        assert past_the_gate.post("/v1/chat/completions", json=ASKED).status_code == 401
    with served.client() as client:
        for path in ("/tokenize", "/invocations", "/metrics", "/v1/load_lora_adapter", "/v1/completions"):
            assert client.post(path, json=body).status_code == 404
            assert httpx.post(f"{client.base_url}{path}", json=body).status_code == 401


def test_its_socket_is_its_owner_s_alone(served: Served) -> None:
    inner = upstream_of(served.settings, served.port)
    assert inner.socket is not None
    assert Path(inner.socket).parent.stat().st_mode & 0o777 == 0o700


def test_vllm_listens_on_no_address_of_the_network(served: Served) -> None:
    started = group(served.pid)
    assert len(started) >= 2  # the API server and its engine
    links = [str(link.readlink()) for pid in started for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    inodes = {link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:[")}
    # Its processes talk to each other over loopback; the API itself has no port, only the socket.
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    lines = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    listening = {line[1].partition(":")[0] for line in lines if line[3] == "0A" and line[9] in inodes}  # 0A: listening
    assert listening <= {"0100007F", "00000000000000000000000001000000"}


def test_no_key_is_on_a_command_line_or_in_the_log(served: Served) -> None:
    inner = upstream_of(served.settings, served.port)
    shown = "".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in {served.pid, *group(served.pid)})
    shown += "".join(log.read_text() for log in served.state.rglob("*.log"))
    assert inner.key not in shown
    assert served.key not in shown


def test_a_request_for_many_replies_is_refused(served: Served) -> None:
    with served.client() as client:
        assert client.post("/v1/chat/completions", json={**ASKED, "n": 2}).status_code == 200
        refused = client.post("/v1/chat/completions", json={**ASKED, "n": MOST_SEQUENCES + 1})
    assert refused.status_code == 400
    assert str(MOST_SEQUENCES) in refused.text


def test_a_template_from_a_request_is_refused(served: Served) -> None:
    with served.client() as client:
        refused = client.post("/v1/chat/completions", json={**ASKED, "chat_template": "{{ 7 * 7 }}"})
    assert refused.status_code == 400


def test_what_was_said_is_not_in_the_log(served: Served) -> None:
    with served.client() as client:
        body = {**ASKED, "messages": [{"role": "user", "content": "Mrs Pomegranate-Ziegler has a cough"}]}
        assert client.post("/v1/chat/completions", json=body).status_code == 200
    assert "Pomegranate" not in "".join(log.read_text() for log in served.state.rglob("*.log"))


def test_no_address_in_a_request_is_fetched(facts: dict[str, Any]) -> None:
    assert "allowed domains" in facts["refused"]
    assert facts["requests"] == []


def test_this_vllm_has_every_parser_of_the_table(facts: dict[str, Any]) -> None:
    assert {parsers.tools for parsers in known_parsers()} - {None, *facts["tools"]} == set()
    assert {parsers.reasoning for parsers in known_parsers()} - {None, *facts["reasoning"]} == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tool-parser", "unheard-of"), "--tool-parser"),
        (("--model", "nobody/nothing-7b", "--tool-parser", "none"), "hf download"),
        (("--", "--no-such-option"), "does not know the option"),
    ],
)
def test_what_vllm_refuses_is_one_line_that_says_what_to_do(
    served: Served, arguments: tuple[str, ...], said: str
) -> None:
    done = subprocess.run(
        [*WARDROUND, "models", "serve", "--port", "0", *arguments],
        env=served.environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2, done.stderr
    assert last.startswith("wardround: the model server stopped (")
    assert said in last
