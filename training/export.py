"""From a trained adapter to what others use: a named folder in 16 bit, a merged model, a GGUF file for llama.cpp.

The name ends with a hash of the weights. A server that has cached answers of one adapter can so never give them out for
another, and a folder whose weights were exchanged is noticed (`wardround.models.adapter`).
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from ..errors import UserError
from ..models.adapter import WEIGHTS, Adapter, content_hash, read_adapter

CARD: Final = "README.md"
_CONFIG: Final = "adapter_config.json"


def export_adapter(trained: Path, into: Path, *, name: str, base: str, role: str, card: str | None = None) -> Adapter:
    """Copy PEFT's folder `trained` to `into/NAME-HASH`, weights in 16 bit.

    Args:
        trained: a folder with `adapter_config.json` and `adapter_model.safetensors`.
        into: where the new folder goes; one that is there already with the same weights is kept.
        name: the beginning of the new name.
        base: the model of the store that it was trained on.
        role: the role it is for.
        card: the text of its model card; without one, that in `trained` is copied where there is one.

    Raises:
        UserError: no adapter is there, or the disc is full.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    try:
        config: dict[str, Any] = json.loads((trained / _CONFIG).read_text(encoding="utf-8"))
        tensors = load_file(trained / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"`{trained}` holds no adapter that can be read ({error}): name a run that is done") from None
    config |= {"base_model_name_or_path": base, "inference_mode": True}
    try:
        into.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=into, prefix=".export-") as temporary:
            made = Path(temporary) / "adapter"
            made.mkdir()
            save_file(
                {key: value.to(torch.float16) for key, value in tensors.items()}, made / WEIGHTS, {"format": "pt"}
            )
            (made / _CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            (made / "wardround.json").write_text(json.dumps({"base": base, "role": role}) + "\n", encoding="utf-8")
            if card is not None:
                (made / CARD).write_text(card, encoding="utf-8")
            elif (trained / CARD).is_file():
                told = (trained / CARD).read_text(encoding="utf-8").splitlines(keepends=True)
                # The picture stays with the run.
                (made / CARD).write_text("".join(line for line in told if "curves.png" not in line), encoding="utf-8")
            (made / WEIGHTS).chmod(0o644)
            target = into / f"{name}-{content_hash(made / WEIGHTS)}"
            if not target.exists():
                made.rename(target)
    except (OSError, SafetensorError) as error:
        raise UserError(f"the adapter cannot be written to `{into}` ({error}): make room") from None
    return read_adapter(target)


def export_merged(adapter: Path, base: Path, target: Path) -> None:
    """Write the base model in the folder `base` with the adapter's weights added, as a model of its own.

    Raises:
        UserError: the adapter does not match the base, or there is no room.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from .base_model import merged

    model: Any = AutoModelForCausalLM.from_pretrained(base)
    whole = merged(model, adapter)
    try:
        whole.save_pretrained(target)
        AutoTokenizer.from_pretrained(base).save_pretrained(target)
    except OSError as error:
        raise UserError(f"`{target}` cannot be written ({error.strerror}): make room") from None
