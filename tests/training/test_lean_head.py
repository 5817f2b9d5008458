"""The lean head gives what the whole computation gives: losses, gradients, figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from wardround.training import lean_head
from wardround.training.lean_head import add_lean_head, shared_length

IGNORED = -100


def batch(shared: int) -> dict[str, torch.Tensor]:
    """Three rows of 60, 57 and 50 tokens, padded; they begin with `shared` equal tokens, the last seven are learned."""
    chance = torch.Generator().manual_seed(3)
    ids = torch.randint(0, 250, (3, 60), generator=chance)
    ids[:, :shared] = ids[:1, :shared]
    ids[:, shared] = torch.tensor([1, 2, 3])
    mask = torch.ones_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for row, length in enumerate((60, 57, 50)):
        mask[row, length:] = 0
        labels[row, length - 7 : length] = ids[row, length - 7 : length]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def fresh(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder)


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    loss.backward()
    return {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize(("shared", "share"), [(0, True), (40, True), (40, False), (52, True)])
def test_losses_and_gradients_are_those_of_the_full_logits(tiny: Path, shared: int, share: bool) -> None:
    told = batch(shared)
    full = fresh(tiny)
    expected = full(**told).loss
    lean = fresh(tiny)
    add_lean_head(lean, share_prefix=share)
    found = lean(**told, fused_lm_head=True)
    torch.testing.assert_close(found.loss, expected)
    wanted, got = gradients(full, expected), gradients(lean, found.loss)
    assert wanted.keys() == got.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(got[name], value, atol=1e-6, rtol=1e-4)


def test_many_positions_are_projected_in_parts(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = batch(0)
    lean = fresh(tiny)
    add_lean_head(lean, share_prefix=False)
    whole = lean(**told, fused_lm_head=True)
    monkeypatch.setattr(lean_head, "_CHUNK", 5)
    parts = lean(**told, fused_lm_head=True)
    for name in ("log_probs", "entropy", "is_top1"):
        torch.testing.assert_close(parts[name], whole[name])


def test_a_row_s_weight_multiplies_its_log_probabilities(tiny: Path) -> None:
    told = batch(40)
    lean = fresh(tiny)
    add_lean_head(lean, share_prefix=True)
    plain = lean(**told, fused_lm_head=True).log_probs
    weighted = lean(**told, fused_lm_head=True, loss_weights=torch.tensor([1.0, 3.0, 0.5])).log_probs
    torch.testing.assert_close(weighted, plain * torch.tensor([[1.0], [3.0], [0.5]]))


def test_nothing_learned_is_a_loss_of_zero_that_can_be_differentiated(tiny: Path) -> None:
    told = batch(0)
    told["labels"] = torch.full_like(told["labels"], IGNORED)
    lean = fresh(tiny)
    add_lean_head(lean, share_prefix=True)
    loss = lean(**told, fused_lm_head=True).loss
    loss.backward()
    assert loss.item() == 0


def test_the_shared_part_ends_before_what_predicts_the_first_label() -> None:
    ids = torch.ones(4, 100, dtype=torch.long)
    labels = torch.full_like(ids, IGNORED)
    labels[2, 50:] = 1
    assert shared_length(ids, None, labels) == 49


def test_a_short_beginning_is_not_worth_it() -> None:
    ids = torch.ones(2, 100, dtype=torch.long)
    ids[1, 20:] = 2
    assert shared_length(ids, None, torch.full_like(ids, IGNORED)) == 0


def test_generation_is_unchanged(tiny: Path) -> None:
    model = fresh(tiny)
    prompt = torch.arange(12)[None]
    before = model.generate(prompt, max_new_tokens=6, do_sample=False)
    add_lean_head(model, share_prefix=True)
    assert torch.equal(model.generate(prompt, max_new_tokens=6, do_sample=False), before)
