"""The files in `deploy`: as far as they can be checked without an engine; the nginx file with a real nginx."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from chat_server import ChatServer, endless
from gateway_server import served as serving
from wardround.serving import Options, create_app, utility_agent

DEPLOY = Path(__file__).parents[1] / "deploy"


def compose() -> Any:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_commands_of_the_containers_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    from wardround.cli import main

    command = compose()["services"]["gateway"]["command"]
    for words in (command, re.findall(r'"([^"]+)"', (DEPLOY / "Dockerfile").read_text().rpartition("CMD")[2])):
        monkeypatch.setattr(sys, "argv", ["wardround", *words, "--help"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0


def test_only_the_gateway_is_reachable_and_only_from_its_machine() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["gateway"]
    assert all(port.startswith("127.0.0.1:") for port in services["gateway"]["ports"])
    assert all(service["networks"] == ["back"] for name, service in services.items() if name != "gateway")
    assert compose()["networks"]["back"]["internal"] is True


def test_images_have_a_version() -> None:
    images = [service["image"] for service in compose()["services"].values() if "image" in service]
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert images
    assert not [image for image in images if ":" not in image or image.endswith(":latest")]


def test_the_image_takes_every_package() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    packages = re.findall(r'^    "wardround\.(\w+)",$', (DEPLOY.parent / "pyproject.toml").read_text(), re.MULTILINE)
    assert packages
    assert not [name for name in packages if f"!{name}" not in ignored]


@contextmanager
def nginx(folder: Path, gateway: str) -> Generator[str]:
    """A real nginx with our file, its names and paths replaced; its address."""
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        pytest.skip("no nginx or openssl on this machine: apt-get install nginx openssl")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run(made, check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in {
        "/etc/nginx/wardround/fullchain.pem": str(folder / "cert.pem"),
        "/etc/nginx/wardround/privkey.pem": str(folder / "key.pem"),
        "/run/nginx.pid": str(folder / "nginx.pid"),
        "/var/log/nginx/wardround.log": str(folder / "error.log"),
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server 127.0.0.1:8000": f"server {gateway.removeprefix('http://')}",
        "wardround.hospital.example": "localhost",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(f"daemon off;\n{text}")
    command = ["nginx", "-c", folder / "nginx.conf", "-p", folder]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"https://localhost:{port}"
        process.terminate()


def test_nginx_passes_words_on_as_they_come_and_a_closed_tab_too(
    tmp_path: Path, chat_server: ChatServer, served: Any
) -> None:
    chat_server.always(endless(pause_s=0.02))
    options = Options(state=tmp_path / "state", hosts=("localhost",))
    app = create_app([utility_agent(served())], options)
    body = {"model": "utility", "messages": [{"role": "user", "content": "Count."}], "stream": True}
    with serving(app) as gateway, nginx(tmp_path, gateway) as address:
        context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        with httpx.Client(base_url=address, verify=context, timeout=20) as http:
            assert http.get("/metrics").status_code == 404
            assert http.get("/v1/models").status_code == 200
            with http.stream("POST", "/v1/chat/completions", json=body) as reply:
                lines = reply.iter_lines()
                first = [next(lines) for _ in range(8)]
            assert any("on and" in line for line in first)
            assert chat_server.hung_up.wait(10)
