"""The folder of a training run: what it was made of, what happened, what came out.

manifest.json   config, hashes of data, base and template, versions, and what it came to
log.jsonl       one line for each optimizer step and each evaluation
checkpoints/    where a killed run goes on from
tensorboard/    the same figures for TensorBoard
curves.png      losses and scores over the steps
adapter/        what was trained (`model/` where all weights were)
README.md       the model card, written from the manifest
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ..errors import UserError
from .config import TrainingConfig

MANIFEST: Final = "manifest.json"
CHECKPOINTS: Final = "checkpoints"
LOG: Final = "log.jsonl"
_PACKAGES: Final = ("wardround", "torch", "transformers", "trl", "peft", "accelerate", "datasets")


class DataUsed(BaseModel):
    """A file of rows, as it was used."""

    model_config = ConfigDict(frozen=True)
    path: str
    sha256: str
    rows: int
    too_long: int
    """Rows that were left out because of `max_length`."""
    tokens: int
    learned: int
    """Tokens that were learned, in one epoch."""


class Outcome(BaseModel):
    """What a run came to."""

    model_config = ConfigDict(frozen=True)
    steps: int
    seconds: float
    """Of training and evaluation, in the session that finished it."""
    final_loss: float | None
    best_step: int | None = None
    best_score: float | None = None
    stopped_early: bool = False
    saved: str
    """The folder with what was trained."""
    sha256: str
    """Of its weights."""


class TrainingManifest(BaseModel):
    """What a run is made of. Two runs with equal `identity` are the same run."""

    model_config = ConfigDict(frozen=True)
    version: Literal[1] = 1
    status: Literal["running", "done"] = "running"
    created: str
    config: TrainingConfig
    base_sha256: str
    template_sha256: str
    train: DataUsed
    heldout: DataUsed | None = None
    processes: int = 1
    environment: dict[str, JsonValue] = Field(default_factory=dict)
    """Versions and machine; not part of the run's identity."""
    outcome: Outcome | None = None

    def identity(self) -> dict[str, Any]:
        """What must be equal for a run to be resumed."""
        told = self.model_dump(mode="json", include={"config", "base_sha256", "template_sha256", "processes"})
        told["config"] = {k: v for k, v in told["config"].items() if k not in ("train", "heldout", "threads", "keep")}
        told["train"] = self.train.sha256
        told["heldout"] = self.heldout.sha256 if self.heldout else None
        return told


class LogEntry(NamedTuple):
    """One line of the log."""

    step: int
    figures: dict[str, float]


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file.

    Raises:
        UserError: it can't be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"`{path}` cannot be read ({error.strerror}): name a file of rows") from None


def weights_sha256(folder: Path) -> str:
    """One hash over the weights and the configuration of a model or adapter folder."""
    files = [*sorted(folder.glob("*.safetensors")), *sorted(folder.glob("*config.json"))]
    lines = [f"{path.name} {file_sha256(path)}" for path in files if path.name != "generation_config.json"]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def environment() -> dict[str, JsonValue]:
    """Versions of what matters, and the machine."""
    import torch

    found: dict[str, JsonValue] = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    found["python"] = platform.python_version()
    found["machine"] = platform.machine()
    found["device"] = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
    return found


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def open_folder(path: Path, manifest: TrainingManifest) -> TrainingManifest:
    """Begin a run in `path`, or find the one that is there.

    Returns the manifest that lies there now: a new run's, or an earlier one's of the same identity.

    Raises:
        UserError: another run or something else lies there.
    """
    earlier = read_manifest(path) if (path / MANIFEST).is_file() else None
    if earlier is None:
        if path.is_dir() and (
            others := sorted(p.name for p in path.iterdir() if p.name not in ("pairs", f".{MANIFEST}"))
        ):
            raise UserError(f"`{path}` holds other files (`{others[0]}`): choose an empty folder for the run")
        write_manifest(path, manifest)
        return manifest
    ours, theirs = manifest.identity(), earlier.identity()
    if ours != theirs:
        what = [key for key in ours if ours[key] != theirs[key] and key != "config"]
        what += [key for key, value in ours["config"].items() if value != theirs["config"].get(key)]
        raise UserError(f"`{path}` is a run of something else ({', '.join(what)} differ): choose another folder")
    return earlier


def read_manifest(path: Path) -> TrainingManifest:
    """The manifest of the run in `path`.

    Raises:
        UserError: there is none, or it is damaged.
    """
    try:
        return TrainingManifest.model_validate_json((path / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise UserError(f"`{path}` is no training run: it has no `{MANIFEST}`") from None
    except (ValidationError, OSError) as error:
        raise UserError(f"`{path / MANIFEST}` is damaged ({str(error).splitlines()[0]}): remove the folder") from None


def write_manifest(path: Path, manifest: TrainingManifest) -> None:
    """Put the manifest into `path`, whole or not at all."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path / f".{MANIFEST}"
    part.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    part.replace(path / MANIFEST)


def last_checkpoint(path: Path) -> Path | None:
    """The newest whole checkpoint of the run in `path`; what a kill left half-written is removed.

    The trainer's state is what is written last.
    """
    found: Path | None = None
    for folder in sorted((path / CHECKPOINTS).glob("checkpoint-*"), key=_step, reverse=True):
        try:
            json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(folder)
            continue
        found = found or folder
    return found


def _step(folder: Path) -> int:
    tail = folder.name.rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1


def append_log(path: Path, step: int, figures: Mapping[str, float]) -> None:
    """One more line in the log."""
    with (path / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, **figures}) + "\n")


def read_log(path: Path) -> list[LogEntry]:
    """The log in order of steps; where a resumed run did a step again, the later line counts."""
    found: dict[tuple[int, bool], LogEntry] = {}
    for line in (path / LOG).read_text(encoding="utf-8").splitlines() if (path / LOG).is_file() else ():
        try:
            told = json.loads(line)
            step = int(told.pop("step"))
        except (ValueError, KeyError, AttributeError):
            continue  # cut off by a kill
        found[step, any(key.startswith("eval_") for key in told)] = LogEntry(step, told)
    return [found[key] for key in sorted(found)]


def curve(log: Sequence[LogEntry], figure: str) -> list[tuple[int, float]]:
    """The steps and values of one figure."""
    return [(entry.step, entry.figures[figure]) for entry in log if figure in entry.figures]
