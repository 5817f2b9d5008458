"""What a training run is told: one file, read into these models. An unknown field is refused.

Defaults are those of LoRA on a small model; the recipes say what differs. What the papers leave open (learning rates,
epochs, beta, LoRA or full) is a field here: see docs/training.md.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import UserError

RECIPES: Final = Path(__file__).parent / "recipes"
SUFFIX: Final = ".toml"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoraSettings(_Settings):
    """A low-rank adapter (LoRA, arXiv 2106.09685)."""

    rank: int = Field(default=8, ge=1)
    alpha: float = Field(default=16, gt=0)
    """The update is scaled by `alpha / rank`."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """On the adapter's input. The shared part of a batch's prompts (`share_prefix`) draws one mask for all rows."""
    targets: str | tuple[str, ...] = "all-linear"
    """The layers that get one: `all-linear` (but the output head), a regular expression, or names."""


class EvaluationSettings(_Settings):
    """How often the held-out rows are looked at, and what stops a run early."""

    every: int = Field(default=50, ge=1)
    """Optimizer steps between evaluations. A checkpoint is saved with each, so that the best one can be kept."""
    score: Literal["loss", "calls", "letter", "exact", "accuracy"] = "loss"
    """What the best checkpoint is best in. `calls`: the reply makes the same tool calls, or is the same JSON object;
    `letter`: the same option letter, the last one named; `exact`: the same text. These write replies to the held-out
    prompts. `accuracy` (DPO): the share of pairs whose chosen reply is rewarded more. `loss`: the loss."""
    limit: int = Field(default=64, ge=1)
    """The most held-out rows that replies are written for: the first ones."""
    max_new_tokens: int = Field(default=64, ge=1)
    """The longest reply, in tokens."""
    patience: int | None = Field(default=None, ge=1)
    """Stop after this many evaluations without a better score."""


class DpoSettings(_Settings):
    """Direct preference optimization (arXiv 2305.18290)."""

    beta: float = Field(default=0.1, gt=0)
    """How dearly it is paid to leave the reference model."""
    loss: Literal["sigmoid", "ipo", "robust"] = "sigmoid"
    """`sigmoid` is the paper's; `ipo` (arXiv 2310.12036); `robust` (arXiv 2403.00409) with `label_smoothing`."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """The share of pairs taken to be the wrong way round."""
    precompute_reference: bool = True
    """Ask the reference model once before training instead of at every step; no second model is held then."""


class TrainingConfig(_Settings):
    """One training run."""

    kind: Literal["sft", "dpo"]
    """Supervised fine-tuning on demonstrations, or DPO on preference pairs."""
    base: str = Field(min_length=1)
    """The model: a name of `wardround models list`, or a folder as transformers saves one. Nothing is downloaded."""
    start: Path | None = None
    """An adapter to start from, such as Stage I's. It is merged into the base first; the new one comes on top."""
    train: Path | None = None
    """The rows to learn from; `--train` on the command line says it for a recipe."""
    heldout: Path | None = None
    """Rows that are never learned from, for evaluation and early stopping. They must share no row with `train`."""
    chat_template: str | None = None
    """A Jinja file, or the name of one that is shipped (`chatml-tools`: ChatML with tool calls as Hermes models write
    them). Unset: the model's own."""

    method: Literal["lora", "full"] = "lora"
    """Train an adapter, or all weights."""
    lora: LoraSettings = LoraSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    dpo: DpoSettings = DpoSettings()

    learning_rate: float = Field(default=1e-3, gt=0)
    schedule: Literal["linear", "cosine", "constant"] = "cosine"
    """How the learning rate goes on after the warm-up."""
    warmup: float = Field(default=0.03, ge=0, lt=1)
    """The share of steps in which the learning rate rises from 0."""
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Longer gradients are cut to this length."""
    epochs: float = Field(default=1.0, gt=0)
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps, in place of `epochs`."""

    batch_size: int = Field(default=8, ge=1)
    """Rows (DPO: pairs) that one process takes at once."""
    accumulation: int = Field(default=1, ge=1)
    """Batches to one optimizer step. `batch_size x accumulation x processes` rows make a step, however it is split."""
    max_length: int = Field(default=1024, ge=8)
    """Tokens. Longer rows are left out and counted: cutting them would cut the reply."""
    grouping: Literal["length", "packing", "none"] = "length"
    """`length`: rows of like length make a batch, so that little is padded; `packing`: several rows in one sequence
    (SFT without images; wants FlashAttention to be fast); `none`: in random order."""
    share_prefix: bool = True
    """Compute what all prompts of a batch begin with once (same losses and gradients). Without effect where the model
    is not plain causal attention, with images, packing or gradient checkpointing, and on a GPU."""
    gradient_checkpointing: bool = False
    """Recompute activations instead of keeping them: less memory, a third more time."""
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    """What weights are loaded and computed in. `auto`: bfloat16 where a CPU multiplies matrices in it (AMX) and an
    adapter is trained, whose own weights stay float32; else float32, which other CPUs are far faster in."""
    max_pixels: int | None = Field(default=None, ge=1)
    """Larger images are shrunk to this many pixels."""

    save_every: int | None = Field(default=None, ge=1)
    """Optimizer steps between checkpoints where no evaluation sets them; default: `evaluation.every`."""
    keep: int = Field(default=2, ge=1)
    """Checkpoints that are kept, the best among them."""
    seed: int = 0
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; default: one a core."""
    note: str | None = None
    """Said in the model card: what readers must know of the rows, such as who wrote and who reviewed them."""

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.kind == "dpo" and self.grouping == "packing":
            raise ValueError("`grouping`: pairs cannot be packed: choose `length` or `none`")
        if self.kind == "sft" and self.evaluation.score == "accuracy":
            raise ValueError("`evaluation.score`: `accuracy` is a score of DPO: choose another")
        if self.kind == "dpo" and self.evaluation.score not in ("loss", "accuracy"):
            raise ValueError(f"`evaluation.score`: `{self.evaluation.score}` is a score of SFT: choose `accuracy`")
        return self


def recipe_names() -> list[str]:
    """The shipped recipes."""
    return sorted(path.stem for path in RECIPES.glob(f"*{SUFFIX}"))


def load_config(name: str, **changes: Any) -> TrainingConfig:
    """The config in a TOML file, or the shipped recipe of this name; `changes` that are not None replace its fields.

    Paths in a file are taken from the file's folder, paths in `changes` from the working folder.

    Raises:
        UserError: no such file or recipe, no TOML, an unknown field, or a value that cannot be one.
    """
    path = Path(name) if name.endswith(SUFFIX) or "/" in name else RECIPES / f"{name}{SUFFIX}"
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(f"`{one}`" for one in recipe_names())
        raise UserError(f"there is no config file or recipe `{name}`: the recipes are {known}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"`{path}` is no TOML file ({error}): mend it") from None
    except OSError as error:
        raise UserError(f"`{path}` cannot be read ({error.strerror}): name a config file") from None
    for field in ("train", "heldout", "start"):
        if isinstance(told.get(field), str):
            told[field] = path.parent / told[field]
    for field in ("base", "chat_template"):
        if isinstance(told.get(field), str) and told[field].startswith("."):
            told[field] = str(path.parent / told[field])
    told |= {field: value for field, value in changes.items() if value is not None}
    return check(told, where=str(path))


def check(told: dict[str, Any], *, where: str) -> TrainingConfig:
    """The config of these values.

    Raises:
        UserError: the first field that is wrong, with what it holds.
    """
    try:
        return TrainingConfig.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise UserError(f"`{where}`: there is no field `{field}`: see docs/training.md for the fields") from None
        reason = first["msg"].removeprefix("Value error, ")
        found = "" if not field else f"`{field}` is `{str(first['input'])[:60]}`: "
        raise UserError(f"`{where}`: {found}{reason}") from None
