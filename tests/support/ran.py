"""What a command line printed, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """One run of `wardround ...` in this process."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed, which must be JSON of a run that went well."""
        assert self.code == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Ran]
