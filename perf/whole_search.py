"""Two-level search over an index of 428,000 passages: building it, opening it, searching it, and what that takes.

    python perf/whole_search.py

Targets: 95 % of searches within 20 ms, opening within a second, building within three minutes. Each step runs in a
process of its own. "First" openings and queries are those of a fresh process: imports, page faults and caches included.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from big_corpus import make
from measuring import LABELS, QUESTIONS, Figure, Options, Result, in_fresh_process, median, missing, run_alone, size_mb
from measuring import timed as time_each

INDEX = "big_index"
OPENINGS = 5
KINDS = {
    "brand": "question with a name of one medicine",
    "substance": "question with a name of many",
    "misspelt": "question with a misspelt name",
    "no_name": "question without a name",
    "as_asked": "question as consumers asked it",
}


def build_step(options: Options) -> dict[str, Any]:
    """Build the index anew, beside the one in use, and put it there once it is whole."""
    from wardround.corpora.building import Input, build_corpus

    made = make(options)
    out = options.work / f"{INDEX}.new"
    shutil.rmtree(out, ignore_errors=True)
    start, start_cpu = time.perf_counter(), time.process_time()
    built = build_corpus([Input("openfda", made.labels)], out)
    took = {"build_s": time.perf_counter() - start, "build_cpu_s": time.process_time() - start_cpu}
    shutil.rmtree(options.work / INDEX, ignore_errors=True)
    out.rename(options.work / INDEX)
    counts = {"medicines": built.manifest.medicines, "passages": built.manifest.passages}
    return {**took, **counts, "problems": len(built.problems), "size_mb": size_mb(options.work / INDEX)}


def open_step(options: Options) -> dict[str, Any]:
    """Open the index and ask one question, in a process that has done neither; then open it once more."""
    question = _questions(options)["brand"][0]
    start = time.perf_counter()
    from wardround.corpora import Corpus

    imported = time.perf_counter()
    corpus = Corpus(options.work / INDEX)
    opened = time.perf_counter()
    memory = _peak()
    corpus.search(question)
    asked = time.perf_counter()
    Corpus(options.work / INDEX)
    again = time.perf_counter()
    return {
        "import_s": imported - start,
        "open_s": opened - imported,
        "first_query_s": asked - opened,
        "open_again_s": again - asked,
        "opened_mb": memory,
    }


def search_step(options: Options) -> dict[str, Any]:
    """Each kind of question, one at a time, in one thread, in a process that has answered a few before."""
    from wardround.corpora import Corpus

    corpus = Corpus(options.work / INDEX)
    questions = _questions(options)
    for kind in KINDS:
        corpus.search(questions[kind][-1])
    return {
        kind: {
            **time_each(corpus.search, questions[kind]).as_json(),
            "linked": sum(bool(corpus.mentions(q)) for q in questions[kind]) / len(questions[kind]),
        }
        for kind in KINDS
    }


def _peak() -> float:
    from measuring import peak_mb

    return peak_mb()


def _questions(options: Options) -> dict[str, list[str]]:
    return json.loads(make(options).questions.read_text(encoding="utf-8"))


def drop_from_cache(folder: Path) -> None:
    """Ask the kernel to forget the files of a folder, so that the next opening reads the disk. Linux only."""
    import os

    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(options: Options) -> Result:
    """Build, open and search."""
    name = "Two-level search over the large corpus"
    if reason := missing(options, LABELS, QUESTIONS):
        return Result(name, skipped=reason)
    built = in_fresh_process("whole_search.py", "build", options)
    drop_from_cache(options.work / INDEX)
    cold = in_fresh_process("whole_search.py", "open", options)
    warm = [in_fresh_process("whole_search.py", "open", options) for _ in range(OPENINGS)]
    found = in_fresh_process("whole_search.py", "search", options)
    counted = f"{built['medicines']:,} medicines, {built['passages']:,} passages"
    figures = [
        Figure(
            "build, sources to index", built["build_s"], "s", 180, f"{built['build_cpu_s']:.0f} s of work; {counted}"
        ),
        Figure("build, peak memory", built["peak_mb"], "MB"),
        Figure("index on disk", built["size_mb"], "MB"),
        Figure("open, first, files not in memory", cold["open_s"], "s", 1),
        Figure("open, first, files in memory", median([w["open_s"] for w in warm]), "s", 1, f"median of {OPENINGS}"),
        Figure("open, again in one process", median([w["open_again_s"] for w in warm]), "s"),
        Figure("import wardround.corpora", median([w["import_s"] for w in warm]), "s"),
        Figure("first query, files not in memory", cold["first_query_s"] * 1e3, "ms"),
        Figure("first query, files in memory", median([w["first_query_s"] for w in warm]) * 1e3, "ms"),
        Figure("opened, peak memory", median([w["opened_mb"] for w in warm]), "MB"),
        Figure("after all questions, peak memory", found["peak_mb"], "MB"),
    ]
    for kind, what in KINDS.items():
        times = found[kind]
        spread = f"p50 {times['p50_ms']:.1f}, max {times['max_ms']:.1f}; work p95 {times['cpu_p95_ms']:.1f}"
        note = f"{spread}; {times['linked']:.0%} linked; n = {times['n']}"
        figures.append(Figure(f"{what}, p95", times["p95_ms"], "ms", 20, note))
    return Result(name, tuple(figures))


if __name__ == "__main__":
    run_alone(measure, __doc__, {"build": build_step, "open": open_step, "search": search_step})
