"""Replies kept on disc: the same request is asked once, anything else anew, and nothing broken is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import MODEL, ChatServer, Reply, body, cut, events, fail, say
from wardround.errors import ModelError, UserError
from wardround.models import chat_model
from wardround.models.response_cache import ResponseCache
from wardround.models.retry import Backoff
from wardround.settings import Settings


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ResponseCache]:
    opened = ResponseCache(tmp_path / "replies.sqlite")
    yield opened
    opened.close()


def ask(server: ChatServer, cache: ResponseCache, text: str = "hi", *, stream: bool = False, **params: Any) -> str:
    model = chat_model(
        f"openai:{MODEL}@{server.address}",
        settings=Settings(retries=0, timeout_s=5),
        backoff=Backoff(first_s=0),
        response_cache=cache,
        streaming=stream,
        **params,
    )
    return str(asyncio.run(model.ainvoke(text)).text)


@pytest.mark.parametrize("stream", [False, True])
def test_the_same_request_is_asked_once(chat_server: ChatServer, cache: ResponseCache, stream: bool) -> None:
    chat_server.then(say("first"), say("second"))
    assert [ask(chat_server, cache, stream=stream) for _ in range(3)] == ["first"] * 3
    assert (len(chat_server.requests), cache.hits) == (1, 2)


def test_it_is_kept_for_the_next_process(chat_server: ChatServer, cache: ResponseCache) -> None:
    ask(chat_server, cache)
    other = ResponseCache(cache.path)
    ask(chat_server, other)
    other.close()
    assert len(chat_server.requests) == 1


@pytest.mark.parametrize("changed", [{"seed": 1}, {"temperature": 0.5}, {"max_tokens": 9}, {"text": "ho"}])
def test_anything_that_matters_makes_another_request(
    chat_server: ChatServer, cache: ResponseCache, changed: dict[str, Any]
) -> None:
    ask(chat_server, cache)
    ask(chat_server, cache, **changed)
    assert len(chat_server.requests) == 2


def test_another_server_is_asked_itself(chat_server: ChatServer, cache: ResponseCache) -> None:
    ask(chat_server, cache)
    with ChatServer() as other:
        ask(other, cache)
        assert len(other.requests) == 1


@pytest.mark.parametrize(
    ("broken", "stream"),
    [
        (fail(500), False),
        (fail(429), False),
        (body("{"), False),
        (body('{"error": "busy"}'), False),
        (cut("half"), True),
        (events({"error": {"message": "busy"}}, "[DONE]"), True),
    ],
)
def test_nothing_broken_is_kept(chat_server: ChatServer, cache: ResponseCache, broken: Reply, stream: bool) -> None:
    chat_server.then(broken, say("whole"))
    with pytest.raises(ModelError):
        ask(chat_server, cache, stream=stream)
    assert ask(chat_server, cache, stream=stream) == "whole"
    assert len(chat_server.requests) == 2


def test_only_its_owner_may_read_it(cache: ResponseCache) -> None:
    assert cache.path.stat().st_mode & 0o077 == 0


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear all, this is a long enough letter to be no database at all.\n" * 9)
    with pytest.raises(UserError, match="cannot be used"):
        ResponseCache(tmp_path / "letter")
