"""The command `wardround chat`. Thin, as in `cli.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .corpus import CorpusOption


def chat(
    graph: Annotated[
        list[str] | None, typer.Option(help="A graph's name, MODULE:NAME or NAME=MODULE:NAME; may be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="local, openai:NAME@http://host:port/v1 or scripted:FILE.")] = None,
    corpus: CorpusOption = None,
    patients: Annotated[Path | None, typer.Option(help="Patient records, as `patients import` made.")] = None,
    review: Annotated[bool, typer.Option(help="A clinician reads every diagnosis before it goes out.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    state: Annotated[Path | None, typer.Option(help="Folder for what is kept (patient data).")] = None,
) -> None:
    """Talk to the agents on a page in the browser; for this machine and this run only."""
    from ..settings import get_settings
    from .chatting import serve_page
    from .opening_server import SERVED, Parts

    parts = Parts(
        graphs=tuple(graph) if graph else SERVED, model=model, corpus=corpus, review=review, patients=patients
    )
    serve_page(parts, state or get_settings().state_dir / "chat", port=port, browser=browser)
