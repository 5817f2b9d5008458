"""A tiny vision-language model of random weights goes through SFT, DPO and generation with an image: mechanics only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tiny_model import write_vision_model
from wardround.errors import UserError
from wardround.settings import Settings
from wardround.training.base_model import load_base, merged
from wardround.training.config import TrainingConfig
from wardround.training.data import ChatMessage, PreferenceRow, SftRow, read_sft_rows, write_rows
from wardround.training.folder import curve, read_log
from wardround.training.run import train
from wardround.training.vision import vision_collator, vision_dataset

Configured = Callable[..., TrainingConfig]
ANSWERS = "brighter", "darker", "unchanged"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in `vl`, and rows with one or two images."""
    made = tmp_path_factory.mktemp("vision")
    write_vision_model(made / "vl")
    sft: list[SftRow] = []
    pairs: list[PreferenceRow] = []
    for number in range(6):
        images = tuple(f"film-{number}-{visit}.png" for visit in range(1 + number % 2))
        for visit, name in enumerate(images):
            Image.new("RGB", (32, 24 + 8 * visit), (40 * number, 40 * visit, 90)).save(made / name)
        marks = "first <image> now <image>" if len(images) == 2 else "<image>"
        asked = ChatMessage(role="user", content=f"{marks} What changed?")
        answer = ChatMessage(role="assistant", content=ANSWERS[number % 3])
        worse = ChatMessage(role="assistant", content="no idea")
        pair: dict[str, Any] = {"prompt": (asked,), "chosen": (answer,), "rejected": (worse,)}
        sft.append(SftRow(id=f"s{number}", images=images, messages=(asked, answer)))
        pairs.append(PreferenceRow(id=f"p{number}", images=images, **pair))
    write_rows(sft, made / "sft.jsonl")
    write_rows(pairs, made / "pairs.jsonl")
    return made


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vision-run") / "run"


@pytest.fixture
def tuned(kept: Path, folder: Path, configured: Configured, settings: Settings) -> Path:
    """The adapter of Stage I, so to speak."""
    if not kept.exists():
        config = configured(base=str(folder / "vl"), train=folder / "sft.jsonl", batch_size=3, max_steps=6)
        train(config, kept, settings=settings)
    return kept


def test_demonstrations_with_images_are_learned(tuned: Path) -> None:
    found = [value for _, value in curve(read_log(tuned), "loss")]
    assert found[-1] < found[0]


def test_preferences_with_images_are_learned_from_there(
    tuned: Path, folder: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    config = configured(
        kind="dpo",
        base=str(folder / "vl"),
        start=tuned / "adapter",
        train=folder / "pairs.jsonl",
        batch_size=3,
        max_steps=4,
        learning_rate=2e-2,
        dpo={"precompute_reference": False},
    )
    train(config, tmp_path / "run", settings=settings)
    margins = [value for _, value in curve(read_log(tmp_path / "run"), "rewards/margins")]
    assert margins[0] == pytest.approx(0, abs=1e-4)
    assert margins[-1] > 0.01


def test_what_was_trained_answers_with_an_image_in_transformers(tuned: Path, folder: Path, settings: Settings) -> None:
    base = load_base(str(folder / "vl"), settings=settings)
    model = merged(base.model, tuned / "adapter").eval()
    asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What changed?"}]}]
    text = base.processor.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    answers: list[Any] = []
    for colour in ("black", "white"):
        inputs = base.processor(images=[Image.new("RGB", (32, 24), colour)], text=[text], return_tensors="pt")
        with torch.inference_mode():
            written = model.generate(
                **inputs, max_new_tokens=8, do_sample=False, output_logits=True, return_dict_in_generate=True
            )
        answers.append(written.logits[0])
    assert not torch.equal(answers[0], answers[1])  # the image counts


def test_only_the_reply_is_learned(folder: Path, configured: Configured, settings: Settings) -> None:
    base = load_base(str(folder / "vl"), settings=settings)
    config = configured(base=str(folder / "vl"), train=folder / "sft.jsonl")
    prepared: Any = vision_dataset(read_sft_rows(folder / "sft.jsonl"), base, config, where=folder / "sft.jsonl")
    batch = vision_collator(base, config)([prepared.dataset[place] for place in range(3)])
    for row, answer in enumerate(ANSWERS):
        labels = batch["labels"][row]
        assert base.tokenizer.decode(labels[labels != -100]) == f"{answer}<|im_end|>"


def test_images_are_not_learned_by_a_model_without_eyes(
    folder: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no vision-language model"):
        train(configured(train=folder / "sft.jsonl"), tmp_path / "run", settings=settings)


def test_a_file_that_is_no_image_is_named(
    folder: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "film.png").write_bytes(b"no image")
    row = read_sft_rows(folder / "sft.jsonl")[0].model_copy(update={"images": ("film.png",)})
    write_rows([row], tmp_path / "rows.jsonl")
    config = configured(base=str(folder / "vl"), train=tmp_path / "rows.jsonl")
    with pytest.raises(UserError, match=r"film\.png` cannot be read"):
        train(config, tmp_path / "run", settings=settings)
