"""DPO: the loss is the formula's, the reference is asked once, and the chosen reply becomes likelier."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import tokenizer
from transformers import AutoModelForCausalLM
from wardround.settings import Settings
from wardround.training.base_model import load_base
from wardround.training.config import TrainingConfig
from wardround.training.data import read_preference_rows
from wardround.training.datasets import dpo_dataset
from wardround.training.encoding import encode_pair
from wardround.training.folder import curve, read_log
from wardround.training.run import train
from wardround.training.trainers import make_trainer

Configured = Callable[..., TrainingConfig]


def log_probability(model: Any, prompt: list[int], reply: list[int]) -> float:
    """The sum over the reply's tokens, from the model's own logits."""
    with torch.no_grad():
        every = torch.log_softmax(model(torch.tensor([prompt + reply])).logits[0].double(), dim=-1)
    start = len(prompt) - 1
    return sum(every[start + place, token].item() for place, token in enumerate(reply))


def moved(model: Any) -> Any:
    """The policy: the same model with its adapter (or weights) changed a little, always the same way."""
    chance = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(0.05 * torch.randn(weight.shape, generator=chance))
    return model


@pytest.mark.parametrize("precompute", [True, False])
def test_the_loss_of_a_batch_is_the_formula_s(
    precompute: bool, tiny: Path, files: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    beta = 0.3
    config = configured(kind="dpo", dpo={"beta": beta, "precompute_reference": precompute})
    rows = read_preference_rows(files / "pairs.jsonl")[:4]
    base = load_base(str(tiny), settings=settings)
    prepared = dpo_dataset(rows, base.tokenizer, max_length=512, where=files, folder=tmp_path / "pairs")
    trainer = make_trainer(base, config, prepared, None, folder=tmp_path / "run")
    policy = moved(trainer.model).eval()
    batch = trainer.data_collator([trainer.train_dataset[place] for place in range(4)])
    found = trainer.compute_loss(policy, batch).item()

    reference = AutoModelForCausalLM.from_pretrained(tiny)
    expected = 0.0
    plain = policy.get_base_model()  # with the adapter in its layers
    for row in rows:
        pair = encode_pair(row, tokenizer())
        gains = [
            log_probability(plain, pair.prompt_ids, reply) - log_probability(reference, pair.prompt_ids, reply)
            for reply in (pair.chosen_ids, pair.rejected_ids)
        ]
        expected += math.log1p(math.exp(-beta * (gains[0] - gains[1]))) / len(rows)
    assert abs(expected - math.log(2)) > 1e-3  # the policy was moved: the loss tells more than a constant
    assert found == pytest.approx(expected, abs=2e-4)


def test_what_is_chosen_becomes_likelier(configured: Configured, settings: Settings, tmp_path: Path) -> None:
    run = tmp_path / "run"
    manifest = train(configured(kind="dpo", max_steps=6, batch_size=6, learning_rate=2e-2), run, settings=settings)
    margins = [value for _, value in curve(read_log(run), "rewards/margins")]
    assert margins[0] == pytest.approx(0, abs=1e-5)  # policy and reference are the same
    assert margins[-1] > 0.05
    assert manifest.train.learned > 0


def test_accumulation_gives_the_same_losses(configured: Configured, settings: Settings, tmp_path: Path) -> None:
    found: list[list[float]] = []
    for batch in (4, 1):
        run = tmp_path / f"run-{batch}"
        train(configured(kind="dpo", max_steps=3, batch_size=batch, accumulation=4 // batch), run, settings=settings)
        found.append([value for _, value in curve(read_log(run), "loss")])
    assert found[0] == pytest.approx(found[1], rel=1e-4)
