"""`wardround mcp`: the tools and agents for an MCP host on this machine, over stdin and stdout."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from ..errors import MissingExtra, UserError
from .opening_server import Parts, open_agents


def serve_stdio(parts: Parts, state: Path, *, patients: Path | None, patient: str | None, study: str | None) -> None:
    """Serve until the host closes the pipe. Whoever starts it owns the files: they may read what they can open.

    Raises:
        UserError: a patient without records or the reverse, or a part that can't be opened.
        MissingExtra: the extra `serve` is not installed.
    """
    if (patient is None) != (patients is None) or (study is not None and patient is None):
        raise UserError("patient history needs both: give `--patients FILE` and `--patient ID`; `--study` is optional")
    try:
        from ..serving.mcp_server import mcp_server
    except ImportError as error:
        raise MissingExtra(f"`{error.name}` is missing: run `pip install 'wardround[serve]'`") from None
    from ..serving.callers import Caller
    from ..serving.gateway import Gateway, Options
    from ..serving.logs import set_up_logs
    from ..serving.mcp_tools import Seat, Tools

    set_up_logs(as_json=True)
    opened = replace(parts, patients=patients, json_logs=True)
    store = opened.records if patients else None
    if store is not None and not store.has_patient(patient or ""):
        raise UserError(f"there is no patient `{patient}` in `{patients}`: see `wardround patients info`")
    gateway = Gateway(open_agents(opened), Options(state=state), patients=store)
    seat = Seat(Caller(key="local", name="owner of the file", patients=None), patient, study)
    server = mcp_server(Tools(gateway, opened.medicines, store), lambda _: seat)

    async def serve() -> None:
        await gateway.open()
        try:
            await server.run_stdio_async()
        finally:
            await gateway.close()

    asyncio.run(serve())
