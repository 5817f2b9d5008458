"""Adapters that come and go while vLLM runs. Asked for on its private socket: the gate lets none of this through."""

from __future__ import annotations

from typing import Any

import httpx

from ...errors import ModelError, ModelUnavailable, UserError
from .adapters import Adapter, check_base
from .gate import Upstream
from .running import connection

_OFF = "start it with `wardround models serve --adapters-may-change`"


def load_adapter(upstream: Upstream, adapter: Adapter) -> str:
    """Loads `adapter` into the running server and returns the name to ask for. One with the same content that is there
    already is left as it is.

    Raises:
        UserError: the server was started without leave to change adapters, or refuses this one.
        ModelUnavailable: it does not answer.
    """
    name = adapter.served_name
    with connection(upstream) as client:
        try:
            served: list[dict[str, Any]] = client.get("/v1/models").raise_for_status().json()["data"]
            if name in {model["id"] for model in served}:
                return name
            for model in served:
                if not model.get("parent"):
                    check_base(adapter, str(model.get("root")))
            reply = client.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(adapter.folder)})
        except httpx.HTTPError as error:
            raise _silent(error) from None
    _check(reply, f"adapter `{name}` cannot be loaded")
    return name


def unload_adapter(upstream: Upstream, name: str) -> None:
    """Takes the adapter with the served name `name` out of the running server.

    Raises:
        UserError: there is none of that name, or the server may not change adapters.
        ModelUnavailable: it does not answer.
    """
    with connection(upstream) as client:
        try:
            reply = client.post("/v1/unload_lora_adapter", json={"lora_name": name})
        except httpx.HTTPError as error:
            raise _silent(error) from None
    _check(reply, f"adapter `{name}` cannot be unloaded")


def _check(reply: httpx.Response, what: str) -> None:
    if reply.is_success:
        return
    text = " ".join(reply.text.split())
    if reply.status_code == 404 and "lora" not in text.lower() and "adapter" not in text.lower():
        raise UserError(f"{what}: the server does not change adapters; {_OFF}")
    raise UserError(f"{what} ({text[:300]}): see `wardround models serve --help`")


def _silent(error: httpx.HTTPError) -> ModelError:
    return ModelUnavailable(f"the model server does not answer ({type(error).__name__}): look at its log")
