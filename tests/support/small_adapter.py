"""LoRA adapters with random weights that are not zero, as PEFT writes them, made without PEFT."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np


def write_adapter(folder: Path, *, seed: int, layers: int, hidden: int, rank: int = 4, scale: float = 0.05) -> Path:
    """An adapter for the `q_proj` and `o_proj` of a Llama of that size; `scale`: deviation of its weights."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    tensors = {
        f"base_model.model.model.layers.{layer}.self_attn.{module}.lora_{side}.weight": rng.normal(
            0.0, scale, (rank, hidden) if side == "A" else (hidden, rank)
        ).astype(np.float32)
        for layer in range(layers)
        for module in ("q_proj", "o_proj")
        for side in "AB"
    }
    header: dict[str, Any] = {}
    data = b""
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + tensor.nbytes],
        }
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "smollm2",
        "r": rank,
        "lora_alpha": 2 * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": ["q_proj", "o_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder
