"""Runs that must be the same are: batches split up otherwise, interrupted ones, several processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from wardround.settings import Settings
from wardround.training import folder as run_folder
from wardround.training.config import TrainingConfig
from wardround.training.folder import curve, read_log
from wardround.training.run import train

Configured = Callable[..., TrainingConfig]


def losses(run: Path, figure: str = "loss") -> list[float]:
    return [value for _, value in curve(read_log(run), figure)]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reference") / "run"


@pytest.fixture
def whole(reference: Path, configured: Configured, settings: Settings) -> Path:
    """Six steps of eight rows, in one go; a checkpoint after each two."""
    if not reference.exists():
        train(configured(max_steps=6, save_every=2), reference, settings=settings)
    return reference


def test_the_loss_falls(whole: Path) -> None:
    found = losses(whole)
    assert found[-1] < found[0]


@pytest.mark.parametrize("batch", [1, 4])
def test_batches_of_one_accumulated_give_the_losses_of_a_batch_of_eight(
    batch: int, whole: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    config = configured(max_steps=6, batch_size=batch, accumulation=8 // batch)
    train(config, tmp_path / "run", settings=settings)
    assert losses(tmp_path / "run") == pytest.approx(losses(whole), rel=1e-4)


def test_a_shared_prefix_changes_no_loss(
    whole: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    train(configured(max_steps=6, share_prefix=False), tmp_path / "run", settings=settings)
    assert losses(tmp_path / "run") == pytest.approx(losses(whole), rel=1e-4)


def test_gradient_checkpointing_changes_no_loss(
    whole: Path, configured: Configured, settings: Settings, tmp_path: Path
) -> None:
    train(configured(max_steps=6, gradient_checkpointing=True), tmp_path / "run", settings=settings)
    assert losses(tmp_path / "run") == pytest.approx(losses(whole), rel=1e-4)


class Killed(BaseException):
    """Stands for the signal: nothing in between may catch it."""


def test_a_killed_run_goes_on_with_the_same_trajectory(
    whole: Path, configured: Configured, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    config = configured(max_steps=6, save_every=2)
    logged = run_folder.append_log

    def killing(path: Path, step: int, figures: dict[str, float]) -> None:
        logged(path, step, figures)
        if step == 5:
            raise Killed

    monkeypatch.setattr("wardround.training.run.append_log", killing)
    with pytest.raises(Killed):
        train(config, run, settings=settings)
    monkeypatch.undo()
    half = run / "checkpoints" / "checkpoint-6"  # as a kill in the middle of writing leaves it
    half.mkdir()
    (half / "adapter_model.safetensors").write_bytes(b"")
    news: list[str] = []
    manifest = train(config, run, settings=settings, say=news.append)
    assert "goes on from step 4" in news
    assert losses(run) == losses(whole)
    wanted = run_folder.read_manifest(whole).outcome
    assert manifest.outcome is not None
    assert wanted is not None
    assert manifest.outcome.sha256 == wanted.sha256


def test_a_run_that_is_done_is_not_done_again(whole: Path, configured: Configured, settings: Settings) -> None:
    news: list[str] = []
    before = (whole / "log.jsonl").read_bytes()
    train(configured(max_steps=6, save_every=2), whole, settings=settings, say=news.append)
    assert "is done" in news[0]
    assert (whole / "log.jsonl").read_bytes() == before


def test_two_processes_give_the_losses_of_one(whole: Path, tiny: Path, files: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        f'kind = "sft"\nbase = "{tiny}"\ntrain = "{files / "sft.jsonl"}"\nmax_steps = 6\nbatch_size = 4\n'
        "learning_rate = 5e-3\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-c", "from wardround.cli import main; main()", "train", "sft"]
    options = ["--config", str(config), "--out", str(tmp_path / "run"), "--processes", "2"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "run") == pytest.approx(losses(whole), rel=1e-4)
    assert run_folder.read_manifest(tmp_path / "run").processes == 2
