"""A tiny text model and rows for it, and a config to train it with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="the extra `train` is not installed")

from tiny_model import write_text_model
from wardround.settings import Settings
from wardround.training.config import TrainingConfig
from wardround.training.data import ChatMessage, PreferenceRow, SftRow, write_rows

INSTRUCTION = "You name the medicine that was asked about, and nothing else. Never answer the person yourself."
NAMES = "aspirin ibuprofen warfarin metformin codeine lisinopril digoxin insulin".split()
ASKED = "May I take {} today?", "what is {} for", "Is {} safe with my heart, and for how long would I be on it?"


def sft_rows(first: int, count: int) -> list[SftRow]:
    """Conversations of different length that begin the same."""
    rows: list[SftRow] = []
    for number in range(first, first + count):
        name = NAMES[number % len(NAMES)]
        messages = [ChatMessage(role="system", content=INSTRUCTION)]
        if number % 3 == 0:
            messages += [ChatMessage(role="user", content="hello"), ChatMessage(role="assistant", content="Hello.")]
        messages += [
            ChatMessage(role="user", content=ASKED[number % 3].format(name)),
            ChatMessage(role="assistant", content=name),
        ]
        rows.append(SftRow(id=f"row-{number}", messages=tuple(messages), weight=2.0 if number % 5 == 0 else 1.0))
    return rows


def preference_rows(count: int) -> list[PreferenceRow]:
    """Pairs of which the chosen reply is the name asked for."""
    return [
        PreferenceRow(
            id=f"pair-{row.id}",
            prompt=row.messages[:-1],
            chosen=row.messages[-1:],
            rejected=(ChatMessage(role="assistant", content=NAMES[(number + 3) % len(NAMES)] + ", I think"),),
        )
        for number, row in enumerate(sft_rows(0, count))
    ]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Llama. Not to be changed."""
    return write_text_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `sft.jsonl`, `heldout.jsonl` and `pairs.jsonl`."""
    folder = tmp_path_factory.mktemp("rows")
    write_rows(sft_rows(0, 48), folder / "sft.jsonl")
    write_rows(sft_rows(100, 8), folder / "heldout.jsonl")
    write_rows(preference_rows(12), folder / "pairs.jsonl")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a cache of its own."""
    return Settings(cache_dir=tmp_path / "cache")


@pytest.fixture
def configured(tiny: Path, files: Path) -> Callable[..., TrainingConfig]:
    """Makes a config for the tiny model; fields as arguments."""

    def make(**fields: Any) -> TrainingConfig:
        kind = fields.get("kind", "sft")
        told: dict[str, Any] = {
            "kind": kind,
            "base": str(tiny),
            "train": files / ("sft.jsonl" if kind == "sft" else "pairs.jsonl"),
            "max_steps": 4,
            "batch_size": 8,
            "learning_rate": 5e-3,
            "threads": 1,
        }
        return TrainingConfig.model_validate(told | fields)

    return make
