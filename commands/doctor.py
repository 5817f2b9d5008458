"""What is installed, what answers, what is missing and the command that mends it."""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..errors import WardroundError
from ..quiet import keep_quiet
from ..settings import Settings, get_settings
from .terminal import clean, out

_ROOM_BYTES = 500_000_000


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)
    name: str
    ok: bool
    found: str
    remedy: str = ""
    """The command or step that mends it; empty when there is nothing to mend."""
    needed: bool = True
    """Whether consultations fail without it."""


def examine(*, model: str | None = None, corpus: Path | None = None, settings: Settings | None = None) -> list[Check]:
    """Look at everything a consultation needs; never raises for what it finds."""
    from ..models.spec import is_local

    settings = settings or get_settings()
    spec = model or settings.model
    checks = [_python(), _cache(settings), _corpus(corpus, settings)]
    if is_local(spec):
        checks.append(_package("xllamacpp", "the embedded model server", "pip install 'wardround[local]'"))
    checks.append(_model(spec, settings))
    if vllm := _vllm(settings):
        checks.append(vllm)
    checks.append(_package("chromadb", "dense search", "pip install --force-reinstall wardround", needed=False))
    checks.append(_calls_home())
    return checks


def _python() -> Check:
    return Check(name="python", ok=True, found=f"{platform.python_version()}, wardround {_version('wardround')}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"


def _package(name: str, purpose: str, remedy: str, *, needed: bool = True) -> Check:
    if importlib.util.find_spec(name) is None:
        return Check(name=name, ok=False, found=f"missing ({purpose})", remedy=remedy, needed=needed)
    return Check(name=name, ok=True, found=f"{_version(name)} ({purpose})", needed=needed)


def _cache(settings: Settings) -> Check:
    folder = settings.cache_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        remedy = "set WARDROUND_CACHE_DIR to a folder that can be written to"
        return Check(name="cache", ok=False, found=f"{folder}: {error.strerror}", remedy=remedy)
    free = shutil.disk_usage(folder).free
    if free < _ROOM_BYTES:
        return Check(
            name="cache", ok=False, found=f"{folder}: {free / 1e6:.0f} MB free", remedy="make room", needed=False
        )
    return Check(name="cache", ok=True, found=f"{folder}: {free / 1e9:.0f} GB free")


def _corpus(directory: Path | None, settings: Settings) -> Check:
    def look() -> str:
        from ..corpora import open_corpus

        opened = open_corpus(directory, settings=settings)
        return f"{opened.manifest.medicines:,} medicines, {opened.manifest.passages:,} passages in {opened.directory}"

    return _tried("corpus", look)


def _model(spec: str, settings: Settings) -> Check:
    def look() -> str:
        from ..models import chat_model, profile_of

        opened = chat_model(spec, settings=settings.model_copy(update={"retries": 0}), max_tokens=8)
        start = time.perf_counter()
        asyncio.run(opened.ainvoke("Say yes."))
        profile = profile_of(opened)
        return f"{spec} answered in {time.perf_counter() - start:.1f} s; declared {profile.strength}, " + (
            "calls tools" if profile.tools else "no tool calls"
        )

    return _tried("model", look)


def _vllm(settings: Settings) -> Check | None:
    """The environment of the model server; None where nobody made one, which is no fault."""
    from ..models.servers.environment import HERE, look_into, vllm_python

    if settings.vllm_python is None and not HERE.is_file():
        return None

    def look() -> str:
        found = look_into(vllm_python(settings))
        kind = "for the CPU" if found.cpu else "for GPUs"
        return f"{found.version} {kind}, torch {found.torch}, transformers {found.transformers}, in {found.python}"

    return _tried("vllm", look, needed=False)


def _tried(name: str, look: Callable[[], str], *, needed: bool = True) -> Check:
    try:
        return Check(name=name, ok=True, found=look(), needed=needed)
    except WardroundError as error:
        what, _, remedy = str(error).partition(": ")
        return Check(name=name, ok=False, found=what, remedy=remedy, needed=needed)
    except OSError as error:
        remedy = "set WARDROUND_CACHE_DIR to a folder that can be written to"
        return Check(name=name, ok=False, found=str(error), remedy=remedy, needed=needed)


def _calls_home() -> Check:
    loud = keep_quiet()
    if not loud:
        return Check(name="telemetry", ok=True, found="off everywhere", needed=False)
    found = ", ".join(f"{name}={value}" for name, value in loud.items())
    return Check(name="telemetry", ok=False, found=found, remedy=f"unset {' '.join(loud)}", needed=False)


def show(checks: Sequence[Check]) -> None:
    """The checks, one a line, and below it what mends it: whole, so that a command can be copied."""
    console = out()
    for check in checks:
        mark = "ok" if check.ok else ("MISSING" if check.needed else "note")
        console.print(clean(f"{mark:<8} {check.name:<10} {check.found}"))
        if check.remedy:
            console.print(clean(f"{'':<8} {'':<10} -> {check.remedy}"))
