"""The adapters that come with wardround: small LoRA weights for a pulled model, in `models/adapters/NAME-HASH/`.

The folder is PEFT's form, which trainers and vLLM read. llama.cpp gets a GGUF file made of it, once, in the cache.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from ..errors import UserError
from ..settings import Settings
from .gguf_lora import write_gguf_lora

SHIPPED: Final = Path(__file__).parent / "adapters"
WEIGHTS: Final = "adapter_model.safetensors"
HASH_DIGITS: Final = 12
_HEADS: Final = {"smollm2": (9, 3)}
"""Attention heads and key-value heads of the base models that have a shipped adapter."""


class Adapter(BaseModel):
    """An adapter on disk."""

    model_config = ConfigDict(frozen=True)

    name: str
    """With the hash of its weights, so that a server can never answer for a new one with what it knows of an old."""
    folder: Path
    base: str
    """The model of the store that it belongs to."""
    role: str
    """The role it was tuned for."""


def content_hash(weights: Path) -> str:
    """The first digits of the weights' sha256, which stand in an adapter's name.

    Raises:
        UserError: the file can't be read.
    """
    try:
        with weights.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:HASH_DIGITS]
    except OSError as error:
        raise UserError(
            f"the adapter `{weights}` cannot be read ({error.strerror}): train or export it again"
        ) from None


def read_adapter(folder: Path) -> Adapter:
    """The adapter in a folder that `wardround train` exported.

    Raises:
        UserError: no adapter is there, or its weights are not those that its name promises.
    """
    try:
        told = json.loads((folder / "wardround.json").read_text(encoding="utf-8"))
        adapter = Adapter(name=folder.name, folder=folder, base=told["base"], role=told["role"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"`{folder}` is no exported adapter (it needs `wardround.json`): export it again") from None
    if not folder.name.endswith(f"-{content_hash(folder / WEIGHTS)}"):
        raise UserError(f"the weights in `{folder}` are not those of its name: copy or export it again")
    return adapter


def shipped_adapter(role: str, base: str) -> Adapter | None:
    """The shipped adapter for a role on a base model; None where there is none."""
    found = (read_adapter(path.parent) for path in sorted(SHIPPED.glob("*/wardround.json")))
    return next((a for a in found if a.role == role and a.base == base), None)


def gguf_of(adapter: Adapter, *, settings: Settings) -> Path:
    """The adapter for llama.cpp, made at the first use.

    Raises:
        MissingExtra: without the packages that read and write the two formats.
        UserError: the base is none whose form is known here, or no room.
    """
    heads = _HEADS.get(adapter.base)
    if heads is None:
        raise UserError(f"the adapter `{adapter.name}` is for `{adapter.base}`, which llama.cpp does not serve here")
    target = settings.cache_dir / "adapters" / f"{adapter.name}.gguf"
    if not target.is_file():
        write_gguf_lora(adapter.folder, target, heads=heads[0], key_heads=heads[1])
    return target
