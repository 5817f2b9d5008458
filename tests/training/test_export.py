"""An adapter leaves as a folder that is named by its content, as a merged model, and as a file for llama.cpp."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wardround.errors import UserError
from wardround.models.adapter import WEIGHTS, Adapter, gguf_of, read_adapter
from wardround.models.gguf_lora import write_gguf_lora
from wardround.settings import Settings
from wardround.training.export import export_adapter, export_merged


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    """An adapter of the tiny model with random weights, as PEFT saves one."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    model: Any = AutoModelForCausalLM.from_pretrained(tiny)
    tuned: Any = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    folder = tmp_path_factory.mktemp("trained") / "adapter"
    tuned.save_pretrained(folder)
    return folder


@pytest.fixture
def exported(trained: Path, tmp_path: Path) -> Adapter:
    return export_adapter(trained, tmp_path, name="distiller-tiny", base="smollm2", role="distiller", card="A card.")


def test_the_name_is_that_of_the_weights(exported: Adapter, trained: Path, tmp_path: Path) -> None:
    assert exported == read_adapter(exported.folder)
    again = export_adapter(trained, tmp_path, name="distiller-tiny", base="smollm2", role="distiller")
    assert again == exported
    assert (exported.folder / "README.md").read_text() == "A card."
    assert json.loads((exported.folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "smollm2"


def test_weights_are_16_bit_and_the_same(exported: Adapter, trained: Path) -> None:
    import torch
    from safetensors.torch import load_file

    before, after = load_file(trained / WEIGHTS), load_file(exported.folder / WEIGHTS)
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert after[key].dtype == torch.float16
        assert torch.allclose(after[key].float(), value, atol=1e-3)


def test_exchanged_weights_are_noticed(exported: Adapter) -> None:
    weights = exported.folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(UserError, match="not those of its name"):
        read_adapter(exported.folder)


def test_what_is_no_adapter_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no adapter"):
        export_adapter(tmp_path, tmp_path / "out", name="x", base="smollm2", role="distiller")
    with pytest.raises(UserError, match="no exported adapter"):
        read_adapter(tmp_path)


def test_the_merged_model_says_what_the_adapter_says(exported: Adapter, tiny: Path, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    export_merged(exported.folder, tiny, tmp_path / "merged")
    tokens = torch.tensor([[5, 6, 7, 8]])
    beside: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny), exported.folder)
    merged: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert torch.allclose(beside(tokens).logits, merged(tokens).logits, atol=1e-4)


def test_gguf_has_every_weight_and_rotary_rows_in_its_order(exported: Adapter, tmp_path: Path) -> None:
    import gguf
    import numpy as np
    from safetensors.numpy import load_file

    target = tmp_path / "adapter.gguf"
    write_gguf_lora(exported.folder, target, heads=4, key_heads=2)
    found = {tensor.name: np.asarray(tensor.data) for tensor in gguf.GGUFReader(target).tensors}
    source = load_file(exported.folder / WEIGHTS)
    assert len(found) == len(source)
    stem = "base_model.model.model.layers.1."
    down = source[stem + "mlp.down_proj.lora_A.weight"]
    assert np.array_equal(found["blk.1.ffn_down.weight.lora_a"], down)
    query = source[stem + "self_attn.q_proj.lora_B.weight"]  # 4 heads of 8 rows: halves become pairs of neighbours
    moved = found["blk.1.attn_q.weight.lora_b"]
    assert np.array_equal(moved[0], query[0])
    assert np.array_equal(moved[1], query[4])
    assert np.array_equal(moved[2], query[1])


def test_gguf_is_made_once_and_only_for_a_known_base(exported: Adapter, tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path / "cache")
    with pytest.raises(UserError, match="does not serve"):
        gguf_of(exported.model_copy(update={"base": "other"}), settings=settings)


def test_a_cache_that_takes_no_adapter_is_named(exported: Adapter, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    settings = Settings(cache_dir=tmp_path / "taken")
    with pytest.raises(UserError, match=r"taken.*WARDROUND_CACHE_DIR"):
        gguf_of(exported.model_copy(update={"base": "smollm2"}), settings=settings)


def test_an_adapter_of_another_kind_is_refused(exported: Adapter, tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"base_model.model.score.weight": np.zeros((2, 2), np.float16)}, exported.folder / WEIGHTS)
    with pytest.raises(UserError, match="none of a plain LoRA"):
        write_gguf_lora(exported.folder, tmp_path / "a.gguf", heads=4, key_heads=2)
    assert list(tmp_path.glob("*.gguf*")) == []
