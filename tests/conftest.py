"""Fixtures for all tests. `tests/support` holds what they share; it is importable by its file names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wardround.corpora import Corpus

sys.path.insert(0, str(Path(__file__).parent / "support"))

from chat_server import ChatServer  # found by way of the line above


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """A server that speaks the OpenAI chat protocol and fails on command."""
    with ChatServer() as server:
        yield server


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
