"""A `wardround models serve` that runs, as its clients see it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

import httpx
from pydantic import SecretStr
from wardround.settings import Settings

WARDROUND = [sys.executable, "-c", "from wardround.cli import main; main()"]
BASE = "SmolLM2-135M-Instruct"
PATIENCE_S = 600
"""A machine that is busy with other things writes less than a token a second."""


class Served(NamedTuple):
    """The server, and what a client needs."""

    address: str
    key: str
    port: int
    state: Path
    adapter: str
    """The served name of the adapter with random weights that was given at the start."""
    distiller: str | None
    """That of the shipped distiller, where there is one."""
    reasoner: str
    """That of the adapter tuned on demonstrations of reasoning."""
    pid: int
    """Of `wardround models serve`."""

    @property
    def environment(self) -> dict[str, str]:
        """For commands that use it."""
        return {
            **os.environ,
            "WARDROUND_STATE_DIR": str(self.state),
            "WARDROUND_API_KEY": self.key,
            "WARDROUND_TIMEOUT_S": str(PATIENCE_S),
            "WARDROUND_MODEL": f"openai:{BASE}@{self.address}",
            **({"WARDROUND_PROFILE": str(self.profile)} if self.distiller else {}),
        }

    @property
    def profile(self) -> Path:
        """The profile file that the server wrote."""
        return self.state / "servers" / str(self.port) / "profile.json"

    @property
    def settings(self) -> Settings:
        """For chat models that use it."""
        return Settings(_env_file=None, api_key=SecretStr(self.key), state_dir=self.state, timeout_s=PATIENCE_S)  # type: ignore[call-arg]

    def client(self) -> httpx.Client:
        """With the key."""
        root = self.address.removesuffix("/v1")
        return httpx.Client(
            base_url=root, headers={"authorization": f"Bearer {self.key}"}, timeout=300, trust_env=False
        )


def group(pid: int) -> set[int]:
    """All processes below `pid`."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        parents[int(stat.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}
