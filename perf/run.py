"""Every measurement, one after the other: what `make perf` runs.

    python perf/run.py [--only NAME ...] [--data DIR] [--work DIR] [--json FILE]

Takes about a quarter of an hour, 2 GB of disk and 8 GB of memory. What needs data that is not there is skipped and says
so. A missed target is shown, and the exit code is 1.
"""

from __future__ import annotations

import sys
import time

import diagnosis
import evaluation
import graph_overhead
import lexical
import open_report
import patients
import quality
import startup
import whole_search
from measuring import Measure, Options, Result, machine, options_parser, report

import training

MEASUREMENTS: dict[str, Measure] = {
    "startup": startup.measure,
    "graph_overhead": graph_overhead.measure,
    "diagnosis": diagnosis.measure,
    "quality": quality.measure,
    "whole_search": whole_search.measure,
    "lexical": lexical.measure,
    "evaluation": evaluation.measure,
    "open_report": open_report.measure,
    "patients": patients.measure,
    "training": training.measure,
}


def main() -> int:
    """Measure, print the table; 1 where a target is missed."""
    parser = options_parser(__doc__)
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS), metavar="NAME")
    given = parser.parse_args()
    options = Options(given.data, given.work)
    options.work.mkdir(parents=True, exist_ok=True)
    print(*(f"{key}: {value}" for key, value in machine().items()), sep="\n")
    results: list[Result] = []
    for name in given.only:
        start = time.perf_counter()
        results.append(MEASUREMENTS[name](options))
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    report(results, given.json)
    return int(any(figure.met is False for result in results for figure in result.figures))


if __name__ == "__main__":
    sys.exit(main())
