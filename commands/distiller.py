"""The commands `wardround train distiller` and `wardround train export`. Thin, as in `cli.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .train import train_app

OutOption = Annotated[Path, typer.Option(help="Gets data, run and adapter.")]
CorpusOption = Annotated[
    Path | None, typer.Option(help="An index whose medicines are talked about; unset: the shipped corpus.")
]
RowsOption = Annotated[int | None, typer.Option("--rows", min=100, help="Dialogues to compose.")]
SeedOption = Annotated[int, typer.Option(help="Of the dialogues.")]
BenchmarkOption = Annotated[
    list[Path] | None,
    typer.Option("--benchmark", help="A file that must not be learned from, besides MedicineQA-Open."),
]
ChineseOption = Annotated[float, typer.Option(min=0, max=1, help="The share of dialogues in Chinese.")]
ConfigOption = Annotated[str | None, typer.Option("--config", help="Another recipe or TOML file.")]
StepsOption = Annotated[int | None, typer.Option(min=1, help="Optimizer steps, to try it out.")]
HereOption = Annotated[bool, typer.Option("--here", hidden=True)]


@train_app.command("distiller")
def distiller(
    out: OutOption = Path("runs/distiller"),
    corpus: CorpusOption = None,
    rows: RowsOption = None,
    seed: SeedOption = 7,
    benchmark: BenchmarkOption = None,
    chinese: ChineseOption = 0.0,
    config: ConfigOption = None,
    max_steps: StepsOption = None,
    here: HereOption = False,
) -> None:
    """Make the query distiller: dialogues, their check against benchmarks, training, export. Goes on if cut off."""
    from ..settings import get_settings
    from ..training.base_model import need_training
    from ..training.config import load_config
    from ..training.distiller import RECIPE, ROWS, make_distiller
    from ..training.launch import launch
    from .terminal import say

    chosen = load_config(config or RECIPE, max_steps=max_steps)
    need_training()
    if not here:
        asked = ["train", "distiller", "--out", str(out), "--seed", str(seed), "--chinese", str(chinese), "--here"]
        for option, value in (("corpus", corpus), ("rows", rows), ("config", config), ("max-steps", max_steps)):
            asked += [f"--{option}", str(value)] if value is not None else []
        for path in benchmark or ():
            asked += ["--benchmark", str(path)]
        raise typer.Exit(launch(asked, processes=1))
    made = make_distiller(
        out,
        settings=get_settings(),
        config=chosen,
        corpus=corpus,
        count=rows or ROWS,
        seed=seed,
        benchmarks=benchmark or (),
        chinese=chinese,
        say=say,
    )
    say(f"made in {made.seconds / 60:.0f} minutes: {made.adapter.folder}")
    say(f"use it: wardround consult --model local:{made.adapter.folder}")


@train_app.command("export")
def export(
    trained: Annotated[Path, typer.Argument(help="The folder `adapter` of a run.")],
    out: Annotated[Path, typer.Option(help="Gets NAME-HASH.")] = Path("adapters"),
    name: Annotated[str, typer.Option(help="The beginning of its name.")] = "distiller-smollm2",
    base: Annotated[
        str, typer.Option(help="The model of the store, or the folder, that it was trained on.")
    ] = "smollm2",
    role: Annotated[str, typer.Option(help="The role it is for.")] = "distiller",
    merged: Annotated[Path | None, typer.Option(help="Write the whole model with the adapter in it here, too.")] = None,
    gguf: Annotated[bool, typer.Option("--gguf", help="Write the file for llama.cpp, too.")] = False,
) -> None:
    """Export an adapter: 16 bit, named by its content; on request merged into its base, or for llama.cpp."""
    from ..models.adapter import gguf_of
    from ..settings import get_settings
    from ..training.base_model import base_folder, need_training
    from ..training.export import export_adapter, export_merged
    from .terminal import say

    need_training()
    settings = get_settings()
    adapter = export_adapter(trained, out, name=name, base=base, role=role)
    say(f"adapter: {adapter.folder}")
    if gguf:
        say(f"for llama.cpp: {gguf_of(adapter, settings=settings)}")
    if merged is not None:
        export_merged(adapter.folder, base_folder(base, settings=settings), merged)
        say(f"merged: {merged}")
