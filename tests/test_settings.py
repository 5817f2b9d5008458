from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from wardround.errors import UserError
from wardround.settings import Settings, get_settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("WARDROUND_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_defaults() -> None:
    settings = get_settings()
    assert (settings.model, settings.corpus, settings.api_key) == ("local", None, None)
    assert settings.cache_dir.name == "wardround"


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDROUND_MODEL", "openai:m@http://h/v1")
    monkeypatch.setenv("WARDROUND_TIMEOUT_S", "2.5")
    monkeypatch.setenv("WARDROUND_NO_SUCH_THING", "1")
    assert (get_settings().model, get_settings().timeout_s) == ("openai:m@http://h/v1", 2.5)


def test_a_env_file_gives_way_to_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("WARDROUND_MODEL=from-file\nWARDROUND_RETRIES=7\nOTHER=1\n")
    monkeypatch.setenv("WARDROUND_RETRIES", "2")
    assert (get_settings().model, get_settings().retries) == ("from-file", 2)


def test_a_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDROUND_API_KEY", "sesame")
    assert "sesame" not in repr(Settings()) + Settings().model_dump_json()


@pytest.mark.parametrize(
    ("name", "value"), [("WARDROUND_RETRIES", "-1"), ("WARDROUND_RETRIES", "many"), ("WARDROUND_TIMEOUT_S", "0")]
)
def test_a_value_that_cannot_be_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"{name}=`{value}`") as caught:
        get_settings()
    assert "\n" not in str(caught.value)


def test_an_env_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"WARDROUND_MODEL=\xff\xfe")
    with pytest.raises(UserError, match=r"\.env"):
        get_settings()


def test_nothing_else_reads_the_environment() -> None:
    root = Path(__import__("wardround").__file__).parent
    folders = ("agents", "commands", "corpora", "evals", "graphs", "models", "serving", "tools", "training")
    files = [f for folder in folders for f in (root / folder).rglob("*.py")] + list(root.glob("*.py"))
    reading = {f.name for f in files if any(w in f.read_text(encoding="utf-8") for w in ("os.environ", "getenv"))}
    assert reading <= {"quiet.py"}
