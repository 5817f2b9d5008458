"""A real PostgreSQL on loopback, where its programs are installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest


@contextmanager
def postgres_server() -> Generator[str]:
    """The address of a new server; skips the test where there can be none."""
    pytest.importorskip("langgraph.checkpoint.postgres", reason="pip install 'wardround[postgres]'")
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    with tempfile.TemporaryDirectory() as folder:
        as_user: list[str | Path] = []
        if os.geteuid() == 0:  # it refuses to run as root
            if shutil.which("runuser") is None:
                pytest.skip("PostgreSQL does not run as root, and there is no `runuser`")
            shutil.chown(folder, "nobody")
            as_user = ["runuser", "-u", "nobody", "--"]
        data = f"{folder}/data"
        setup = [*as_user, programs / "initdb", "-D", data, "-U", "w", "-A", "trust"]
        made = subprocess.run(setup, check=False, capture_output=True)
        if made.returncode:
            pytest.skip(f"initdb fails here: {made.stderr.decode()[-200:]}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"]
        command = [*as_user, programs / "postgres", "-D", data, *options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            address = f"postgresql://w@127.0.0.1:{port}/postgres"
            _answers(address)
            yield address
            # Its own process, not `runuser`, and with the signal that waits for nothing: its data goes, too.
            os.kill(int(Path(data, "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
            server.wait(60)


def fresh_database(address: str) -> str:
    """The address of a new, empty database on the server."""
    import psycopg
    from psycopg import sql

    name = f"d{uuid4().hex[:12]}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return f"{address.rpartition('/')[0]}/{name}"


def _programs() -> Path | None:
    folders = [Path(found).parent for found in [shutil.which("postgres")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def _answers(address: str) -> None:
    """Waits until the server takes connections, ten seconds at most."""
    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(address, connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
