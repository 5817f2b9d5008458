"""`wardround models serve`: from what was asked for to a server that answers, and back to nothing."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import NamedTuple, Self

from ..errors import UserError
from ..models import find
from ..models.servers.adapters import Adapter, check_base, read_adapter
from ..models.servers.environment import look_into, vllm_python
from ..models.servers.families import names_of, parsers_for
from ..models.servers.keys import Key, server_key
from ..models.servers.ports import claim, is_loopback
from ..models.servers.running import Place, Running, place_of, running_llamacpp, running_vllm
from ..models.servers.unpacking import unpacked, unpacked_folder
from ..models.servers.vllm_command import VllmOptions, printed, vllm_command, vllm_environment
from ..models.spec import LOCAL_NAME
from ..settings import Settings, get_settings
from .terminal import counting, is_interactive, say

PULLED = {"smollm2": LOCAL_NAME}
"""The chat models that can be pulled, and what their makers call them."""
_CHECK_S = 0.5
_STAGES = (
    ("Resolved architecture", "reading the model's configuration"),
    ("Initializing a V1 LLM engine", "starting the engine"),
    ("Starting to load model", "loading the weights"),
    ("Loading weights took", "weights loaded, making room for the cache"),
    ("init engine", "engine ready, starting the server"),
)
"""What vLLM logs, and what it means."""


class Wanted(NamedTuple):
    """The options of the command, as they were given."""

    engine: str
    model: str
    name: str | None
    adapters: tuple[str, ...]
    adapters_may_change: bool
    max_adapters: int
    max_rank: int
    host: str
    port: int
    next_port: bool
    key_file: Path | None
    context: int | None
    dtype: str
    tensor_parallel: int
    pipeline_parallel: int
    data_parallel: int
    ray: bool
    gpu_memory: float | None
    kv_cache_gib: int
    tool_parser: str | None
    reasoning_parser: str | None
    chat_template: Path | None
    python: Path | None
    download: bool
    wait_s: float
    further: tuple[str, ...]


def serve(wanted: Wanted, *, only_print: bool = False) -> None:
    """Serves until a signal or the server's own end; with `only_print` it says how and does nothing.

    Raises:
        UserError: something that was asked for can't be.
        ModelUnavailable: the server does not come up, or stops by itself.
    """
    settings = get_settings()
    if wanted.engine == "llamacpp":
        if only_print:
            raise UserError("llama.cpp runs inside wardround and has no command to `--print`: leave it out")
        _serve_llamacpp(wanted, settings)
        return
    if only_print:
        _print(wanted, settings)
        return
    found = look_into(vllm_python(settings, wanted.python))
    python = found.python
    if wanted.model in PULLED:
        say(f"vLLM {found.version}, {wanted.model}: looking for its unpacked form, or making it (half a minute)")
        unpacked(wanted.model, settings=settings, python=python)
    options = vllm_options(wanted, settings, cpu=found.cpu)
    key = server_key(settings, wanted.key_file)
    listening = claim(wanted.host, wanted.port, next_free=wanted.next_port)
    with _Signals() as signals, ExitStack() as stack:
        with _shown(signals) as progress:
            starting = running_vllm(
                options,
                python=python,
                listening=listening,
                key=key.value,
                settings=settings,
                wait_s=wanted.wait_s,
                progress=progress,
            )
            running = stack.enter_context(starting)
        place = place_of(settings, int(listening.getsockname()[1]))
        _announce(running, key, wanted, _profile(options, place))
        _stay(running, signals)


def _print(wanted: Wanted, settings: Settings) -> None:
    """The command, although the environment may be on another machine: then one with GPUs is meant."""
    try:
        found = look_into(vllm_python(settings, wanted.python))
    except UserError:
        if wanted.python or settings.vllm_python:
            raise
        python, cpu = Path("python"), False
    else:
        python, cpu = found.python, found.cpu
    options = vllm_options(wanted, settings, cpu=cpu)
    place = place_of(settings, wanted.port)
    command = vllm_command(options, python=python, socket=place.socket)
    print(printed(command, vllm_environment(options, key="", folder=place.socket.parent)))  # noqa: T201


def vllm_options(wanted: Wanted, settings: Settings, *, cpu: bool) -> VllmOptions:
    """What vLLM is to be told; `cpu`: it is a build without GPU.

    Raises:
        UserError: a model, adapter or template that can't be used, or a family whose parsers are not known.
    """
    adapters = tuple(read_adapter(text) for text in wanted.adapters)
    if len({a.served_name for a in adapters}) < len(adapters):
        raise UserError("`--adapter` names the same adapter twice: leave one out")
    model = wanted.model
    if model in PULLED:
        names = [model]
        model_name = wanted.name or PULLED[model]
        model = str(unpacked_folder(model, settings=settings))
    else:
        folder = Path(model).expanduser()
        if folder.is_dir() and not (folder / "config.json").is_file():
            raise UserError(f"`{model}` holds no model: name a folder with a `config.json` and safetensors")
        if not folder.is_dir() and (model.startswith((".", "/", "~")) or model.count("/") > 1):
            raise UserError(f"there is no folder `{model}`: name one with a model, or an id such as `Qwen/Qwen3-8B`")
        names = names_of(model)
        model, model_name = (
            (str(folder), wanted.name or folder.resolve().name) if folder.is_dir() else (model, wanted.name or model)
        )
    for adapter in adapters:
        check_base(adapter, model)
    return VllmOptions(
        model=model,
        name=model_name,
        parsers=parsers_for(names, tools=wanted.tool_parser, reasoning=wanted.reasoning_parser),
        adapters=adapters,
        adapters_may_change=wanted.adapters_may_change,
        largest_rank=wanted.max_rank,
        most_adapters=wanted.max_adapters,
        chat_template=_chat_template(wanted.chat_template, adapters, model),
        context_tokens=wanted.context,
        dtype=wanted.dtype,  # type: ignore[arg-type]
        tensor_parallel=wanted.tensor_parallel,
        pipeline_parallel=wanted.pipeline_parallel,
        data_parallel=wanted.data_parallel,
        ray=wanted.ray,
        gpu_memory=wanted.gpu_memory,
        kv_cache_gib=wanted.kv_cache_gib,
        cpu=cpu,
        download=wanted.download,
        further=wanted.further,
    )


def _chat_template(chosen: Path | None, adapters: tuple[Adapter, ...], model: str) -> Path | None:
    """The template to give vLLM, which has one for the model and all adapters; None for the model's own.

    An adapter that was trained with another template and served with the model's gets prompts that it never saw.
    """
    if chosen is not None:
        if not chosen.expanduser().is_file():
            raise UserError(f"there is no chat template `{chosen}`: name a Jinja file")
        return chosen.expanduser()
    theirs = {a.chat_template.strip(): a for a in adapters if a.chat_template}
    if len(theirs) > 1:
        both = " and ".join(f"`{a.name}`" for a in theirs.values())
        raise UserError(
            f"adapters {both} were trained with different chat templates and a server has one: serve them on two "
            "ports, or decide with `--chat-template FILE`"
        )
    own = Path(model) / "chat_template.jinja"
    for text, adapter in theirs.items():
        if not own.is_file() or own.read_text(encoding="utf-8").strip() != text:
            return adapter.folder / "chat_template.jinja"
    return None


def _serve_llamacpp(wanted: Wanted, settings: Settings) -> None:
    from ..models.llamacpp import Engine

    if wanted.further or wanted.adapters_may_change or len(wanted.adapters) > 1:
        raise UserError("llama.cpp takes no options of vLLM and one adapter at most: leave the others out, or use vLLM")
    file = find(wanted.model, settings=settings) if wanted.model in PULLED else Path(wanted.model)
    if file.suffix != ".gguf":
        raise UserError(f"`{wanted.model}` is no GGUF file: llama.cpp needs one, such as the pulled `smollm2`")
    name = wanted.name or PULLED.get(wanted.model, file.stem)
    lora = _gguf_lora(wanted.adapters[0], wanted.model, settings) if wanted.adapters else None
    key = server_key(settings, wanted.key_file)
    engine = Engine(file, name=name, context_tokens=wanted.context or 4096, lora=lora)
    listening = claim(wanted.host, wanted.port, next_free=wanted.next_port)
    with _Signals() as signals, running_llamacpp(engine, listening=listening, key=key.value) as running:
        _announce(running, key, wanted)
        _stay(running, signals)


def _gguf_lora(text: str, model: str, settings: Settings) -> Path:
    """The GGUF file that `--adapter` names, or the one made of the exported folder that it names."""
    from ..models.adapter import gguf_of
    from ..models.adapter import read_adapter as read_exported

    path = Path(text).expanduser()
    if not path.is_dir():
        return path
    adapter = read_exported(path)
    if adapter.base != model:
        raise UserError(f"the adapter `{adapter.name}` belongs to `{adapter.base}`: serve it with that model")
    say(f"note: {adapter.name} answers every request here; `--model local:{text}` uses it for its role only")
    return gguf_of(adapter, settings=settings)


class _Stopped(Exception):
    """A signal asked for the end."""


class _Signals:
    """Ctrl-C, SIGTERM and a closed terminal, noticed where it is safe to leave; a second one ends us at once, and
    then the child's watch ends the server."""

    _KINDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._told = Event()

    def check(self) -> None:
        """Raises `_Stopped` after a signal."""
        if self._told.is_set():
            raise _Stopped

    def __enter__(self) -> Self:
        self._before = {kind: signal.signal(kind, self._note) for kind in self._KINDS}
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> bool:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if isinstance(error, _Stopped):
            say("stopped")
            return True
        return False

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        for kind in self._KINDS:
            signal.signal(kind, signal.SIG_DFL)
        self._told.set()


def _stay(running: Running, signals: _Signals) -> None:
    while True:
        signals.check()
        running.check()
        time.sleep(_CHECK_S)


def _announce(running: Running, key: Key, wanted: Wanted, profile: Path | None = None) -> None:
    """What the server is called and how to use it, as lines for a shell. An adapter for a role is asked for by the
    role, so the model is the base then."""
    ready = f"ready after {running.took_s:.0f} s" if running.took_s else "ready"
    say(f"{ready}: {', '.join(running.names)} at {running.address}")
    say(f"  export WARDROUND_MODEL=openai:{running.names[0 if profile else -1]}@{running.address}")
    say("  WARDROUND_API_KEY is the key" if key.file is None else f'  export WARDROUND_API_KEY="$(cat {key.file})"')
    if profile is not None:
        say(f"  export WARDROUND_PROFILE={profile}")
    if not is_loopback(wanted.host):
        say(f"note: {wanted.host} can be reached from other machines, unencrypted: put TLS in front of it")


def _profile(options: VllmOptions, place: Place) -> Path | None:
    """A profile file that says which adapter answers for which role; None where none was made for one."""
    roles = {adapter.role: adapter.served_name for adapter in options.adapters if adapter.role}
    if not roles:
        return None
    place.profile.write_text(json.dumps({"adapters": roles}), encoding="utf-8")
    return place.profile


@contextmanager
def _shown(signals: _Signals) -> Generator[Callable[[str, float], None]]:
    """Shows how far the server is: a line that moves on a terminal, a line for each stage elsewhere."""
    said: list[str] = []
    with counting() as moving:

        def progress(line: str, seconds: float) -> None:
            signals.check()
            stage = next((stage for words, stage in _STAGES if words in line), None)
            if stage and stage not in said:
                said.append(stage)
                if not is_interactive():
                    say(f"{seconds:4.0f} s  {stage}")
            moving(f"{said[-1] if said else 'starting vLLM'}, seconds:", int(seconds))

        yield progress
