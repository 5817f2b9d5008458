"""How good it is: benchmarks, runs, and what they came to.

The benchmarks themselves are modules of `wardround.evals.benchmarks`, judges are in `wardround.evals.judging`, the
report is `wardround.evals.report.write_report`.
"""

from .benchmark import Benchmark, Example, Metric, Output, Score, Target
from .comparing import compare_runs
from .runs import arun, run
from .summary import summarize
from .targets import GraphTarget, ModelTarget

__all__ = [
    "Benchmark",
    "Example",
    "GraphTarget",
    "Metric",
    "ModelTarget",
    "Output",
    "Score",
    "Target",
    "arun",
    "compare_runs",
    "run",
    "summarize",
]
