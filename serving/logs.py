"""Logs as lines of JSON on stderr: what happened, to which run, never what was said."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, and the fields that the call gave."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. Of an exception only its type is kept: its text may hold what somebody said."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _OWN}
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False, default=str)


class _Words(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in record.__dict__.items() if name not in _OWN)
        return f"{record.levelname.lower()}: {record.getMessage()} {fields}".rstrip()


def set_up_logs(*, as_json: bool) -> None:
    """Send the logs of server and gateway to stderr, and of everything else the warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else _Words())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("wardround", "uvicorn"):
        logging.getLogger(name).setLevel(logging.INFO)
