"""What `langgraph.json` names is there and compiles."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest
from wardround.graphs.catalogue import GRAPHS
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
