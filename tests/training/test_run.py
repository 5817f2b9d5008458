"""What a run leaves behind, early stopping, and what is wrong said in one line with nothing lost."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from tiny_model import write_text_model
from wardround.errors import UserError
from wardround.settings import Settings
from wardround.training.config import TrainingConfig
from wardround.training.folder import read_log, read_manifest
from wardround.training.run import train

Configured = Callable[..., TrainingConfig]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "run"


@pytest.fixture
def run_folder(kept: Path, configured: Configured, files: Path, settings: Settings) -> Path:
    """A run with evaluation, done."""
    if not kept.exists():
        evaluation: dict[str, Any] = {"every": 2, "score": "exact", "limit": 4, "max_new_tokens": 4, "patience": 1}
        config = configured(heldout=files / "heldout.jsonl", max_steps=20, learning_rate=1e-9, evaluation=evaluation)
        train(config, kept, settings=settings)
    return kept


def test_the_folder_holds_adapter_curves_log_and_card(run_folder: Path) -> None:
    manifest = read_manifest(run_folder)
    assert manifest.status == "done"
    assert manifest.outcome is not None
    assert (run_folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((run_folder / "tensorboard").iterdir())
    assert (run_folder / "adapter" / "adapter_model.safetensors").is_file()
    card = (run_folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith((run_folder / "adapter" / "README.md").read_text(encoding="utf-8"))
    for told in (manifest.outcome.sha256, manifest.train.sha256[:16], manifest.base_sha256):
        assert told in card


def test_the_card_says_what_is_to_be_known_of_the_rows(
    configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    note = "Nobody has reviewed these rows."
    train(configured(max_steps=1, note=note), tmp_path / "run", settings=settings)
    assert f"\n\n{note}\n\n" in (tmp_path / "run" / "adapter" / "README.md").read_text(encoding="utf-8")


def test_nothing_that_is_kept_is_a_pickle(run_folder: Path) -> None:
    assert not list((run_folder / "adapter").glob("*.bin"))


def test_a_run_stops_when_the_held_out_score_does_not_rise(run_folder: Path) -> None:
    outcome = read_manifest(run_folder).outcome
    assert outcome is not None
    assert outcome.stopped_early
    assert outcome.steps == 4  # the second evaluation is no better than the first
    scores = [entry.figures["eval_score"] for entry in read_log(run_folder) if "eval_score" in entry.figures]
    assert len(scores) == 2


def test_another_run_does_not_go_into_the_folder(run_folder: Path, configured: Configured, settings: Settings) -> None:
    with pytest.raises(UserError, match="is a run of something else"):
        train(configured(max_steps=20, learning_rate=1e-2), run_folder, settings=settings)


def test_rows_longer_than_the_limit_are_counted(configured: Configured, settings: Settings, tmp_path: Path) -> None:
    manifest = train(configured(max_steps=1, max_length=200), tmp_path / "run", settings=settings)
    assert 0 < manifest.train.too_long < 48
    assert manifest.train.rows + manifest.train.too_long == 48


@pytest.mark.parametrize("method", ["lora", "full"])
def test_what_auto_came_to_is_written_down(
    method: str, configured: Configured, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    config = configured(max_steps=1, precision="auto", method=method)
    assert train(config, tmp_path / "run", settings=settings).config.precision == (
        "bfloat16" if method == "lora" and not torch.cuda.is_available() else "float32"
    )
    assert train(config, tmp_path / "run", settings=settings).status == "done"  # the same run


def test_an_adapter_to_start_from_is_merged_in(
    run_folder: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    config = configured(max_steps=1, start=run_folder / "adapter", method="full")
    assert train(config, tmp_path / "run", settings=settings).outcome is not None
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()


def refused(config: TrainingConfig, folder: Path, settings: Settings) -> str:
    with pytest.raises(UserError) as raised:
        train(config, folder, settings=settings)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_an_adapter_of_another_model_is_refused(
    run_folder: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    other = write_text_model(tmp_path / "other", hidden=64)
    config = configured(start=run_folder / "adapter", base=str(other))
    assert "does not match the base model" in refused(config, tmp_path / "run", settings)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "rows.jsonl:2 is no JSON"),
        ('{"id": "a", "messages": []}', "must end with a turn of the role `assistant`"),
        ('{"id": "a", "messages": [], "wait": 1}', "wait"),
        (
            '{"id": "a", "images": ["x.png"], "messages": [{"role": "user", "content": "a"}, '
            '{"role": "assistant", "content": "b"}]}',
            "the image `x.png` is not in",
        ),
    ],
)
def test_a_broken_row_is_named(
    line: str, message: str, configured: Configured, settings: Settings, files: Path, tmp_path: Path
) -> None:
    good = (files / "sft.jsonl").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "rows.jsonl").write_text(f"{good}\n{line}\n", encoding="utf-8")
    assert message in refused(configured(train=tmp_path / "rows.jsonl"), tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


def test_held_out_rows_that_are_learned_from_are_refused(
    configured: Configured, settings: Settings, files: Path, tmp_path: Path
) -> None:
    config = configured(heldout=files / "sft.jsonl")
    assert "`row-0` is among the rows to learn from" in refused(config, tmp_path / "run", settings)


def test_no_such_model_is_said(configured: Configured, settings: Settings, tmp_path: Path) -> None:
    assert "there is no model `smoll`" in refused(configured(base="smoll"), tmp_path / "run", settings)


def test_a_model_that_is_not_pulled_names_the_command(
    configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    assert "wardround models pull smollm2" in refused(configured(base="smollm2"), tmp_path / "run", settings)


def test_a_damaged_model_is_said(configured: Configured, settings: Settings, tiny: Path, tmp_path: Path) -> None:
    copytree(tiny, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"cut off")
    message = refused(configured(base=str(tmp_path / "model")), tmp_path / "run", settings)
    assert "holds no model that can be loaded" in message


def test_a_full_disc_loses_nothing(
    configured: Configured, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disc fills when the second checkpoint is written; with space again, the run goes on from the first."""
    from transformers import Trainer

    run, config = tmp_path / "run", configured(max_steps=4, save_every=2)
    saving: Any = Trainer._save_checkpoint  # pyright: ignore[reportPrivateUsage]

    def full(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.state.global_step == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        saving(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "_save_checkpoint", full)
    assert "is full: free space" in refused(config, run, settings)
    monkeypatch.undo()
    news: list[str] = []
    assert train(config, run, settings=settings, say=news.append).status == "done"
    assert "goes on from step 2" in news


def test_the_command_says_what_is_wrong_in_one_line(run: Any, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('kind = "sft"\nbase = "smollm2"\n', encoding="utf-8")
    done = run("train", "sft", "--config", tmp_path / "c.toml")
    assert done.code == 2
    assert done.err == "wardround: the config names no rows to learn from: set `train` in it, or give `--train FILE`\n"


def test_the_command_lists_the_recipes(run: Any) -> None:
    assert "distiller-135m-cpu: sft, smollm2, lora" in run("train", "recipes").out


def test_a_config_of_the_other_kind_names_the_command(run: Any) -> None:
    assert "wardround train dpo" in run("train", "sft", "--config", "mede2-stage2-7b").err


def test_the_log_s_cut_off_line_is_passed_over(run_folder: Path, tmp_path: Path) -> None:
    copytree(run_folder, tmp_path / "run")
    with (tmp_path / "run" / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": 99})[:-3])
    assert read_log(tmp_path / "run") == read_log(run_folder)
