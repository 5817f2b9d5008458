"""The app: the gateway's routes, and what stands around all of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ..corpora.patients.access import Studies
from .agents import Agent
from .chat import chat_routes, json_error
from .conversing import conversation_routes
from .gateway import Gateway, Options
from .guarding import Guard
from .health import health_routes
from .refusing import Refused, shown
from .tracing import Tracing

Way = Callable[[FastAPI, Gateway], AbstractAsyncContextManager[None]]
"""Adds its routes to the app when it is entered."""


def create_app(
    agents: Sequence[Agent],
    options: Options,
    *,
    patients: Studies | None = None,
    metrics: str | None = None,
    tracing: Tracing | None = None,
    ways: Sequence[Way] = (),
) -> FastAPI:
    """An ASGI app that serves the agents: OpenAI's chat protocol, health, metrics.

    Args:
        agents: what is served: `known_agents`, `own_agent`, `utility_agent`.
        options: files, limits and times.
        patients: the patient records, for agents that read them.
        metrics: the folder into which several workers count (`PROMETHEUS_MULTIPROC_DIR`).
        tracing: `tracing_to(address)`, to write OpenTelemetry traces.
        ways: further ways in, such as `mcp_server.mounted_tools`; each is open as long as the gateway.

    `app.state.gateway` is the `Gateway`; further routes call its `doorkeeper` and `turns`.

    Raises:
        UserError: two agents have one name, or a file of the options can't be used.
    """
    gateway = Gateway(agents, options, patients=patients, metrics=metrics, tracing=tracing)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await gateway.open()
        try:
            async with AsyncExitStack() as stack:
                for way in ways:
                    await stack.enter_async_context(way(app, gateway))
                yield
        finally:
            await gateway.close()

    app = FastAPI(title="wardround", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.gateway = gateway
    app.include_router(chat_routes(gateway))
    app.include_router(conversation_routes(gateway))
    app.include_router(health_routes(gateway))

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        gateway.watch.refused(error.status)
        return json_error(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return json_error(Refused(400, f"`{where}`: {first['msg']}.", param=where))

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> Response:
        refusal = Refused(error.status_code, f"{error.detail}.", code="not_found" if error.status_code == 404 else None)
        return JSONResponse(refusal.body, status_code=error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> Response:
        return json_error(shown(error))

    app.add_middleware(Guard, options=options, has_keys=options.keys is not None)
    if options.origins:
        from starlette.middleware.cors import CORSMiddleware

        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(options.origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type", "x-conversation-id", "x-wardround-patient"],
        )
    return app
