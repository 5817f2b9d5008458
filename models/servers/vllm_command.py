"""The command line that starts vLLM, with the settings that are safe (docs/serving-models.md says why each)."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...errors import UserError
from .adapters import Adapter
from .families import Parsers

MOST_SEQUENCES: Final = 8
"""The highest `n` of a request."""
NO_DOMAIN: Final = "none.invalid"
"""A name that by RFC 2606 no host has: vLLM takes an empty list of media domains to mean all of them."""
_RANKS: Final = (1, 8, 16, 32, 64, 128, 256, 320, 512)
Dtype = Literal["auto", "bfloat16", "float16", "float32"]


class VllmOptions(BaseModel):
    """What may be chosen."""

    model_config = ConfigDict(frozen=True)

    model: str
    """A folder, or an id that lies in the Hugging Face cache."""
    name: str
    """What clients call it."""
    parsers: Parsers
    adapters: tuple[Adapter, ...] = ()
    adapters_may_change: bool = False
    """Whether adapters are loaded and unloaded while it runs, by `wardround models load` alone."""
    largest_rank: int = Field(default=16, ge=1, le=512)
    """Of adapters that come later."""
    most_adapters: int = Field(default=4, ge=1)
    """How many may be at work in one batch."""
    chat_template: Path | None = None
    context_tokens: int | None = Field(default=None, gt=0)
    dtype: Dtype = "auto"
    tensor_parallel: int = Field(default=1, ge=1)
    pipeline_parallel: int = Field(default=1, ge=1)
    data_parallel: int = Field(default=1, ge=1)
    ray: bool = False
    """Spread over the hosts of a Ray cluster."""
    gpu_memory: float | None = Field(default=None, gt=0, le=1)
    """The share of each GPU's memory to use."""
    kv_cache_gib: int = Field(default=2, ge=1)
    """Memory for the key-value cache; without a GPU only."""
    cpu: bool = False
    download: bool = False
    """Whether vLLM may fetch the model from the hub."""
    further: tuple[str, ...] = ()
    """Options of vLLM that have none here."""


def vllm_command(options: VllmOptions, *, python: Path, socket: Path) -> list[str]:
    """The words of the command; `socket` is where it listens. No secret is among them.

    Raises:
        UserError: one of `further` would undo a safe setting, or is set by an option here.
    """
    _check_further(options.further)
    words = [str(python), "-m", "vllm.entrypoints.openai.api_server"]
    words += ["--model", options.model, "--served-model-name", options.name, "--uds", str(socket)]
    # Weights that can hold code are never loaded, nor is code that comes with a model.
    words += ["--load-format", "safetensors", "--no-trust-remote-code"]
    words += ["--allowed-media-domains", NO_DOMAIN, "--disable-fastapi-docs", "--disable-uvicorn-access-log"]
    # Without this a weak model may write blanks inside JSON until its tokens are spent.
    words += ["--structured-outputs-config", json.dumps({"backend": "xgrammar", "disable_any_whitespace": True})]
    words += ["--dtype", "float32" if options.cpu and options.dtype == "auto" else options.dtype]
    if options.cpu:
        words.append("--enforce-eager")
    if options.parsers.tools:
        words += ["--enable-auto-tool-choice", "--tool-call-parser", options.parsers.tools]
    if options.parsers.reasoning:
        words += ["--reasoning-parser", options.parsers.reasoning]
    if options.chat_template:
        words += ["--chat-template", str(options.chat_template)]
    numbers: dict[str, Any] = {
        "--max-model-len": options.context_tokens,
        "--gpu-memory-utilization": options.gpu_memory,
        "--tensor-parallel-size": options.tensor_parallel if options.tensor_parallel > 1 else None,
        "--pipeline-parallel-size": options.pipeline_parallel if options.pipeline_parallel > 1 else None,
        "--data-parallel-size": options.data_parallel if options.data_parallel > 1 else None,
    }
    for name, number in numbers.items():
        words += [name, str(number)] if number is not None else []
    if options.ray:
        words += ["--distributed-executor-backend", "ray"]
        words += ["--data-parallel-backend", "ray"] if options.data_parallel > 1 else []
    return [*words, *_lora(options), *options.further]


def vllm_environment(options: VllmOptions, *, key: str, folder: Path) -> dict[str, str]:
    """The variables that it is started with. `key`: what the gate shows it; `folder`: private, for its sockets."""
    chosen = {
        "VLLM_API_KEY": key,
        "VLLM_RPC_BASE_PATH": str(folder),
        "VLLM_MAX_N_SEQUENCES": str(MOST_SEQUENCES),
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1" if options.adapters_may_change else "0",
        "VLLM_SERVER_DEV_MODE": "0",
        "VLLM_ALLOW_INSECURE_SERIALIZATION": "0",
        "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "0" if options.download else "1",
        "VLLM_LOGGING_COLOR": "0",
        "PYTHONUNBUFFERED": "1",
    }
    if not options.ray:  # what its processes say to each other stays on this machine
        chosen["VLLM_HOST_IP"] = "127.0.0.1"
    if options.cpu:
        chosen["VLLM_CPU_KVCACHE_SPACE"] = str(options.kv_cache_gib)
    return chosen


def printed(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Both as a shell takes them, the key left out."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in environment.items() if name != "VLLM_API_KEY"]
    lines = ["env", *(f"  {variable}" for variable in variables), "  VLLM_API_KEY=..."]
    words = [shlex.quote(word) for word in command]
    lines.append(f"  {' '.join(words[:3])}")
    for word in words[3:]:
        if word.startswith("--"):
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    return " \\\n".join(lines)


def _lora(options: VllmOptions) -> list[str]:
    if not options.adapters and not options.adapters_may_change:
        return []
    wanted = max([a.rank for a in options.adapters] + ([options.largest_rank] if options.adapters_may_change else []))
    rank = next((rank for rank in _RANKS if rank >= wanted), None)
    if rank is None:
        raise UserError(f"an adapter has rank `{wanted}`: vLLM serves up to {_RANKS[-1]}, merge it into its base")
    words = ["--enable-lora", "--max-lora-rank", str(rank)]
    at_once = (
        max(options.most_adapters, 1)
        if options.adapters_may_change
        else min(options.most_adapters, len(options.adapters))
    )
    words += ["--max-loras", str(at_once)]
    # All that were named stay in main memory, so that none is read from disk again in the middle of the work.
    words += ["--max-cpu-loras", str(max(at_once, len(options.adapters)))]
    if options.adapters:
        modules = [
            {"name": a.served_name, "path": str(a.folder), "base_model_name": options.name} for a in options.adapters
        ]
        words += ["--lora-modules", *(json.dumps(module) for module in modules)]
    return words


_OURS: Final = """--model --served-model-name --uds --host --port --load-format --chat-template --max-model-len --dtype
    --tool-call-parser --reasoning-parser --enable-auto-tool-choice --gpu-memory-utilization --tensor-parallel-size
    --pipeline-parallel-size --data-parallel-size --distributed-executor-backend --data-parallel-backend --enable-lora
    --lora-modules --max-loras --max-lora-rank --max-cpu-loras --structured-outputs-config""".split()
_UNSAFE: Final = """--api-key --trust-remote-code --allowed-media-domains --allowed-local-media-path --middleware
    --config --enable-log-requests --enable-log-outputs --enable-log-deltas --trust-request-chat-template
    --trust-request-mm-kwargs --enable-prompt-embeds --enable-mm-embeds --enable-scale-out --enable-sleep-mode
    --enable-tokenizer-info-endpoint --enable-offline-docs --max-logprobs --hf-token --grpc --otlp-traces-endpoint
    --weight-transfer-config --profiler-config --max-log-len""".split()
_SHORT: Final = {"-tp": "--tensor-parallel-size", "-pp": "--pipeline-parallel-size", "-dp": "--data-parallel-size"}


def _check_further(words: Sequence[str]) -> None:
    for word in words:
        # vLLM takes `--a-b`, `--a_b`, `--a-b=c`, `--a-b.c` and any beginning that is not also another's.
        name = re.split(r"[=.]", word, maxsplit=1)[0].replace("_", "-")
        name = _SHORT.get(name, name)
        if not name.startswith("--") or len(name) < 4:
            continue
        if any(full.startswith(name) for full in _UNSAFE):
            raise UserError(f"`{word}` would undo a safe setting of the server: leave it out")
        if name in _OURS:
            raise UserError(f"`{word}` is set by an option of `wardround models serve`: see its `--help`")
