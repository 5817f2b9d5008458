"""The commands `wardround train ...`. Thin, as in `cli.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .train_data import data_app

train_app = typer.Typer(no_args_is_help=True, help="Train models: demonstrations, preferences, and the data for them.")
train_app.add_typer(data_app, name="data")

ConfigOption = Annotated[str, typer.Option("--config", help="A TOML file, or a recipe of `wardround train recipes`.")]
TrainOption = Annotated[Path | None, typer.Option("--train", help="Rows to learn from, in place of the config's.")]
HeldoutOption = Annotated[Path | None, typer.Option(help="Rows to evaluate on, in place of the config's.")]
OutOption = Annotated[Path | None, typer.Option(help="The run's folder; default: runs/train-NAME.")]
BaseOption = Annotated[str | None, typer.Option(help="The model, in place of the config's.")]
StartOption = Annotated[Path | None, typer.Option(help="An adapter to merge in first, such as Stage I's.")]
ProcessesOption = Annotated[int, typer.Option(min=1, help="Processes on this machine that share each step's rows.")]
HereOption = Annotated[bool, typer.Option("--here", help="In this process: for `accelerate launch`, see the docs.")]
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
    processes: ProcessesOption = 1,
    here: HereOption = False,
) -> None:
    """Fine-tune on demonstrations. The same command goes on with a run that was killed."""
    changes = {"train": train, "heldout": heldout, "base": base, "start": start, "max_steps": max_steps}
    _train("sft", config, out, changes, processes=1 if here else processes, here=here)


@train_app.command("dpo")
def dpo(
    config: ConfigOption,
    train: TrainOption = None,
    heldout: HeldoutOption = None,
    out: OutOption = None,
    base: BaseOption = None,
    start: StartOption = None,
    max_steps: StepsOption = None,
    processes: ProcessesOption = 1,
    here: HereOption = False,
) -> None:
    """Optimize preferences (DPO). The same command goes on with a run that was killed."""
    changes = {"train": train, "heldout": heldout, "base": base, "start": start, "max_steps": max_steps}
    _train("dpo", config, out, changes, processes=1 if here else processes, here=here)


@train_app.command("recipes")
def recipes() -> None:
    """The recipes that are shipped."""
    from ..training.config import load_config, recipe_names
    from .terminal import clean, out

    for name in recipe_names():
        config = load_config(name)
        out().print(clean(f"{name}: {config.kind}, {config.base}, {config.method}"))


def _train(kind: str, name: str, out: Path | None, changes: dict[str, Any], *, processes: int, here: bool) -> None:
    """Train in this process, or check what was asked and start the processes that do."""
    from ..errors import UserError
    from ..settings import get_settings
    from ..training.config import load_config
    from .terminal import say

    config = load_config(name, **changes)
    if config.kind != kind:
        raise UserError(f"`{name}` is a config for `wardround train {config.kind}`: run that")
    folder = out or Path("runs") / f"train-{Path(name).stem}"
    if here:
        from ..training.run import train

        manifest = train(config, folder, settings=get_settings(), say=say)
        if manifest.outcome:
            say(f"trained in {manifest.outcome.seconds:.0f} s: {folder / manifest.outcome.saved}")
        return
    from ..training.base_model import need_training
    from ..training.launch import launch
    from ..training.run import read_rows_of

    need_training()
    read_rows_of(config)  # what is wrong with them is said once, and at once
    asked = ["train", kind, "--config", name, "--out", str(folder), "--here"]
    for option, value in changes.items():
        asked += [f"--{option.replace('_', '-')}", str(value)] if value is not None else []
    raise typer.Exit(launch(asked, processes=processes))
