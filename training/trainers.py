"""TRL's trainers with our order of rows, our head and our scores. TRL takes seconds to import: only when asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .base_model import Base
from .config import TrainingConfig
from .datasets import Prepared, sft_collator
from .lean_head import add_lean_head
from .sampling import GroupedOrder

Score = Callable[[Any], float]
"""From the model to how good it is, the more the better."""


def make_trainer(
    base: Base,
    config: TrainingConfig,
    train: Prepared,
    heldout: Prepared | None,
    *,
    folder: Path,
    score: Score | None = None,
    collator: Any = None,
) -> Any:
    """TRL's `SFTTrainer` or `DPOTrainer`, ready for `train()`.

    Args:
        base: the model; with `method = "lora"` it gets an adapter.
        config: everything else.
        train: the rows to learn from.
        heldout: rows to evaluate on.
        folder: gets the checkpoints.
        score: called at each evaluation, where `config.evaluation.score` is one of replies.
        collator: for rows with images.
    """
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    class Ordered:
        """What both trainers do our way."""

        model: Any
        args: Any
        accelerator: Any
        _leaned = False

        def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
            step = config.batch_size * config.accumulation * self.args.world_size
            return GroupedOrder(train.lengths, step=step, seed=config.seed, by_length=config.grouping == "length")

        def lean(self) -> None:
            """Put our head in, once."""
            if self._leaned or base.vision:
                return
            inner = self.accelerator.unwrap_model(self.model)
            inner = inner.get_base_model() if hasattr(inner, "peft_config") else inner
            add_lean_head(inner, share_prefix=config.share_prefix and config.grouping != "packing")
            self._leaned = True

        def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
            output: Any = super().evaluation_loop(*args, **kwargs)  # pyright: ignore[reportAttributeAccessIssue]
            prefix = kwargs.get("metric_key_prefix", "eval")
            if score is not None:
                output.metrics[f"{prefix}_score"] = score(self.model)
            return output

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """Ours is written from the manifest."""

    arguments = _arguments(base, config, train, heldout, folder)
    common: dict[str, Any] = {
        "model": base.model,
        "train_dataset": train.dataset,
        "eval_dataset": None if heldout is None else heldout.dataset,
        "processing_class": base.processor,
        "peft_config": _lora(config) if config.method == "lora" else None,
    }
    if config.kind == "sft":
        packing = config.grouping == "packing"

        class Sft(Ordered, SFTTrainer):
            """Demonstrations."""

        options: dict[str, Any] = {"max_length": config.max_length, "packing": packing, "eval_packing": False}
        if not packing:
            options["dataset_kwargs"] = {"skip_prepare_dataset": True}  # it has its tokens
        own = None if packing else (collator or sft_collator(base.tokenizer.pad_token_id))
        trainer: Any = Sft(
            args=SFTConfig(**arguments, **options),
            data_collator=own,
            **common,
        )
    else:

        class Dpo(Ordered, DPOTrainer):
            """Preferences."""

            def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
                return dataset  # it has its tokens

            def _precompute_ref_logps(self, *args: Any, **kwargs: Any) -> Any:
                self.lean()
                return super()._precompute_ref_logps(*args, **kwargs)

        trainer = Dpo(
            args=DPOConfig(
                **arguments,
                beta=config.dpo.beta,
                loss_type=[config.dpo.loss],
                label_smoothing=config.dpo.label_smoothing,
                precompute_ref_log_probs=config.dpo.precompute_reference,
                max_length=config.max_length,
            ),
            data_collator=collator,
            **common,
        )
    trainer.lean()
    return trainer


def _lora(config: TrainingConfig) -> Any:
    from peft import LoraConfig

    targets = config.lora.targets
    return LoraConfig(
        r=config.lora.rank,
        lora_alpha=config.lora.alpha,  # pyright: ignore[reportArgumentType] -- any number does
        lora_dropout=config.lora.dropout,
        target_modules=list(targets) if isinstance(targets, tuple) else targets,
        task_type="CAUSAL_LM",
    )


def _arguments(
    base: Base, config: TrainingConfig, train: Prepared, heldout: Prepared | None, folder: Path
) -> dict[str, Any]:
    """What both configs of TRL share."""
    import torch

    every = config.evaluation.every
    arguments: dict[str, Any] = {
        "output_dir": str(folder),
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.schedule,
        "warmup_steps": config.warmup,  # below 1 it is a share
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "num_train_epochs": config.epochs,
        "max_steps": config.max_steps or -1,
        "per_device_train_batch_size": config.batch_size,
        "per_device_eval_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.accumulation,
        "gradient_checkpointing": config.gradient_checkpointing,
        "bf16": config.precision == "bfloat16",
        "use_cpu": not torch.cuda.is_available(),
        "seed": config.seed,
        "data_seed": config.seed,
        "logging_steps": 1,
        "report_to": [],
        "save_strategy": "steps",
        "save_steps": config.save_every or every,
        "save_total_limit": config.keep,
        "remove_unused_columns": False,
        "disable_tqdm": True,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": torch.cuda.is_available(),
    }
    if heldout is not None:
        metric, greater = best_metric(config)
        arguments |= {
            "eval_strategy": "steps",
            "eval_steps": every,
            "save_steps": every,
            "load_best_model_at_end": True,
            "metric_for_best_model": metric,
            "greater_is_better": greater,
        }
    del base, train
    return arguments


def best_metric(config: TrainingConfig) -> tuple[str, bool]:
    """Which figure of an evaluation the best checkpoint is best in, and whether more is better."""
    if config.evaluation.score == "loss":
        return "eval_loss", False
    return ("eval_rewards/accuracies" if config.evaluation.score == "accuracy" else "eval_score"), True


def tidy(figures: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a log entry."""
    return {key: float(value) for key, value in figures.items() if isinstance(value, int | float)}
