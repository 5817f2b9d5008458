"""A LoRA adapter as llama.cpp reads it: from PEFT's safetensors to GGUF, for models of the Llama architecture.

llama.cpp has the rows of the query and key projections in another order than transformers (its rotary embedding turns
pairs of neighbours, not halves), so those of the adapter's `B` are put into that order as its converter does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from ..errors import MissingExtra, UserError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_KEY: Final = re.compile(r"base_model\.model\.model\.layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.lora_([AB])\.weight")
_NAMES: Final = {
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}


def write_gguf_lora(adapter: Path, target: Path, *, heads: int, key_heads: int) -> None:
    """Write the adapter in the folder `adapter` (PEFT's) as the GGUF file `target`, in 16 bit, whole or not at all.

    `heads` and `key_heads` are the base model's numbers of attention heads and of key-value heads.

    Raises:
        MissingExtra: without the packages gguf and safetensors.
        UserError: the folder holds no adapter, or one that is no plain LoRA of a Llama model; or no room.
    """
    try:
        import gguf
        from safetensors.numpy import load_file
    except ImportError as error:
        raise MissingExtra(
            f"the adapter needs the package `{error.name}`: run `pip install 'wardround[local]'`"
        ) from None
    config, weights = adapter / "adapter_config.json", adapter / "adapter_model.safetensors"
    try:
        told: Any = json.loads(config.read_text(encoding="utf-8"))
        tensors = load_file(weights)
        alpha = float(told["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"`{adapter}` holds no adapter that can be read ({type(error).__name__}: {error})") from None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
            temporary = Path(scratch) / target.name
            writer: Any = gguf.GGUFWriter(str(temporary), "llama")
            writer.add_type(gguf.GGUFType.ADAPTER)
            writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
            writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
            for key, tensor in sorted(tensors.items()):
                name, data = _converted(key, tensor, heads=heads, key_heads=key_heads)
                writer.add_tensor(name, data)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            temporary.replace(target)
    except OSError as error:
        raise UserError(
            f"`{target}` cannot be written ({error.strerror}): make room or set WARDROUND_CACHE_DIR"
        ) from None


def _converted(key: str, tensor: Any, *, heads: int, key_heads: int) -> tuple[str, npt.NDArray[np.float16]]:
    import numpy as np

    match = _KEY.fullmatch(key)
    if match is None or match[2] not in _NAMES:
        raise UserError(f"the adapter has a weight `{key[:120]}`, which is none of a plain LoRA on a Llama model")
    layer, projection, side = match.groups()
    data = np.asarray(tensor, dtype=np.float32)
    if side == "B" and projection in ("q_proj", "k_proj"):
        many = heads if projection == "q_proj" else key_heads
        rows, rank = data.shape
        data = data.reshape(many, 2, rows // many // 2, rank).swapaxes(1, 2).reshape(rows, rank)
    return f"blk.{layer}.{_NAMES[projection]}.weight.lora_{side.lower()}", data.astype(np.float16)
