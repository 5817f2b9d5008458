"""LoRA adapters on disk, as a server may load them: checked before a model is, and named by what is in them.

A server keeps what it computed for a prompt under the adapter's name. One that is replaced under the same name may
therefore answer from the old one (vllm#42125), so the name carries a hash of the content.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pydantic import BaseModel, ConfigDict

from ...errors import UserError

WEIGHTS: Final = "adapter_model.safetensors"
CONFIG: Final = "adapter_config.json"
HASH_LETTERS: Final = 12
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,79}", re.ASCII)
_HASHED: Final = re.compile(rf".+-([0-9a-f]{{{HASH_LETTERS}}})")
_LAYER: Final = re.compile(r"\.layers\.(\d+)\.")
_FROM_HIDDEN: Final = re.compile(r"\.(?:[qkv]_proj|gate_proj|up_proj)\.lora_A\.")


class Adapter(BaseModel):
    """One adapter."""

    model_config = ConfigDict(frozen=True)

    name: str
    """What people call it."""
    folder: Path
    sha256: str
    """See `content_sha256`."""
    named_by_hash: bool = False
    """Whether the name ends in a hash of the weights already, as that of an exported adapter does."""
    role: str | None = None
    """The role that it was tuned for, where the export says so."""
    rank: int
    base: str
    """What the base model was called in training; may be empty."""
    layers: int
    """The number of the highest layer that it changes, plus one."""
    hidden: int
    """The base model's width; 0 where it changes no weight that tells."""
    chat_template: str | None
    """The template that it was trained with, where one lies beside it."""

    @property
    def served_name(self) -> str:
        """The name that a server knows it by."""
        return self.name if self.named_by_hash else f"{self.name}-{self.sha256[:HASH_LETTERS]}"


def content_sha256(folder: Path) -> str:
    """A hash over all that decides what an adapter does: its weights, and its configuration but for where the base
    model lay. Raises OSError or ValueError where they cannot be read."""
    config: Any = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    if not isinstance(config, dict):
        raise ValueError("no JSON object")
    decides = {key: value for key, value in cast("dict[str, Any]", config).items() if key not in _DECIDES_NOTHING}
    with (folder / WEIGHTS).open("rb") as stream:
        weights = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashlib.sha256(f"{json.dumps(decides, sort_keys=True)}\n{weights}".encode()).hexdigest()


_EXPORT: Final = "wardround.json"
_DECIDES_NOTHING: Final = {"base_model_name_or_path", "revision", "peft_version", "inference_mode", "auto_mapping"}


def read_adapter(text: str) -> Adapter:
    """The adapter that `[NAME=]FOLDER` names; without NAME the folder's is taken.

    Raises:
        UserError: it is no adapter, or one that vLLM cannot serve.
    """
    name, folder = _name_and_folder(text)
    if not (folder / CONFIG).is_file():
        raise UserError(f"there is no adapter in `{folder}`: name a folder with `{CONFIG}` and `{WEIGHTS}`")
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"adapter `{folder}` has no `{WEIGHTS}`: save it as safetensors, other forms can hold code")
    try:
        config: Any = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        rank = int(config["r"])
        _check_kind(config, folder)
        shape = _shape(folder / WEIGHTS)
        template = folder / "chat_template.jinja"
        return Adapter(
            name=name,
            folder=folder,
            sha256=content_sha256(folder),
            named_by_hash=_named_by_hash(name, folder),
            role=_role(folder),
            rank=max([rank, *map(int, (config.get("rank_pattern") or {}).values())]),
            base=str(config.get("base_model_name_or_path") or ""),
            layers=shape.layers,
            hidden=shape.hidden,
            chat_template=template.read_text(encoding="utf-8") if template.is_file() else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise UserError(
            f"adapter `{folder}` cannot be read ({type(error).__name__}: {error}): export it anew"
        ) from None


def check_base(adapter: Adapter, model: str) -> None:
    """Whether the adapter's shapes fit the model, as far as the `config.json` in its folder tells; a model that is no
    folder is left to the server.

    Raises:
        UserError: they don't.
    """
    file = Path(model) / "config.json"
    if not file.is_file():
        return
    config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    config = config.get("text_config") or config
    hidden, layers = config.get("hidden_size"), config.get("num_hidden_layers")
    fits = (not adapter.hidden or hidden in (None, adapter.hidden)) and (layers is None or adapter.layers <= layers)
    if not fits:
        raise UserError(
            f"adapter `{adapter.name}` was made for another model than `{model}` (width {adapter.hidden} and "
            f"{adapter.layers} layers, the model has {hidden} and {layers}): serve it with its base"
            + (f", `{adapter.base}`" if adapter.base else "")
        )


class _Shape(NamedTuple):
    layers: int
    hidden: int


def _shape(weights: Path) -> _Shape:
    """Read off the file's header; the format is eight bytes of length, then that much JSON."""
    with weights.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > 100_000_000:
            raise ValueError("its header is longer than the format allows")
        header: dict[str, Any] = json.loads(stream.read(length))
    layers = hidden = 0
    for name, entry in header.items():
        if match := _LAYER.search(name):
            layers = max(layers, int(match[1]) + 1)
        if _FROM_HIDDEN.search(name):
            hidden = int(entry["shape"][1])
    return _Shape(layers, hidden)


def _named_by_hash(name: str, folder: Path) -> bool:
    """Whether `name` ends in the beginning of a hash, which must then be that of the weights or of the whole."""
    match = _HASHED.fullmatch(name)
    if match is None:
        return False
    with (folder / WEIGHTS).open("rb") as stream:
        weights = hashlib.file_digest(stream, "sha256").hexdigest()
    if not weights.startswith(match[1]) and not content_sha256(folder).startswith(match[1]):
        raise UserError(f"the adapter in `{folder}` is not the one that its name promises: copy or export it again")
    return True


def _role(folder: Path) -> str | None:
    file = folder / _EXPORT
    told: Any = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    role: Any = cast("dict[str, Any]", told).get("role")
    return role if isinstance(role, str) else None


def _name_and_folder(text: str) -> tuple[str, Path]:
    name, equals, rest = text.partition("=")
    folder = Path(rest if equals else text).expanduser()
    name = name if equals else folder.resolve().name
    if not _NAME.fullmatch(name):
        raise UserError(f"`{name}` cannot be an adapter's name: write `NAME=FOLDER`, NAME of letters, digits, `.-_`")
    return name, folder.resolve()


def _check_kind(config: dict[str, Any], folder: Path) -> None:
    """What vLLM's loader refuses only after the model has been loaded."""
    wrong = {
        f"is of the kind {config.get('peft_type')}, not LORA": config.get("peft_type") != "LORA",
        "uses DoRA": bool(config.get("use_dora")),
        "tunes biases": config.get("bias", "none") != "none",
        "replaces whole layers (`modules_to_save`)": bool(config.get("modules_to_save")),
    }
    for what, is_so in wrong.items():
        if is_so:
            raise UserError(f"adapter `{folder}` {what}: vLLM serves plain LoRA only; merge it into its base instead")
