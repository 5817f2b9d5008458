"""How many examples run at once: more while the server takes them, fewer when it says that it is overloaded."""

from __future__ import annotations

import asyncio
import time
from typing import Final

_BACK_OFF: Final = 0.8
"""What is left of the limit after a rate limit."""
_DEAF_S: Final = 1.0
"""Calls under way when the server first complained complain too; for so long they count as one complaint."""
_PATIENT: Final = 4
"""After the first complaint the limit grows by one only once this many times the limit have succeeded."""


class Limiter:
    """Slots for work. The limit doubles with each full round of successes until the first rate limit, falls by a fifth
    with every one, and creeps up again. Belongs to one event loop; `complain` may be called from any thread."""

    def __init__(self, *, start: int, ceiling: int) -> None:
        self.ceiling = ceiling
        self.limit = min(start, ceiling)
        self.complaints = 0
        self._busy = 0
        self._succeeded = 0
        self._loop = asyncio.get_running_loop()
        self._free = asyncio.Event()
        self._pause_until = 0.0
        self._deaf_until = 0.0

    async def acquire(self) -> None:
        """Wait for a slot, and for the end of a pause that the server asked for."""
        while True:
            pause = self._pause_until - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            elif self._busy < self.limit:
                self._busy += 1
                return
            else:
                self._free.clear()
                await self._free.wait()

    def release(self, *, succeeded: bool) -> None:
        """Give a slot back."""
        self._busy -= 1
        self._succeeded += succeeded
        if self._succeeded >= self.limit * (_PATIENT if self.complaints else 1):
            self._succeeded = 0
            self.limit = min(self.ceiling, self.limit + 1 if self.complaints else self.limit * 2)
        self._free.set()

    def complain(self, retry_after_s: float) -> None:
        """The server is overloaded and asks to be left alone for `retry_after_s` seconds (0: it doesn't say)."""
        self._loop.call_soon_threadsafe(self._complained, retry_after_s)

    def _complained(self, retry_after_s: float) -> None:
        now = time.monotonic()
        self._pause_until = max(self._pause_until, now + retry_after_s)
        self._succeeded = 0
        if now >= self._deaf_until:
            self.complaints += 1
            self.limit = max(1, int(self.limit * _BACK_OFF))
            self._deaf_until = now + _DEAF_S
