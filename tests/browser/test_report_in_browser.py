"""The report in a real Chromium: clicked through as a person would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from invented_run import invented_run
from wardround.evals.report import write_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'wardround[dev]'")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    other = invented_run(folder / "other", right=3)
    return write_report(invented_run(folder / "run"), folder / "report.html", compare=[other])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(params=[1280, 400], ids=["wide", "narrow"])
def page(report: Path, browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The report, opened; what it complains of and asks for is collected and must be nothing."""
    opened = browser.new_page(viewport={"width": request.param, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None
    )
    opened.goto(report.as_uri())
    opened.wait_for_selector("#overview:not([hidden])")
    yield opened
    assert complaints == []
    assert opened.evaluate("window.stolen") is None
    opened.close()


def wait_for(page: Any, text: str) -> None:
    """Until the examples show `text`; no script is run in the page, which its policy would refuse."""
    page.locator("#examples", has_text=text).wait_for()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_the_overview_has_figures_groups_and_the_other_run(page: Any) -> None:
    text = page.inner_text("#overview")
    for shown in (
        "60.0 %",
        "Everything here is invented.",
        "right medicine",
        "dosage",
        "storage",
        "no answer from model",
    ):
        assert shown in text
    assert "other" in text
    assert page.locator("#overview svg").count() >= 4
    assert fits(page)


def test_an_example_is_found_opened_and_understood(page: Any) -> None:
    page.click("#to-examples")
    page.fill("input[type=search]", "Question 12 ")
    wait_for(page, "1 of 40 examples")
    page.locator("#examples").get_by_text("e12", exact=True).first.click()
    wait_for(page, "Example e12 is right.")
    text = page.inner_text("#examples")
    for shown in ("For my father. He is 80.", "Answer 12.", "Take one tablet. Not more.", "Oldol", "somebody"):
        assert shown in text
    assert page.locator("#examples mark").first.inner_text() == "Take one tablet."
    assert fits(page)


def test_hostile_text_is_shown_as_text(page: Any) -> None:
    page.goto(page.url.partition("#")[0] + "#example/e3")
    wait_for(page, "<script>window.stolen")
    assert page.locator("#examples img").count() == 0


def test_the_keyboard_goes_from_example_to_example(page: Any) -> None:
    page.click("#to-examples")
    page.wait_for_selector("input[type=search]")
    page.keyboard.press("j")
    wait_for(page, "Example e0 is right.")
    page.keyboard.press("j")
    wait_for(page, "Example e1 is right.")
    assert page.url.endswith("e1")
