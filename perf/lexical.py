"""BM25 over 428,000 passages: our postings, rank-bm25 and (where installed) bm25s, on the same terms, in the same run.

    python perf/lexical.py

The queries are real consumers' questions. Each engine works in processes of its own, in one thread, one query at a
time. Targets: the ten best of rank-bm25, rank by rank and score by score, at 40 times its speed. rank-bm25 and its
ratio are measured on the first `SAMPLE` questions only, as it takes a second for each.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

from big_corpus import make
from measuring import LABELS, QUESTIONS, Figure, Options, Result, in_fresh_process, missing, run_alone, size_mb
from measuring import timed as time_each

SAMPLE = 40
K = 10
_TERMS = "big_terms.txt"
_POSTINGS = "big_postings"
_STOCK = "big_bm25s"
Best = list[tuple[int, float]]


def terms_step(options: Options) -> dict[str, Any]:
    """Write the search terms of every passage, one a line: what all engines index."""
    from wardround.corpora.index import search_terms
    from wardround.corpora.passages import passages_of
    from wardround.corpora.sources import Problems, read_source

    passages = words = 0
    with (options.work / _TERMS).open("w", encoding="utf-8") as file:
        for medicine in read_source("openfda", make(options).labels, Problems()):
            for passage in passages_of(medicine):
                file.write(" ".join(search_terms(passage, medicine)) + "\n")
                passages, words = passages + 1, words + len(passage.text.split())
    return {"passages": passages, "words": words / passages}


def _term_lists(options: Options) -> Iterator[list[str]]:
    with (options.work / _TERMS).open(encoding="utf-8") as file:
        for line in file:
            yield list(map(sys.intern, line.split()))


def _queries(options: Options) -> list[list[str]]:
    from wardround.corpora.words import terms

    questions = json.loads(make(options).questions.read_text(encoding="utf-8"))["as_asked"]
    return [found for question in questions if (found := terms(question))]


def ours_build_step(options: Options) -> dict[str, Any]:
    """Our postings, written to disk. Passages come one at a time and are not kept."""
    from wardround.corpora.bm25 import PostingsBuilder

    folder = options.work / _POSTINGS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    start, start_cpu = time.perf_counter(), time.process_time()
    builder = PostingsBuilder()
    for passage in _term_lists(options):
        builder.add(passage)
    builder.write(folder)
    return {**_took(start, start_cpu), "size_mb": size_mb(folder)}


def ours_step(options: Options) -> dict[str, Any]:
    """Our postings, opened and searched."""
    from wardround.corpora.bm25 import Postings

    engine = Postings(options.work / _POSTINGS)

    def search(query: list[str]) -> Best:
        rows, scores = engine.top(query, K)
        return list(zip(rows.tolist(), scores.tolist(), strict=True))

    return _searched(search, _queries(options))


def reference_step(options: Options) -> dict[str, Any]:
    """rank-bm25, indexed in memory and searched for the sample."""
    from wardround.corpora.bm25 import RankBM25

    start, start_cpu = time.perf_counter(), time.process_time()
    engine = RankBM25(list(_term_lists(options)))
    took = _took(start, start_cpu)

    def search(query: list[str]) -> Best:
        rows, scores = engine.top(query, K)
        return list(zip(rows.tolist(), scores.tolist(), strict=True))

    return {**took, **_searched(search, _queries(options)[:SAMPLE])}


class _Stock(Protocol):
    """The part of bm25s that is used."""

    def index(self, corpus: list[list[str]], *, show_progress: bool) -> None: ...

    def save(self, save_dir: str) -> None: ...

    def retrieve(
        self, query_tokens: list[list[str]], *, k: int, show_progress: bool, n_threads: int, backend_selection: str
    ) -> tuple[Any, Any]: ...


def stock_step(options: Options) -> dict[str, Any]:
    """bm25s with numpy, in the variant that is nearest to BM25Okapi, indexed in memory and searched."""
    bm25s = import_module("bm25s")  # no dependency: measured where it happens to be installed
    start, start_cpu = time.perf_counter(), time.process_time()
    engine = cast(_Stock, bm25s.BM25(k1=1.5, b=0.75, method="robertson", backend="numpy"))
    engine.index(list(_term_lists(options)), show_progress=False)
    took = _took(start, start_cpu)
    shutil.rmtree(options.work / _STOCK, ignore_errors=True)
    engine.save(str(options.work / _STOCK))

    def search(query: list[str]) -> Best:
        rows, scores = engine.retrieve([query], k=K, show_progress=False, n_threads=0, backend_selection="numpy")
        return list(zip(rows[0].tolist(), scores[0].tolist(), strict=True))

    return {**took, **_searched(search, _queries(options)), "size_mb": size_mb(options.work / _STOCK)}


def _took(start: float, start_cpu: float) -> dict[str, float]:
    return {"build_s": time.perf_counter() - start, "build_cpu_s": time.process_time() - start_cpu}


def _searched(search: Callable[[list[str]], Best], queries: list[list[str]]) -> dict[str, Any]:
    search(queries[-1])
    return {
        "all": time_each(search, queries).as_json(),
        "sample": time_each(search, queries[:SAMPLE]).as_json(),
        "best": [search(query) for query in queries[:SAMPLE]],
    }


def _speed(what: str, found: dict[str, Any]) -> list[Figure]:
    times = found["all"]
    note = f"one at a time, n = {times['n']}; by work alone {times['cpu_per_s']:.1f} /s"
    return [
        Figure(f"{what}, queries", times["per_s"], "/s", None, note),
        Figure(f"{what}, p95", times["p95_ms"], "ms", None, f"p50 {times['p50_ms']:.2f}, max {times['max_ms']:.1f}"),
    ]


def _ratio(what: str, ours: dict[str, Any], other: dict[str, Any], target: float | None) -> Figure:
    ours, other = ours["sample"], other["sample"]
    note = f"by the clock {ours['per_s'] / other['per_s']:.0f}; the same {other['n']} queries"
    return Figure(f"ours / {what}, by work", ours["cpu_per_s"] / other["cpu_per_s"], "times", target, note)


def _same(a: list[Best], b: list[Best]) -> float:
    """The share of queries with the same rows in the same order."""
    return sum([r for r, _ in x] == [r for r, _ in y] for x, y in zip(a, b, strict=True)) / len(a)


def measure(options: Options) -> Result:
    """All engines, one after the other."""
    name = "Lexical ranking over the large corpus"
    if reason := missing(options, LABELS, QUESTIONS):
        return Result(name, skipped=reason)
    script = Path(__file__).name
    made = in_fresh_process(script, "terms", options)
    build = in_fresh_process(script, "ours_build", options)
    ours = in_fresh_process(script, "ours", options)
    reference = in_fresh_process(script, "reference", options)
    assert ours["best"] == reference["best"], "our top 10 is not rank-bm25's"
    figures = [
        Figure("passages", made["passages"], "", None, f"{made['words']:.0f} words on average"),
        *_speed("ours", ours),
        *_speed("rank-bm25", reference),
        _ratio("rank-bm25", ours, reference, 40),
        Figure("same top 10 and scores as rank-bm25", 1.0, "share", 1, f"to the last bit, n = {len(ours['best'])}"),
        Figure("ours, building", build["build_s"], "s", None, f"{build['build_cpu_s']:.0f} s of work"),
        Figure("rank-bm25, building", reference["build_s"], "s", None, f"{reference['build_cpu_s']:.0f} s of work"),
        Figure("ours, peak memory of building", build["peak_mb"], "MB"),
        Figure("ours, peak memory of searching", ours["peak_mb"], "MB", None, "touched pages of the index included"),
        Figure("rank-bm25, peak memory", reference["peak_mb"], "MB"),
        Figure("ours, on disk", build["size_mb"], "MB"),
    ]
    if find_spec("bm25s"):
        stock = in_fresh_process(script, "stock", options)
        figures += [
            *_speed("bm25s", stock),
            _ratio("bm25s", ours, stock, None),
            Figure("bm25s, same top 10 as rank-bm25", _same(stock["best"], reference["best"]), "share"),
            Figure("bm25s, building", stock["build_s"], "s", None, f"{stock['build_cpu_s']:.0f} s of work"),
            Figure("bm25s, peak memory", stock["peak_mb"], "MB"),
            Figure("bm25s, on disk", stock["size_mb"], "MB"),
        ]
    return Result(name, tuple(figures))


if __name__ == "__main__":
    steps = {"terms": terms_step, "ours_build": ours_build_step, "ours": ours_step, "reference": reference_step}
    run_alone(measure, __doc__, {**steps, "stock": stock_step})
