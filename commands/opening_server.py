"""Serving from the command line: opens model, corpus and graphs, and runs the server, in one process or several."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..corpora import Corpus, open_corpus
from ..corpora.patients import PatientStore
from ..errors import MissingExtra, UserError
from ..graphs.catalogue import GRAPHS
from ..models import chat_model
from ..settings import get_settings
from .terminal import say

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..serving import Agent, Options
    from ..serving.app import Way
    from ..serving.page_turns import About

SERVED: Final = tuple(name for name in ("ward_round", "consultation", "progression", "diagnosis") if name in GRAPHS)
"""The graphs that are served unless others are named: not the baselines."""
_DRAIN_S: Final = 30
"""Seconds that running turns are given when the server is told to stop."""


_START_S: Final = 120
"""Seconds after which a worker that gives no sign of life is replaced; importing everything counts, too."""


SERVER: Final[dict[str, Any]] = {
    "log_config": None,
    "access_log": False,
    "timeout_graceful_shutdown": _DRAIN_S,
    "timeout_keep_alive": 75,
    "timeout_worker_healthcheck": _START_S,
    "server_header": False,
    "date_header": False,
}
"""How uvicorn is run."""


@dataclass(frozen=True)
class Parts:
    """What a worker opens for itself."""

    graphs: tuple[str, ...] = SERVED
    """Names of the catalogue, `MODULE:NAME`, or `NAME=MODULE:NAME`."""
    model: str | None = None
    corpus: Path | None = None
    review: bool = False
    patients: Path | None = None
    """The patient records that `wardround patients import` made; None takes what the settings say."""
    metrics: str | None = None
    """The folder into which several workers count."""
    json_logs: bool = True
    traces_to: str | None = None
    trace_content: bool = False

    @cached_property
    def medicines(self) -> Corpus:
        """The opened corpus.

        Raises:
            UserError: it isn't there.
        """
        return open_corpus(self.corpus)

    @cached_property
    def records(self) -> PatientStore | None:
        """The opened patient records, if there are any.

        Raises:
            UserError: they aren't there.
        """
        path = self.patients or get_settings().patients
        return PatientStore(path) if path else None


def open_agents(parts: Parts) -> list[Agent]:
    """The agents by their names, and the plain model.

    Raises:
        UserError: a graph, model, corpus or patient records that aren't there.
    """
    from ..serving import known_agents, own_agent, utility_agent
    from .eval_targets import own_graph

    model = chat_model(parts.model)
    agents: list[Agent] = []
    known = [name for name in parts.graphs if ":" not in name]
    if unknown := [name for name in known if name not in GRAPHS]:
        names = ", ".join(f"`{name}`" for name in GRAPHS)
        raise UserError(f"there is no graph `{unknown[0]}`: choose one of {names}, or give MODULE:NAME")
    if known:
        agents += known_agents(
            known, model=model, medicines=parts.medicines, review=parts.review, patients=parts.records
        )
    for name in (one for one in parts.graphs if ":" in one):
        called, _, where = name.rpartition("=")
        graph: Any = own_graph(where)
        agents.append(own_agent(called or _own_name(graph, where), graph))
    return [*agents, utility_agent(model)]


def _own_name(graph: Any, where: str) -> str:
    given = str(getattr(graph, "name", ""))
    return given if given and given != "LangGraph" else where.partition(":")[0].rpartition(".")[2]


def open_app(parts: Parts, options: Options) -> FastAPI:
    """The app over freshly opened parts, with every way in; each worker makes its own."""
    from ..serving import create_app
    from ..serving.logs import set_up_logs

    set_up_logs(as_json=parts.json_logs)
    tracing = None
    if parts.traces_to is not None:
        from ..serving.tracing import tracing_to

        tracing = tracing_to(parts.traces_to, content=parts.trace_content)
    return create_app(
        open_agents(parts),
        options,
        patients=parts.records,
        metrics=parts.metrics,
        tracing=tracing,
        ways=ways_in(parts),
    )


async def _tried(options: Options) -> None:
    """Open and close what a server keeps and reads. Raises `UserError` for what can't be used."""
    from ..serving import Gateway

    gateway = Gateway([], options)
    if gateway.doorkeeper.keys is not None:
        gateway.doorkeeper.keys.all()
    await gateway.open()
    await gateway.close()


def ways_in(parts: Parts) -> list[Way]:
    """The ways in beside OpenAI's protocol."""
    from ..serving.agui import mounted_agui
    from ..serving.mcp_server import mounted_tools
    from ..serving.page import mounted_page

    return [
        partial(mounted_tools, medicines=parts.medicines, patients=parts.records),
        partial(mounted_page, about=_about(parts), patients=parts.records),
        mounted_agui,
    ]


def _about(parts: Parts) -> About:
    from ..serving.page_turns import About

    held = parts.medicines.manifest
    names = ", ".join(source.source for source in held.sources)
    return About(
        model=(parts.model or get_settings().model).partition("@")[0],  # not where it is served
        corpus=f"{names}: {held.medicines} medicines, {held.passages} passages",
    )


def check_address(host: str, *, has_keys: bool) -> None:
    """Refuse to be reachable from elsewhere without keys.

    Raises:
        UserError: so.
    """
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback and not has_keys:
        raise UserError(
            f"on `{host}` anybody who reaches this machine could ask: make keys with `wardround serve keys add NAME "
            "--keys FILE` and give `--keys FILE`, or stay on 127.0.0.1"
        )


def run_server(parts: Parts, options: Options, *, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; then running turns get half a minute to end.

    Raises:
        UserError: the address is in use, or a part can't be opened.
    """
    try:
        import uvicorn
    except ImportError:
        raise MissingExtra("serving needs packages: run `pip install 'wardround[serve]'`") from None
    check_address(host, has_keys=options.keys is not None)
    listening = listen(host, port)
    shown = f"http://{'[' + host + ']' if ':' in host else host}:{listening.getsockname()[1]}/v1"
    app = open_app(parts, options)  # by several workers, too: a mistake shows here, before anybody is told to come
    asyncio.run(_tried(options))
    names = [agent.name for agent in app.state.gateway.agents.values()]
    if workers == 1:
        _greet(shown, names, options)
        server = uvicorn.Server(uvicorn.Config(app, **SERVER))
        # Being told to stop is no failure: uvicorn raises the signal once more when it is done, which ends here.
        signal.signal(signal.SIGTERM, _ignore)
        server.run(sockets=[listening])
        return
    from ..quiet import count_together

    with tempfile.TemporaryDirectory(prefix="wardround-metrics-") as folder:
        count_together(folder)
        shared = replace(parts, metrics=folder)
        from uvicorn.supervisors import Multiprocess

        config = uvicorn.Config(partial(open_app, shared, options), factory=True, workers=workers, **SERVER)
        _greet(shown, names, options)
        Multiprocess(config, sockets=[listening]).run()


def _ignore(_number: int, _frame: object) -> None:
    """A signal handler."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises:
        UserError: the address is in use, or is none.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise UserError(f"`{host}:{port}` cannot be listened on ({error.strerror}): give another `--port`") from None
    listening.set_inheritable(True)
    return listening


def _greet(address: str, names: list[str], options: Options) -> None:
    key = "any text (this server asks for no key)" if options.keys is None else "a key of `wardround serve keys add`"
    say(f"Serving {', '.join(names)} at {address}. For research and decision support, not for care.")
    say(f"Our own page: {address.removesuffix('/v1')}/chat/")
    say("Open WebUI: Admin Panel > Settings > Connections > OpenAI API > +")
    say(f"  URL  {address}")
    say(f"  Key  {key}")
    say("and start it with TASK_MODEL_EXTERNAL=utility, ENABLE_FORWARD_USER_INFO_HEADERS=true and")
    say("""  DEFAULT_MODEL_METADATA='{"capabilities":{"builtin_tools":false,"usage":true}}'""")
    say("Ctrl-C stops it.")
    sys.stderr.flush()
