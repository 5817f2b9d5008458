"""The command `wardround mcp`. Thin, as in `cli.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .corpus import CorpusOption


def mcp(
    graph: Annotated[
        list[str] | None, typer.Option(help="A graph's name, MODULE:NAME or NAME=MODULE:NAME; may be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="local, openai:NAME@http://host:port/v1 or scripted:FILE.")] = None,
    corpus: CorpusOption = None,
    patients: Annotated[Path | None, typer.Option(help="Patient records, as `wardround patients import` made.")] = None,
    patient: Annotated[str | None, typer.Option(help="The one patient whose history may be read.")] = None,
    study: Annotated[str | None, typer.Option(help="The current study; nothing of it or later is shown.")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder for what is kept (patient data).")] = None,
) -> None:
    """Serve tools and agents to an MCP host of this machine (stdin and stdout)."""
    from ..settings import get_settings
    from .mcp_serving import serve_stdio
    from .opening_server import SERVED, Parts

    parts = Parts(graphs=tuple(graph) if graph else SERVED, model=model, corpus=corpus)
    folder = state or get_settings().state_dir / "mcp"
    serve_stdio(parts, folder, patients=patients, patient=patient, study=study)
