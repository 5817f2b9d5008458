"""Our own page in a real Chromium: used as a person would, at a desk's width and a phone's.

With WARDROUND_PICTURES=FOLDER the pictures of the documentation are written there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from page_server import Page
    from wardround.corpora import Corpus

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'wardround[dev]'")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
PICTURES = os.environ.get("WARDROUND_PICTURES")
QUESTION = "Does losartan interact with ibuprofen?"


@pytest.fixture(scope="module")
def served_page(tmp_path_factory: pytest.TempPathFactory, essential: Corpus) -> Iterator[Page]:
    from page_server import page_server

    with page_server(tmp_path_factory.mktemp("page"), essential) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(params=[1380, 400], ids=["wide", "narrow"])
def page(served_page: Page, browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, opened by its link; what it complains of or asks of others is collected and must be nothing."""
    opened = browser.new_page(viewport={"width": request.param, "height": 860}, reduced_motion="reduce")
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    own = (served_page.address, "data:")
    opened.on("request", lambda sent: None if sent.url.startswith(own) else complaints.append(sent.url))
    opened.goto(served_page.link)
    opened.locator(".welcome").wait_for()
    opened.complaints = complaints
    yield opened
    assert complaints == []
    assert fits(opened)
    opened.close()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def ask(page: Any, agent: str, question: str, ends_with: str = '.turn:last-child[aria-busy="false"]') -> None:
    page.select_option("#agent", agent)
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.locator(ends_with).wait_for()


def picture(page: Any, name: str) -> None:
    if PICTURES:
        width = "narrow" if page.viewport_size["width"] < 600 else "wide"
        page.screenshot(path=Path(PICTURES) / f"page-{name}-{width}.png")


def serious(page: Any) -> list[str]:
    """What axe finds that is serious, or worse."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def test_the_key_is_taken_out_of_the_address(page: Any, served_page: Page) -> None:
    assert "key" not in page.url
    assert served_page.secret not in page.content()
    page.reload()
    page.locator(".welcome").wait_for()


def test_an_answer_leads_to_the_cited_sentence_in_its_passage(page: Any) -> None:
    ask(page, "ward_round", QUESTION)
    answer = page.locator(".turn .answer")
    assert "may weaken the blood pressure effect" in answer.inner_text()
    page.locator(".answer .cite").first.click()
    chosen = page.locator("#evidence li.chosen")
    assert chosen.locator("mark").first.inner_text().startswith("NSAIDs, COX-2 inhibitors included")
    assert "Losartan, Interactions" in chosen.inner_text()
    assert page.locator("#evidence li.chosen").evaluate("node => node === document.activeElement")
    picture(page, "answer")
    assert serious(page) == []


def test_the_graph_lights_up_where_it_works(page: Any) -> None:
    page.select_option("#agent", "consultation")
    page.fill("#question", "slowly: " + QUESTION)
    page.click("#send")
    if page.viewport_size["width"] < 600:
        page.click("#open-panel")
    page.locator(".node.working", has_text="read").wait_for()
    assert page.locator(".node.done", has_text="retrieve").count() == 1
    if page.viewport_size["width"] < 600:
        page.click("#close-panel")
    page.click("#stop")
    page.get_by_text("Stopped.", exact=True).last.wait_for()


def test_stopping_stops_the_run(page: Any, served_page: Page) -> None:
    import httpx

    ask(page, "consultation", "slowly: and warfarin?", ".turn[aria-busy=true]")
    page.keyboard.press("Escape")
    page.locator(".end", has_text="Stopped.").wait_for()
    bearer = {"authorization": f"Bearer {served_page.secret}"}
    with httpx.Client(base_url=served_page.address, headers=bearer, timeout=30) as http:
        latest = http.get("/api/conversations").json()["data"][0]["id"]
        turns = http.get(f"/api/conversations/{latest}").json()["data"]
    assert turns[-1]["status"] == "cancelled"


def test_films_stand_side_by_side_with_the_records_on_a_time_line(page: Any, served_page: Page) -> None:
    page.select_option("#agent", "progression")
    page.select_option("#patient", served_page.patient)
    page.fill("#study", served_page.study)
    page.set_input_files("#film-files", [str(film) for film in served_page.films])
    page.locator("#films li", has_text="Current film").wait_for()
    ask(page, "progression", served_page.question)
    assert page.locator(".question figcaption").all_inner_texts() == ["Earlier film", "Current film"]
    assert page.locator(".time .dot").count() >= 1
    page.locator(".answer .cite").first.click()
    assert page.locator("#evidence li.chosen mark").count() == 1
    page.keyboard.press("Escape")
    picture(page, "films")
    assert serious(page) == []


def test_a_waiting_differential_is_approved_and_becomes_a_table(page: Any) -> None:
    from page_server import CASE

    ask(page, "diagnosis", CASE, ".approval")
    picture(page, "approval")
    assert serious(page) == []
    page.locator(".approval").get_by_role("button", name="Approve").click()
    table = page.locator(".differential table")
    table.wait_for()
    assert table.locator("tbody th").all_inner_texts()[0] == "Giant cell arteritis"
    assert "not in the case" in table.locator("tr", has_text="Trigeminal").inner_text()
    page.locator(".notes", has_text="Approved by a clinician").wait_for()
    picture(page, "differential")
    assert serious(page) == []


def test_an_edit_and_a_rejection_go_out_as_such(page: Any) -> None:
    from page_server import CASE

    ask(page, "diagnosis", CASE + " Twice.", ".approval")
    page.locator(".approval textarea").fill("Giant cell arteritis; treat at once.")
    page.get_by_role("button", name="Approve as edited").click()
    page.locator(".notes", has_text="Edited by a clinician").wait_for()
    page.click("#new") if page.viewport_size["width"] > 600 else page.keyboard.press("n")
    page.reload()
    page.locator(".welcome").wait_for()
    ask(page, "diagnosis", CASE + " Thrice.", ".approval")
    page.get_by_placeholder("Why, if you reject it").fill("no")
    page.get_by_role("button", name="Reject").click()
    page.locator(".notes", has_text="Withheld by a clinician").wait_for()


def test_a_conversation_is_found_again_and_what_waits_still_waits(page: Any) -> None:
    from page_server import CASE

    title = f"Found again at {page.viewport_size['width']}. {CASE}"
    ask(page, "diagnosis", title, ".approval")
    page.reload()
    page.locator(".welcome").wait_for()
    if page.viewport_size["width"] < 600:
        page.click("#open-list")
    page.locator("#conversations .open", has_text=title[:20]).first.click()
    page.locator(".approval textarea").wait_for()
    page.get_by_role("button", name="Approve").click()
    page.locator(".differential table").wait_for()


def test_text_of_others_is_shown_as_text(page: Any) -> None:
    from page_server import HOSTILE

    ask(page, "consultation", f"{HOSTILE} Does losartan interact with ibuprofen?")
    assert HOSTILE in page.locator(".question").last.inner_text()
    assert page.locator(".turn img, #conversations img, script:not([src])").count() == 0
    assert page.evaluate("window.stolen") is None


def test_the_keyboard_is_enough(page: Any) -> None:
    page.locator("#agent").focus()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.locator('.turn[aria-busy="false"] .cite').first.wait_for()
    page.locator(".answer .cite").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#evidence li.chosen").count() == 1
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    page.locator(".welcome").wait_for()


def test_dark_and_without_a_key(served_page: Page, browser: Any) -> None:
    opened = browser.new_page(color_scheme="dark", viewport={"width": 1380, "height": 860})
    opened.goto(f"{served_page.address}/")
    opened.locator("#key-form[open]").wait_for()
    assert serious(opened) == []
    opened.fill("#key", "wr-wrong")
    opened.keyboard.press("Enter")
    opened.get_by_text("not known here").wait_for()
    opened.fill("#key", served_page.secret)
    opened.keyboard.press("Enter")
    opened.locator(".welcome").wait_for()
    ask(opened, "ward_round", QUESTION)
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    picture(opened, "dark")
    assert serious(opened) == []
    opened.close()
