"""How long a person waits for `wardround --help`, and a program for `import wardround`.

    python perf/startup.py

Each is a fresh process, from its start to its end; the first run, which may read the disk, is left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from measuring import Figure, Options, Result, median, run_alone

RUNS = 10


def _seconds(command: Sequence[str]) -> list[float]:
    taken: list[float] = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return taken[1:]


def measure(_options: Options) -> Result:
    """The command as it is installed beside this Python."""
    name = "Start"
    command = shutil.which("wardround", path=str(Path(sys.executable).parent))
    if command is None:
        return Result(name, skipped="`wardround` is not installed beside this Python: run `make venv`")
    cases: tuple[tuple[str, list[str], float | None], ...] = (
        ("wardround --help", [command, "--help"], 0.5),
        ("import wardround", [sys.executable, "-c", "import wardround"], None),
        ("import wardround.graphs", [sys.executable, "-c", "import wardround.graphs"], None),
        ("python without anything", [sys.executable, "-c", ""], None),
    )
    figures: list[Figure] = []
    for what, line, target in cases:
        taken = _seconds(line)
        note = f"median of {RUNS}; {min(taken):.2f} to {max(taken):.2f}"
        figures.append(Figure(what, median(taken), "s", target, note))
    return Result(name, tuple(figures))


if __name__ == "__main__":
    run_alone(measure, __doc__, {})
