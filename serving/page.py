"""Our own page: its files, under a policy that lets it load and call nothing but this server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..corpora.patients.store import PatientStore
from .gateway import Gateway
from .page_turns import About, turn_routes
from .refusing import Refused

PATH: Final = "/chat/"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-cache",
}
_KINDS: Final = {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript"}


@asynccontextmanager
async def mounted_page(
    app: FastAPI, gateway: Gateway, *, about: About, patients: PatientStore | None = None
) -> AsyncGenerator[None]:
    """Serve the page at `/chat/`, and at `/` a way to it, for as long as this is open.

    The files need no key: there is nothing in them. What they ask the server does.
    """
    folder = files(__package__ or "") / "page"
    known = {one.name: one.read_bytes() for one in folder.iterdir() if one.name.rpartition(".")[2] in _KINDS}

    async def file(request: Request) -> Response:
        name = str(request.path_params.get("name") or "index.html")
        if name not in known:
            raise Refused(404, "Not Found.", code="not_found")
        kind = _KINDS[name.rpartition(".")[2]]
        return Response(known[name], media_type=kind, headers=_HEADERS)

    async def to_page(_: Request) -> Response:
        return RedirectResponse(PATH, 307)

    app.include_router(turn_routes(gateway, about, patients))
    app.router.add_route("/", to_page, include_in_schema=False)
    app.router.add_route(PATH, file, include_in_schema=False)
    app.router.add_route(PATH + "{name}", file, include_in_schema=False)
    yield
