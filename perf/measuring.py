"""What the measurements share: figures and their table, percentiles, the options, and steps in a process of their own.

Memory can only be told of a process as a whole, and what one engine leaves in it would be counted for the next; so what
is measured for memory or for a first opening runs in a fresh process: the same file, called with `--step NAME`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
LABELS = "openfda_labels/openfda_labels_compact.jsonl.gz"
QUESTIONS = "medicationqa/questions_dev.jsonl"


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    what: str
    value: float
    unit: str
    target: float | None = None
    """The most (for `/s`, `times` and shares: the least) that it should be."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.unit in ("/s", "times", "share") else self.value <= self.target


@dataclass(frozen=True)
class Result:
    """What one measurement found, or why it was skipped."""

    name: str
    figures: tuple[Figure, ...] = ()
    skipped: str = ""


@dataclass(frozen=True)
class Options:
    """Where things lie."""

    data: Path
    work: Path
    """Made corpora and indexes are kept here between runs."""


Measure = Callable[[Options], Result]


def work_folder() -> Path:
    """The default for what is made: in the user's cache, never in the repository."""
    from wardround.settings import get_settings

    return get_settings().cache_dir / "perf"


def options_parser(description: str | None) -> argparse.ArgumentParser:
    """The options of every measurement."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the data sets (%(default)s)")
    parser.add_argument("--work", type=Path, default=work_folder(), help="folder for what is made (%(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    return parser


def run_alone(measure: Measure, description: str | None, steps: dict[str, Callable[[Options], Any]]) -> None:
    """The `main` of a measurement: run it and print its table, or, with `--step`, one step of it as a line of JSON."""
    parser = options_parser(description)
    parser.add_argument("--step", choices=sorted(steps), help=argparse.SUPPRESS)
    given = parser.parse_args()
    options = Options(given.data, given.work)
    if given.step:
        print(json.dumps({**steps[given.step](options), "peak_mb": peak_mb()}))
    else:
        report([measure(options)], given.json)


def in_fresh_process(script: str, step: str, options: Options) -> dict[str, Any]:
    """Run a step of `perf/<script>` by itself, with one thread; what it found, and its peak memory as `peak_mb`."""
    command = [sys.executable, str(ROOT / "perf" / script), "--step", step]
    command += ["--data", str(options.data), "--work", str(options.work)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **threads}, check=False)
    if done.returncode:
        raise RuntimeError(f"step `{step}` of perf/{script} failed:\n{done.stderr}")
    return {**json.loads(done.stdout.splitlines()[-1]), "process_s": time.perf_counter() - started}


def peak_mb() -> float:
    """The most memory that this process held so far, in MB (10^6 bytes); touched pages of mapped files count."""
    if sys.platform == "win32":
        raise RuntimeError("peak memory is measured on Linux and macOS only")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


@dataclass(frozen=True)
class Times:
    """Seconds of each of many calls, by the clock and of this thread's work."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    def as_json(self) -> dict[str, float]:
        """Percentiles in milliseconds and calls a second; `cpu_` leaves out what others did on the machine."""
        return {
            "p50_ms": percentile(self.wall, 50) * 1e3,
            "p95_ms": percentile(self.wall, 95) * 1e3,
            "max_ms": max(self.wall) * 1e3,
            "cpu_p50_ms": percentile(self.cpu, 50) * 1e3,
            "cpu_p95_ms": percentile(self.cpu, 95) * 1e3,
            "cpu_max_ms": max(self.cpu) * 1e3,
            "per_s": len(self.wall) / sum(self.wall),
            "cpu_per_s": len(self.cpu) / sum(self.cpu),
            "n": len(self.wall),
        }


def timed(call: Callable[[Any], object], inputs: Sequence[Any]) -> Times:
    """How long `call` takes for each of `inputs`, one at a time."""
    wall: list[float] = []
    cpu: list[float] = []
    for each in inputs:
        start, start_cpu = time.perf_counter(), time.thread_time()
        call(each)
        cpu.append(time.thread_time() - start_cpu)
        wall.append(time.perf_counter() - start)
    return Times(tuple(wall), tuple(cpu))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` of them don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)]


def median(values: Sequence[float]) -> float:
    """The 50th percentile."""
    return percentile(values, 50)


def missing(options: Options, *names: str) -> str:
    """Why the measurement can't run, where a file of the data is absent; else nothing."""
    absent = [str(options.data / name) for name in names if not (options.data / name).exists()]
    return f"there is no {', '.join(absent)}: name the folder with --data" if absent else ""


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file, gzipped or not."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in raw.splitlines() if line.strip()]


def size_mb(folder: Path) -> float:
    """The size of all files below `folder`, in MB (10^6 bytes)."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    about: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }
    if hasattr(os, "getloadavg"):
        about["load"] = os.getloadavg()[0]
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    about["cpu"] = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return about


def report(results: Sequence[Result], json_file: Path | None) -> None:
    """Print the figures as a table and write them to `json_file`."""
    for result in results:
        print(f"\n{result.name}" + (f": skipped, {result.skipped}" if result.skipped else ""))
        for figure in result.figures:
            target = "" if figure.target is None else f"target {figure.target:g}: {'met' if figure.met else 'MISSED'}"
            print(f"  {figure.what:<58} {figure.value:>12,.3f} {figure.unit:<6} {target:<22} {figure.note}".rstrip())
    if json_file:
        measured = [{**asdict(r), "figures": [{**asdict(f), "met": f.met} for f in r.figures]} for r in results]
        text = json.dumps({"machine": machine(), "results": measured}, ensure_ascii=False, indent=2)
        json_file.write_text(text + "\n", encoding="utf-8")
