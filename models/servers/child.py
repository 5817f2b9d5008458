"""A server in a process group of its own: its log kept, its end noticed, and no part of it left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from ...errors import ModelUnavailable, UserError
from ...quiet import inherited

_POLL_S: Final = 0.3
_END_S: Final = 20.0
_TAIL: Final = 200
_ERROR: Final = re.compile(r"(?:^|[\s.])(\w*(?:Error|Exception)): (\S.*)")
# Ends the group when the pipe closes without a word, which happens however this process dies.
_WATCH: Final = 'read -r _ || { kill -s TERM -- "-$1"; sleep 10; kill -s KILL -- "-$1"; }'


class Child:
    """A running server program; use it in a `with`, whose end ends the program and all that it started."""

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        """Starts `command`. `environment` is laid over this process's; `log` takes what it prints.

        Raises:
            UserError: the program cannot be run.
        """
        self.log = log
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._unseen: deque[str] = deque(maxlen=_TAIL)
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- a list, and what is in it was built by our own code
                list(command),
                env=inherited(settings=False) | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C at the terminal reaches us alone; and the group can be ended whole
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise UserError(f"`{command[0]}` cannot be run ({error.strerror}): name another with `--python`") from None
        self._watch = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _WATCH, "watch", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._keep_log, name="server log", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the program, and of its process group."""
        return self._process.pid

    def last_lines(self) -> list[str]:
        """The end of what it printed."""
        return list(self._tail)

    def wait_ready(
        self, ready: Callable[[], bool], *, most_s: float, progress: Callable[[str, float], None] | None = None
    ) -> float:
        """Waits until `ready` says so, and returns the seconds that it took.

        `progress` is told each line that the server prints, and an empty one a few times a second, with the seconds
        so far. It may raise to give up.

        Raises:
            UserError, ModelUnavailable: it ended, with the cause that it printed; or `most_s` seconds went by.
        """
        start = time.monotonic()
        while True:
            took = time.monotonic() - start
            if self._process.poll() is not None:
                raise self.ended()
            if ready():
                return took
            if took > most_s:
                raise ModelUnavailable(
                    f"the model server was not ready after {most_s:.0f} s: wait longer with `--wait`; its log is "
                    f"`{self.log}`"
                )
            if progress is not None:
                while self._unseen:
                    progress(self._unseen.popleft(), took)
                progress("", took)
            time.sleep(_POLL_S)

    def check(self) -> None:
        """Raises what `ended` returns, if it has ended."""
        if self._process.poll() is not None:
            raise self.ended()

    def ended(self) -> UserError | ModelUnavailable:
        """Why it ended by itself, in one line."""
        self._reader.join(timeout=2.0)
        cause = _cause(self._tail)
        for pattern, remedy in _REMEDIES:
            if any(re.search(pattern, line) for line in self._tail):
                return UserError(f"the model server stopped ({cause}): {remedy}; its log is `{self.log}`")
        code = self._process.returncode
        return ModelUnavailable(f"the model server stopped with code {code} ({cause}): its log is `{self.log}`")

    def stop(self) -> None:
        """Ends it: politely, and after 20 seconds by force, with everything it started."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._signal(signal.SIGKILL)  # whatever is left of the group
        self._process.wait()
        self._reader.join(timeout=2.0)
        with suppress(OSError):
            self._watch.communicate(b"done\n", timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _keep_log(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        with self.log.open("w", encoding="utf-8") as sink:
            self.log.chmod(0o600)
            for line in self._process.stdout:
                sink.write(line)
                sink.flush()
                if line.strip():
                    self._tail.append(line.rstrip())
                    self._unseen.append(line.rstrip())


_REMEDIES: Final = (
    (r"No module named '?vllm", "make the environment with `make vllm-env`, or name its Python with `--python`"),
    (r"out of memory|OutOfMemory|No available memory for the cache", "free memory, or lower `--context`"),
    (r"larger than the (available KV|maximum number)", "lower `--context` or raise `--kv-cache-gib`"),
    (r"OfflineModeIsEnabled|LocalEntryNotFound|outgoing traffic", "fetch it with `hf download`, or use `--download`"),
    (r"invalid tool call parser", "name one that this vLLM has with `--tool-parser`"),
    (r"invalid reasoning parser", "name one that this vLLM has with `--reasoning-parser`"),
    (r"unrecognized arguments", "this vLLM does not know the option: leave it out, or install another version"),
)
"""What a user can do about the commonest ends, by what the log says."""


def _cause(lines: Sequence[str]) -> str:
    """The error that the log ends with. vLLM's last one only says that there was one before."""
    found = [match for line in lines if (match := _ERROR.search(line)) and "See root cause above" not in line]
    if found:
        return f"{found[-1][1]}: {found[-1][2]}"[:300]
    return lines[-1][:300] if lines else "it printed nothing"
