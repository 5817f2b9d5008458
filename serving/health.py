"""For those who run it: whether it lives, whether it can answer, and what it counts. None of it needs a key, and none
of it holds what was said; a proxy in front keeps it from the outside."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from .gateway import Gateway


def health_routes(gateway: Gateway) -> APIRouter:
    """The routes over a gateway."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """The process answers."""
        return "ok\n"

    @router.get("/readyz", responses={503: {"description": "Not now."}})
    async def readyz() -> JSONResponse:
        """The process takes turns: its store can be written and it is not shutting down."""
        problem = await gateway.problem()
        return JSONResponse({"ready": problem is None, "problem": problem}, 200 if problem is None else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """What is counted, for Prometheus."""
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        return Response(generate_latest(gateway.watch.all_workers()), media_type=CONTENT_TYPE_LATEST)

    return router
