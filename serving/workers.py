"""Which workers are alive: each holds a lock on a file of its own, which the system lets go of whenever it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from uuid import uuid4


class Workers:
    """The workers over one folder, this process among them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.own = uuid4().hex[:12]
        self._lock = os.open(self._file(self.own), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _file(self, worker: str) -> Path:
        return self._folder / f"{worker}.lock"

    def alive(self, worker: str) -> bool:
        """Whether the worker still runs."""
        if worker == self.own:
            return True
        try:
            handle = os.open(self._file(worker), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        self._file(worker).unlink(missing_ok=True)
        return False

    def close(self) -> None:
        """Be no worker any more."""
        self._file(self.own).unlink(missing_ok=True)
        os.close(self._lock)
