"""Replies that the trainer asks a model for: the likeliest, and sampled ones."""

from __future__ import annotations

from pathlib import Path

import torch
from wardround.settings import Settings
from wardround.training.base_model import load_base
from wardround.training.scoring import write_replies

PROMPTS = ["May I take aspirin today?", "what is ibuprofen for", "Is codeine safe with my heart?"] * 6


def replies(tiny: Path, settings: Settings, *, temperature: float, seed: int = 0) -> list[str]:
    base = load_base(str(tiny), settings=settings)
    torch.manual_seed(seed)
    return write_replies(base.model, base.tokenizer, PROMPTS, max_new_tokens=8, temperature=temperature)


def test_the_likeliest_reply_to_a_prompt_is_the_same_wherever_it_stands(tiny: Path, settings: Settings) -> None:
    said = replies(tiny, settings, temperature=0.0)
    assert len(said) == len(PROMPTS)
    assert [len({said[i] for i in range(first, len(said), 3)}) for first in range(3)] == [1, 1, 1]


def test_samples_differ_and_a_seed_repeats_them(tiny: Path, settings: Settings) -> None:
    sampled = replies(tiny, settings, temperature=1.0)
    assert len({sampled[i] for i in range(0, len(sampled), 3)}) > 1
    assert replies(tiny, settings, temperature=1.0) == sampled
    assert replies(tiny, settings, temperature=1.0, seed=1) != sampled


def test_progress_counts_every_reply(tiny: Path, settings: Settings) -> None:
    base = load_base(str(tiny), settings=settings)
    told: list[str] = []
    write_replies(base.model, base.tokenizer, PROMPTS, max_new_tokens=1, say=told.append)
    assert told == ["16 of 18 replies", "18 of 18 replies"]
