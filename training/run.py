"""One training run, from a config to a folder."""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..settings import Settings
from .base_model import Base, load_base
from .card import write_card
from .config import TrainingConfig
from .curves import draw_curves
from .data import PreferenceRow, SftRow, read_preference_rows, read_sft_rows
from .datasets import Prepared, dpo_dataset, sft_dataset
from .folder import (
    CHECKPOINTS,
    DataUsed,
    Outcome,
    TrainingManifest,
    append_log,
    environment,
    file_sha256,
    last_checkpoint,
    now,
    open_folder,
    weights_sha256,
    write_manifest,
)
from .scoring import reply_score
from .trainers import best_metric, make_trainer, tidy
from .vision import vision_collator, vision_dataset

Say = Callable[[str], None]
Rows = list[SftRow] | list[PreferenceRow]


def train(config: TrainingConfig, folder: Path, *, settings: Settings, say: Say = lambda _: None) -> TrainingManifest:
    """Train what the config says and keep everything in `folder`.

    Called again with the same config and data, it goes on from the last checkpoint of a run that was killed, with the
    same trajectory, and returns at once where the run is done. Under `accelerate launch` every process calls it.

    Args:
        config: the run; `train` must be set.
        folder: gets the run, see `folder.py`.
        settings: where pulled models lie.
        say: told the news, line by line.

    Raises:
        UserError: rows, model, template or adapter are missing or wrong, another run lies in `folder`, or the disc
            is full; what was saved until then stays.
    """
    rows, heldout = read_rows_of(config)
    assert config.train is not None  # noqa: S101 -- `read_rows_of` has looked
    import torch
    from accelerate import PartialState

    config = with_precision(config)
    if config.threads:
        torch.set_num_threads(config.threads)
    group = PartialState(cpu=not torch.cuda.is_available())
    base = load_base(
        config.base,
        settings=settings,
        start=config.start,
        template=config.chat_template,
        precision=config.precision,
        max_pixels=config.max_pixels,
    )
    with group.main_process_first():  # it writes what the others then read
        prepared = _prepare(config, base, rows, config.train, folder / "pairs" / "train")
        held = _prepare(config, base, heldout, config.heldout, folder / "pairs" / "heldout") if heldout else None
        opened = open_folder(folder, _manifest(config, base, prepared, held, processes=group.num_processes))
        checkpoint = last_checkpoint(folder)
    main = group.is_main_process
    if opened.status == "done":
        say(f"`{folder}` is done: nothing is left to train")
        return opened
    collator = vision_collator(base, config) if base.vision else None
    sft_rows = [row for row in heldout or () if isinstance(row, SftRow)]
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|trl|torch")  # about their own parts
    trainer = make_trainer(
        base,
        config,
        prepared,
        held,
        folder=folder / CHECKPOINTS,
        score=reply_score(sft_rows, base, config.evaluation),
        collator=collator,
    )
    _listen(trainer, config, folder, say, main=main, evaluates=held is not None)
    if checkpoint and main:
        say(f"goes on from {checkpoint.name.replace('checkpoint-', 'step ')}")
    began = time.perf_counter()
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        seconds = time.perf_counter() - began
        saved = folder / ("adapter" if config.method == "lora" else "model")
        trainer.save_model(str(saved))  # where weights are spread over processes, all of them must
        if not main:
            return opened
        outcome = _outcome(trainer, base, saved, seconds=seconds)
        done = opened.model_copy(update={"status": "done", "outcome": outcome})
        draw_curves(folder)
        write_card(folder, done)
        write_manifest(folder, done)
    except (OSError, RuntimeError) as error:
        if _disc_is_full(error):
            raise UserError(
                f"the disc of `{folder}` is full: free space and run the same command, it goes on from the last "
                "checkpoint"
            ) from None
        raise
    return done


def with_precision(config: TrainingConfig) -> TrainingConfig:
    """The config with `precision = "auto"` made out on this machine, so that the manifest says what was computed in."""
    if config.precision != "auto":
        return config
    import torch

    fast = not torch.cuda.is_available() and torch.cpu.get_capabilities().get("amx_bf16", False)
    chosen = "bfloat16" if fast and config.method == "lora" else "float32"
    return config.model_copy(update={"precision": chosen})


def read_rows_of(config: TrainingConfig) -> tuple[Rows, Rows]:
    """The rows to learn from and the held-out ones (none where the config names none).

    Raises:
        UserError: no file is named, a row is none, or a held-out row or its entity is also learned from.
    """
    if config.train is None:
        raise UserError("the config names no rows to learn from: set `train` in it, or give `--train FILE`")
    rows, heldout = _read(config, config.train), []
    if config.heldout is not None:
        heldout = _read(config, config.heldout)
        _check_apart(rows, heldout, config.heldout)
    return rows, heldout


def _read(config: TrainingConfig, path: Path) -> Rows:
    return read_sft_rows(path) if config.kind == "sft" else read_preference_rows(path)


def _check_apart(rows: Rows, heldout: Rows, where: Path) -> None:
    """Held-out rows, and the entities they are about, are not learned from.

    Raises:
        UserError: the first that is.
    """
    ids = {row.id for row in rows}
    entities = {row.entity for row in rows if row.entity}
    for row in heldout:
        if row.id in ids:
            raise UserError(f"`{where}`: row `{row.id}` is among the rows to learn from: split them anew")
        if row.entity in entities:
            raise UserError(f"`{where}`: `{row.entity}` is also learned from (row `{row.id}`): split by entity")


def _prepare(config: TrainingConfig, base: Base, rows: Any, path: Path | None, folder: Path) -> Prepared:
    assert path is not None  # noqa: S101 -- rows were read from it
    if base.vision and any(row.images for row in rows):
        return vision_dataset(rows, base, config, where=path)
    if any(row.images for row in rows):
        raise UserError(f"`{path}` has images, and `{config.base}` is no vision-language model: choose another base")
    if config.kind == "sft":
        return sft_dataset(rows, base.tokenizer, max_length=config.max_length, where=path)
    kept = folder / file_sha256(path)[:16]
    return dpo_dataset(rows, base.tokenizer, max_length=config.max_length, where=path, folder=kept)


def _manifest(
    config: TrainingConfig, base: Base, train: Prepared, heldout: Prepared | None, *, processes: int
) -> TrainingManifest:
    template = base.processor.chat_template or base.tokenizer.chat_template

    def used(path: Path | None, found: Prepared | None) -> DataUsed | None:
        if path is None or found is None:
            return None
        return DataUsed(
            path=str(path),
            sha256=file_sha256(path),
            rows=len(found.lengths),
            too_long=found.too_long,
            tokens=sum(found.lengths),
            learned=found.learned,
        )

    learned = used(config.train, train)
    assert learned is not None  # noqa: S101 -- checked by `train`
    return TrainingManifest(
        created=now(),
        config=config,
        base_sha256=weights_sha256(base.folder),
        template_sha256=hashlib.sha256(str(template).encode()).hexdigest(),
        train=learned,
        heldout=used(config.heldout, heldout),
        processes=processes,
        environment=environment(),
    )


def _listen(trainer: Any, config: TrainingConfig, folder: Path, say: Say, *, main: bool, evaluates: bool) -> None:
    """Log to the folder, to TensorBoard and to whoever watches; stop early where that is asked for."""
    import transformers
    from transformers.integrations.integration_utils import TensorBoardCallback

    class Log(transformers.TrainerCallback):
        """Writes each entry down when it is made."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
            figures = tidy(logs or {})
            if not main or not figures or "train_runtime" in figures:
                return
            append_log(folder, state.global_step, figures)
            shown = {key: figures[key] for key in ("loss", "eval_loss", best_metric(config)[0]) if key in figures}
            if "eval_loss" in figures or state.global_step % 10 == 0:
                told = ", ".join(f"{key.removeprefix('eval_')} {value:.4g}" for key, value in shown.items())
                held = "held out: " if "eval_loss" in figures else ""
                say(f"step {state.global_step} of {state.max_steps}, {held}{told}")

    trainer.remove_callback(transformers.trainer_callback.PrinterCallback)
    trainer.add_callback(Log())
    if main:
        from tensorboardX import SummaryWriter

        trainer.add_callback(TensorBoardCallback(SummaryWriter(str(folder / "tensorboard"))))
    if evaluates and config.evaluation.patience:
        trainer.add_callback(transformers.EarlyStoppingCallback(config.evaluation.patience))


def _outcome(trainer: Any, base: Base, saved: Path, *, seconds: float) -> Outcome:
    base.processor.save_pretrained(saved)
    (saved / "training_args.bin").unlink(missing_ok=True)  # a pickle
    (saved / "README.md").unlink(missing_ok=True)
    state = trainer.state
    losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
    best = state.best_model_checkpoint
    return Outcome(
        steps=state.global_step,
        seconds=round(seconds, 1),
        final_loss=losses[-1] if losses else None,
        best_step=int(best.rpartition("-")[2]) if best else None,
        best_score=state.best_metric,
        stopped_early=state.global_step < state.max_steps,
        saved=saved.name,
        sha256=weights_sha256(saved),
    )


def _disc_is_full(error: Exception) -> bool:
    return getattr(error, "errno", None) == 28 or any(
        told in str(error) for told in ("No space left", "failed writing file", "StorageFull")
    )
