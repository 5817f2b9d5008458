"""A real gateway over loopback for real frontends; opt-in: `make test-frontends`.

What a frontend needs is looked for in environments of its own (`WARDROUND_FRONTENDS`, a folder); what isn't there is
skipped, and the summary says so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from gateway_server import served  # found by way of the line above

ENVIRONMENTS = Path(os.environ.get("WARDROUND_FRONTENDS", Path(__file__).parent / ".environments"))


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway over the shipped corpus and a scripted model."""
    from wardround.corpora import open_corpus
    from wardround.models.script import Script
    from wardround.models.scripted import ScriptedChat
    from wardround.serving import Options, create_app, known_agents, utility_agent
    from wardround.serving.agui import mounted_agui

    script: dict[str, Any] = {"rules": [{"reply": {"content": "Warfarin and ibuprofen", "reasoning": "A title."}}]}
    model = ScriptedChat(script=Script.model_validate(script))
    agents = [*known_agents(["by_rules"], model=model, medicines=open_corpus()), utility_agent(model)]
    options = Options(state=tmp_path_factory.mktemp("gateway"))
    with served(create_app(agents, options, ways=[mounted_agui])) as address:
        yield address


@pytest.fixture(scope="session")
def environment() -> Any:
    """The Python of an environment by name; skips where it isn't there."""

    def find(name: str) -> Path:
        python = ENVIRONMENTS / name / "bin" / "python"
        if not python.exists():
            pytest.skip(f"no environment `{name}` in {ENVIRONMENTS}: see docs/frontends.md")
        return python

    return find
