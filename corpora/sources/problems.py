"""What could not be read: broken rows are reported with file and line and skipped, never fatal, never silent."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pydantic import BaseModel, ConfigDict

KEPT = 1000
"""Problems kept with file and line. Further ones are only counted."""

_REASON_CHARS = 300


class RowError(ValueError):
    """One row cannot become a Medicine. The text is the reason as it is reported, in one line."""


class Problem(BaseModel):
    """One row that was skipped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: int
    """1-based line on which the row begins (0: the file as a whole)."""
    reason: str


class Problems:
    """Collects what was skipped while sources are read: counts all, keeps the first `KEPT`."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.by_reason: Counter[str] = Counter()
        """How often each kind of reason occurred. The kind is the reason up to its first colon."""

    def __len__(self) -> int:
        return self.by_reason.total()

    def add(self, file: Path, line: int, reason: str) -> None:
        """Record that the row beginning on `line` of `file` was skipped, and why."""
        reason = " ".join(reason.split())[:_REASON_CHARS]
        self.by_reason[reason.partition(":")[0]] += 1
        if len(self.kept) < KEPT:
            self.kept.append(Problem(file=str(file), line=line, reason=reason))

    def first_since(self, count: int) -> str | None:
        """The first problem after the first `count` ones, as one line; None if there was none or it was not kept."""
        if len(self) <= count or count >= len(self.kept):
            return None
        first = self.kept[count]
        return f"line {first.line}: {first.reason}" if first.line else first.reason

    def write_jsonl(self, path: Path) -> None:
        """Write the kept problems, one JSON object a line (`file`, `line`, `reason`)."""
        with path.open("w", encoding="utf-8") as file:
            for problem in self.kept:
                file.write(problem.model_dump_json() + "\n")
