"""How long a person waits for the report of 3,000 examples: to be written, to open, and to search in.

    python perf/open_report.py

A real run against the mock model server, two model calls an example, every trace in the report. Needs playwright and a
Chromium; the browser is already open when the clock starts, and the clock stops when the figures can be seen.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from evaluation import ours
from measuring import Figure, Options, Result, median, run_alone
from mock_model_server import mock_server
from wardround.evals.report import write_report

N = 3000
RUNS = 5


def _opened(browser: Any, report: Path) -> tuple[float, float]:
    """Seconds until the overview is seen, and until a search shows its one example."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    begin = time.perf_counter()
    page.goto(report.as_uri(), wait_until="commit")
    page.wait_for_selector("#overview:not([hidden])")
    opened = time.perf_counter() - begin
    page.click("#to-examples")
    page.wait_for_selector("input[type=search]")
    begin = time.perf_counter()
    page.fill("input[type=search]", f"{N - 7}. A 54-year-old")
    page.locator("#examples", has_text=f"1 of {N:,} examples").wait_for()
    found = time.perf_counter() - begin
    page.close()
    return opened, found


def measure(_options: Options) -> Result:
    """Write one report, open it several times."""
    name = "report"
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None or importlib.util.find_spec("playwright") is None:
        return Result(name, skipped="no playwright or no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with mock_server() as address:
            ours(address, N, run)
        begin = time.perf_counter()
        report = write_report(run)
        written = time.perf_counter() - begin
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            times = [_opened(browser, report) for _ in range(RUNS)]
            browser.close()
        opened, found = zip(*times, strict=True)
        note = f"median of {RUNS}; {min(opened):.2f} to {max(opened):.2f}"
        return Result(
            name,
            (
                Figure("writing the report of 3,000 examples", written, "s"),
                Figure("its size", report.stat().st_size / 1e6, "MB"),
                Figure("opening it in Chromium", median(opened), "s", 2.0, note),
                Figure("a search in it", median(found), "s"),
            ),
        )


if __name__ == "__main__":
    run_alone(measure, __doc__, {})
