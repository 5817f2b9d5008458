"""From a model spec to a chat model: the one door."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import UserError
from ..settings import Settings, get_settings
from .profile import ModelProfile, declared_profile, profile_from_file

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from .adapter import Adapter

_OPENAI = re.compile(r"openai:(?P<name>\S+?)@(?P<address>https?://[!-~]+)")
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
_FORMS = "`local`, `local-plain`, `local:ADAPTER_FOLDER`, `openai:NAME@http://host:port/v1` or `scripted:FILE`"
LOCAL_NAME = "SmolLM2-135M-Instruct"
"""The model behind `local`."""
_LOCAL_MODEL = "smollm2"
"""The same in the model store."""


def is_local(spec: str) -> bool:
    """Whether `spec` names the embedded model, with an adapter or without."""
    kind, _, folder = spec.partition(":")
    return spec in ("local", "local-plain") or (kind == "local" and bool(folder))


def chat_model(
    spec: str | None = None,
    *,
    profile: ModelProfile | None = None,
    settings: Settings | None = None,
    **params: Any,
) -> BaseChatModel:
    """The LangChain chat model that `spec` names (default: the one in the settings).

    - `local`: SmolLM2-135M-Instruct in the embedded llama.cpp, with the shipped adapter where it distills.
    - `local:FOLDER`: the same with another exported adapter, `local-plain` with none; `lora=PATH` adds an adapter in
      GGUF form to all that any of the three does.
    - `openai:NAME@http://host:port/v1`: the model NAME on vLLM or any server with the OpenAI chat protocol.
    - `scripted:FILE`: answers from a script, see `wardround.models.script`.

    `profile` says what the model can do, in full; without it the profile file of the settings is laid over what
    is declared for the name. `params` (`temperature`, `max_tokens`, `seed`, `streaming`, `backoff`, ...) reach the
    first two; see `openai_chat` for defaults. Nothing is loaded or contacted before the first call. Raises
    `UserError` for a bad spec or a missing file.
    """
    chosen = settings or get_settings()
    text = " ".join((chosen.model if spec is None else spec).split())
    text = "".join(letter if letter.isprintable() else "�" for letter in text)  # errors show it on a terminal
    kind, _, rest = text.partition(":")
    if is_local(text):
        return _local(chosen, profile, params, adapter=_adapter(text, rest))
    if kind == "scripted" and rest:
        from .scripted import scripted_chat

        return scripted_chat(Path(rest).expanduser(), profile=profile)
    if kind == "openai":
        name, address = _server(text)
        from .openai_chat import openai_chat

        return openai_chat(name, address, settings=chosen, profile=profile or _declared(name, chosen), **params)
    raise UserError(f"model `{text}` is none of {_FORMS}: correct WARDROUND_MODEL or `--model`")


def _server(text: str) -> tuple[str, str]:
    match = _OPENAI.fullmatch(text)
    if match is None:
        raise UserError(
            f"model `{text}` names no server: write `openai:NAME@http://host:port/v1` (the forms are {_FORMS})"
        )
    address = match["address"].rstrip("/")
    try:
        parts = urlsplit(address)
        usable = _HOST.fullmatch(parts.hostname or "") is not None and parts.port != 0
    except ValueError:
        parts, usable = urlsplit(""), False
    if parts.username or parts.password:
        raise UserError("model spec: the address holds a user name or password: put the key into WARDROUND_API_KEY")
    if not usable or parts.query or parts.fragment:
        raise UserError(f"model `{text}`: `{address}` is not an address: write `http://host:port/v1`")
    return match["name"], address


def _adapter(spec: str, folder: str) -> Adapter | None:
    from .adapter import read_adapter, shipped_adapter

    if folder:
        return read_adapter(Path(folder).expanduser())
    return shipped_adapter("distiller", _LOCAL_MODEL) if spec == "local" else None


def _local(
    settings: Settings, profile: ModelProfile | None, params: dict[str, Any], *, adapter: Adapter | None
) -> BaseChatModel:
    from .adapter import gguf_of
    from .llamacpp import llamacpp_chat, shared_engine
    from .store import find

    file = find(_LOCAL_MODEL, settings=settings)  # before an adapter is made ready: it is missing more often
    declared = profile or _declared(LOCAL_NAME, settings)
    lora = params.pop("lora", None)
    adapters: tuple[tuple[str, Path], ...] = ()
    if adapter is not None:
        adapters = ((adapter.name, gguf_of(adapter, settings=settings)),)
        declared = declared.model_copy(update={"adapters": {adapter.role: adapter.name} | declared.adapters})
    engine = shared_engine(
        file,
        declared.name,
        declared.context_tokens,
        Path(lora) if lora is not None else None,
        adapters,
    )
    return llamacpp_chat(engine, settings=settings, profile=declared, **params)


def _declared(name: str, settings: Settings) -> ModelProfile:
    declared = declared_profile(name)
    return profile_from_file(settings.profile, declared) if settings.profile is not None else declared
