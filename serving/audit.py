"""The audit log: who asked which agent about which patient, and which passages were shown. No text."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import UserError


class AuditLog:
    """Lines of JSON, appended to a file that only its owner may read; several workers may share it.

    Raises:
        UserError: the file can't be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UserError(f"`{path}` cannot take the audit log ({error.strerror}): name another file") from None

    def asked(
        self, run: str, *, key: str, user: str | None, agent: str, patient: str | None, study: str | None
    ) -> None:
        """A turn is about to begin. Raises `OSError` where it can't be written: the turn must not begin then."""
        self._write(event="asked", run=run, key=key, user=user, agent=agent, patient=patient, study=study)

    def answered(self, run: str, *, status: str, sources: Sequence[str]) -> None:
        """It ended; `sources` are the ids of what was shown to the model or the caller."""
        self._write(event="answered", run=run, status=status, sources=list(sources))

    def refused(self, *, key: str, user: str | None, agent: str, patient: str | None, why: str) -> None:
        """It was not begun, since the caller may not."""
        self._write(event="refused", key=key, user=user, agent=agent, patient=patient, why=why)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def _write(self, **fields: Any) -> None:
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **fields}
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        # One call: the system does not mix what several processes append.
        if os.write(self._handle, data) != len(data):
            raise OSError(28, "the audit log could be written only in part")
