"""Open WebUI itself, used in a Chromium as a person would; in an environment of its own (2.9 GB)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SETTINGS = {
    "OFFLINE_MODE": "true",
    "HF_HUB_OFFLINE": "1",
    "BYPASS_EMBEDDING_AND_RETRIEVAL": "true",
    "WEBUI_AUTH": "False",
    "ENABLE_OLLAMA_API": "false",
    "OPENAI_API_KEY": "none",
    "TASK_MODEL_EXTERNAL": "utility",
    "ENABLE_FORWARD_USER_INFO_HEADERS": "true",
    "DEFAULT_MODEL_METADATA": '{"capabilities":{"builtin_tools":false,"usage":true}}',
    "DEFAULT_MODELS": "by_rules",
    "DO_NOT_TRACK": "true",
}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
def test_an_answer_has_sources_that_open_their_passage(gateway: str, environment: Any, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    python: Path = environment("owui")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(python.with_name("open-webui")), "serve", "--host", "127.0.0.1", "--port", str(port)]
    about = {"OPENAI_API_BASE_URL": f"{gateway}/v1", "DATA_DIR": str(tmp_path), "WEBUI_SECRET_KEY": "for this test"}
    own = {**os.environ, **SETTINGS, **about}
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, env=own, cwd=tmp_path, stdout=quiet, stderr=quiet)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1380, "height": 900})
            page.goto(f"http://127.0.0.1:{port}/", wait_until="domcontentloaded")
            page.locator("#chat-input").wait_for(timeout=60_000)
            page.wait_for_timeout(2000)  # what is new is shown over the page, and can't be waited for
            if page.get_by_role("button", name="Okay, Let's Go!").count():
                page.get_by_role("button", name="Okay, Let's Go!").click()
            page.click("#chat-input")
            page.keyboard.type("Does warfarin interact with ibuprofen?")
            page.keyboard.press("Enter")
            page.get_by_role("button", name="Sources").wait_for(timeout=60_000)
            assert "raise the bleeding risk with warfarin" in page.locator("#chat-container").inner_text()
            page.get_by_text("[1] Warfarin, Interactions").first.click()
            page.get_by_text("Grapefruit juice", exact=False).first.wait_for(timeout=10_000)  # only the passage has it
            browser.close()
    finally:
        server.terminate()
        server.wait(60)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 200
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended"
        try:
            if httpx.get(address, timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(1)
    raise AssertionError("the server did not start")
