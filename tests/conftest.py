"""Fixtures for all tests. `tests/support` holds what they share; it is importable by its file names."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from wardround.corpora import Corpus
    from wardround.models.scripted import ScriptedChat

sys.path.insert(0, str(Path(__file__).parent / "support"))

from chat_server import ChatServer  # found by way of the line above
from ran import Ran, Run


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """A server that speaks the OpenAI chat protocol and fails on command."""
    with ChatServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL, for tests to make databases on."""
    from postgres_server import postgres_server

    with postgres_server() as address:
        yield address


@pytest.fixture
def run(
    tmp_path: Path, essential_index: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The command line in this process, in a folder and with a cache of its own: arguments, and what is piped in."""
    from wardround.cli import main
    from wardround.settings import get_settings

    for name in list(os.environ):
        if name.startswith("WARDROUND_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARDROUND_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WARDROUND_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("WARDROUND_CORPUS", str(essential_index))
    monkeypatch.setenv("WARDROUND_RETRIES", "0")

    def running(*arguments: object, piped: bytes = b"") -> Ran:
        get_settings.cache_clear()
        monkeypatch.setattr(sys, "argv", ["wardround", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped), encoding="utf-8"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        return Ran(int(left.value.code or 0), shown.out, shown.err)

    return running


@pytest.fixture(scope="session")
def essential_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the shipped corpus and of the medicines in `tests/support/invented.py`. Not to be changed."""
    from invented import INVENTED
    from wardround.corpora import write_index
    from wardround.corpora.sources.essential import read_essential

    directory = tmp_path_factory.mktemp("corpus") / "essential"
    write_index(directory, [*read_essential(), *INVENTED])
    return directory


@pytest.fixture(scope="session")
def essential(essential_index: Path) -> Iterator[Corpus]:
    """The opened `essential_index`."""
    from wardround.corpora import Corpus

    corpus = Corpus(essential_index)
    yield corpus
    corpus.close()


@pytest.fixture
def scripted() -> Callable[..., ScriptedChat]:
    """Makes a scripted model: rules as in a script file, and fields of its profile (`strength="weak"`)."""
    from wardround.models.script import Script
    from wardround.models.scripted import ScriptedChat

    def make(*rules: dict[str, Any], **profile: Any) -> ScriptedChat:
        chat = ScriptedChat(script=Script.model_validate({"rules": list(rules)}))
        return chat.model_copy(update={"declared": chat.declared.model_copy(update=profile)})

    return make


@pytest.fixture
def served(chat_server: ChatServer) -> Callable[..., BaseChatModel]:
    """Makes a chat model on `chat_server`, strong and with tools unless told otherwise; it retries once, at once."""
    from wardround.models import chat_model
    from wardround.models.profile import ModelProfile
    from wardround.models.retry import Backoff
    from wardround.settings import Settings

    def make(**profile: Any) -> BaseChatModel:
        abilities: dict[str, Any] = {"tools": True, "json_schema": True, "strength": "strong"} | profile
        return chat_model(
            f"openai:test-model@{chat_server.address}",
            profile=ModelProfile(name="test-model", **abilities),
            settings=Settings(retries=1, timeout_s=5),
            backoff=Backoff(first_s=0),
        )

    return make
