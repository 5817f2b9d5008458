"""The commands `wardround train ...`. Thin, as in `cli.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .training.folder import TrainingManifest

train_app = typer.Typer(no_args_is_help=True, help="Train models: demonstrations, preferences, and the data for them.")

ConfigOption = Annotated[str, typer.Option("--config", help="A TOML file, or a recipe of `wardround train recipes`.")]
TrainOption = Annotated[Path | None, typer.Option("--train", help="Rows to learn from, in place of the config's.")]
HeldoutOption = Annotated[Path | None, typer.Option(help="Rows to evaluate on, in place of the config's.")]
OutOption = Annotated[Path | None, typer.Option(help="The run's folder; default: runs/train-NAME.")]
BaseOption = Annotated[str | None, typer.Option(help="The model, in place of the config's.")]
StartOption = Annotated[Path | None, typer.Option(help="An adapter to merge in first, such as Stage I's.")]
StepsOption = Annotated[int | None, typer.Option(min=1, help="Optimizer steps, in place of the config's epochs.")]


@train_app.command("sft")
def sft(
    config: ConfigOption,
    train: TrainOption = None,
    heldout: HeldoutOption = None,
    out: OutOption = None,
    base: BaseOption = None,
    start: StartOption = None,
    max_steps: StepsOption = None,
) -> None:
    """Fine-tune on demonstrations. The same command goes on with a run that was killed."""
    _train("sft", config, out, train=train, heldout=heldout, base=base, start=start, max_steps=max_steps)


@train_app.command("dpo")
def dpo(
    config: ConfigOption,
    train: TrainOption = None,
    heldout: HeldoutOption = None,
    out: OutOption = None,
    base: BaseOption = None,
    start: StartOption = None,
    max_steps: StepsOption = None,
) -> None:
    """Optimize preferences (DPO). The same command goes on with a run that was killed."""
    _train("dpo", config, out, train=train, heldout=heldout, base=base, start=start, max_steps=max_steps)


@train_app.command("recipes")
def recipes() -> None:
    """The recipes that are shipped."""
    from .terminal import clean, out
    from .training.config import load_config, recipe_names

    for name in recipe_names():
        config = load_config(name)
        out().print(clean(f"{name}: {config.kind}, {config.base}, {config.method}"))


def _train(kind: str, name: str, out: Path | None, **changes: object) -> TrainingManifest:
    from .errors import UserError
    from .settings import get_settings
    from .terminal import say
    from .training.config import load_config
    from .training.run import train

    config = load_config(name, **changes)
    if config.kind != kind:
        raise UserError(f"`{name}` is a config for `wardround train {config.kind}`: run that")
    folder = out or Path("runs") / f"train-{Path(name).stem}"
    manifest = train(config, folder, settings=get_settings(), say=say)
    if manifest.outcome:
        say(f"trained in {manifest.outcome.seconds:.0f} s: {folder / manifest.outcome.saved}")
    return manifest
