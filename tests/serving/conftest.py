"""A gateway over a model server that does what a test tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chat_server import ChatServer
from gateway_server import Serve, Served
from gateway_server import served as serving
from langchain_core.language_models import BaseChatModel
from wardround.serving import Agent, Options, create_app, known_agents, own_agent, utility_agent
from wardround.serving.agui import mounted_agui
from wardround.serving.app import Way
from wardround.serving.mcp_server import mounted_tools

if TYPE_CHECKING:
    from wardround.corpora import Corpus


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Of a gateway whose files lie in the test's folder."""
    return Options(state=tmp_path / "state")


@pytest.fixture
def serve(
    chat_server: ChatServer, served: Callable[..., BaseChatModel], essential: Corpus, options: Options
) -> Iterator[Serve]:
    """Serves graphs of the catalogue and of one's own, and `utility`; options as keywords."""
    with ExitStack() as stack:

        def make(
            *graphs: str,
            own: dict[str, Any] | None = None,
            review: bool = False,
            patients: Any = None,
            profile: dict[str, Any] | None = None,
            tracing: Any = None,
            mcp: bool = False,
            **changed: Any,
        ) -> Served:
            model = served(**(profile or {}))
            agents: list[Agent] = known_agents(
                graphs, model=model, medicines=essential, patients=patients, review=review
            )
            agents += [own_agent(name, graph) for name, graph in (own or {}).items()]
            agents.append(utility_agent(model))
            ways: list[Way] = [mounted_agui]
            if mcp:
                ways.append(partial(mounted_tools, medicines=essential, patients=patients))
            changed_options = replace(options, **changed)
            app = create_app(agents, changed_options, patients=patients, tracing=tracing, ways=ways)
            address = stack.enter_context(serving(app))
            found = Served(address, app, chat_server)
            stack.callback(found.http.close)
            return found

        yield make
