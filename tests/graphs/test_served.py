"""What `langgraph.json` names is there and compiles."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from wardround.errors import AccessDenied
from wardround.graphs.catalogue import GRAPHS
from wardround.graphs.progression import build
from wardround.models import chat_model
from wardround.settings import get_settings

NAMED = json.loads((Path(__file__).parents[2] / "langgraph.json").read_text())["graphs"]


@pytest.mark.parametrize("name", NAMED)
def test_the_manifest_names_graphs_of_the_catalogue(
    name: str, tmp_path: Path, essential_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert name in GRAPHS
    script = tmp_path / "s.json"
    script.write_text('{"rules": [{"otherwise": {"content": "x"}}]}')
    monkeypatch.setenv("WARDROUND_MODEL", f"scripted:{script}")
    monkeypatch.setenv("WARDROUND_CORPUS", str(essential_index))
    get_settings.cache_clear()
    module, _, attribute = NAMED[name].partition(":")
    graph = getattr(import_module(module), attribute)()
    assert graph.name == name
    assert graph.checkpointer is None


def test_a_server_answers_about_films_without_records_and_refuses_a_clients_patient(tmp_path: Path) -> None:
    script = tmp_path / "s.json"
    script.write_text('{"rules": [{"otherwise": {"json": {"reason": "", "letter": "A"}}}]}')
    graph: Any = build(model=chat_model(f"scripted:{script}"))
    said = {"messages": [("user", "What changed at the left base?\nA. Nothing.\nB. Much.")]}
    result = graph.invoke(said)
    assert result["letter"] == "A"
    assert result["records"] == []
    assert "no_records" in {flag.kind for flag in result["flags"]}
    with pytest.raises(AccessDenied, match="cannot grant itself access"):
        graph.invoke(said, context={"grant": {"patient": "p1", "study": "s1"}})
