"""Downloading openFDA's files, from a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from wardround.corpora.sources.fetch import fetch_openfda
from wardround.errors import UserError

CONTENT = bytes(range(256)) * 4096
NAME = "drug-label-0001-of-0001.json.zip"


class Server(ThreadingHTTPServer):
    """Serves an index with one file; counts requests and can break off."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.file_url = f"{self.url}/drug/label/{NAME}"
        self.export_date = "2026-11-01"
        self.send_only = len(CONTENT)
        self.ranges: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] - narrowed as http.server means it

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/download.json":
            label = {
                "export_date": self.server.export_date,
                "total_records": 3,
                "partitions": [{"file": self.server.file_url, "size_mb": "1.00", "records": 3}],
            }
            body = json.dumps({"meta": {}, "results": {"drug": {"label": label, "event": {}}}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : start + self.server.send_only])
        self.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_files_are_placed_whole_and_progress_is_told(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    fetched = fetch_openfda(
        tmp_path, base_url=server.url, progress=lambda name, done, size: seen.append((name, done, size))
    )
    assert fetched.files == (tmp_path / NAME,)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert seen[-1] == (NAME, len(CONTENT), len(CONTENT))


def test_a_broken_download_goes_on_where_it_ended(server: Server, tmp_path: Path) -> None:
    server.send_only = 300_000
    with pytest.raises(UserError, match="goes on from here"):
        fetch_openfda(tmp_path, base_url=server.url)
    assert not (tmp_path / NAME).exists()
    have = (tmp_path / f"{NAME}.part").stat().st_size
    server.send_only = len(CONTENT)
    fetch_openfda(tmp_path, base_url=server.url)
    assert server.ranges == [None, f"bytes={have}-"]
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_whole_files_are_not_fetched_again(server: Server, tmp_path: Path) -> None:
    fetch_openfda(tmp_path, base_url=server.url)
    fetch_openfda(tmp_path, base_url=server.url)
    assert server.ranges == [None]


def test_a_new_export_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    fetch_openfda(tmp_path, base_url=server.url)
    server.export_date = "2026-12-01"
    fetch_openfda(tmp_path, base_url=server.url)
    assert server.ranges == [None, None]


@pytest.mark.parametrize(
    "address", ["http://elsewhere.example/drug-label-1.json.zip", "{url}/../../etc/passwd", "{url}/drug/label/x.sh"]
)
def test_foreign_addresses_and_files_are_refused(server: Server, tmp_path: Path, address: str) -> None:
    server.file_url = address.format(url=server.url)
    with pytest.raises(UserError, match="not f"):
        fetch_openfda(tmp_path, base_url=server.url)


def test_no_server_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="check the connection"):
        fetch_openfda(tmp_path, base_url="http://127.0.0.1:9")
