"""Generations of a corpus index: how one is written whole, put in place by one atomic rename, found and checked.

    DIR/CURRENT              the name of the generation in use
    DIR/.lock                held by the process that writes
    DIR/<generation>/        manifest.json and the files that it lists

A reader opens the generation that CURRENT names and keeps it, whatever is written meanwhile; a writer that dies leaves
CURRENT untouched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import CorpusError

FORMAT: Final = 1
CURRENT: Final = "CURRENT"
MANIFEST: Final = "manifest.json"
_T = TypeVar("_T")
# How long opening goes on while writers keep replacing the generation that is being opened.
_PATIENCE_S: Final = 30.0
# CPython 3.11's parser, with which numpy reads the heads of arrays, can fail in two threads at once (gh-106905).
_ONE_OPENS: Final = threading.Lock()


class SourceUsed(BaseModel):
    """One input of a build."""

    model_config = ConfigDict(frozen=True)
    source: str
    path: str
    sha256: str | None
    medicines: int
    problems: int


class Manifest(BaseModel):
    """What an index holds and what it was made from."""

    model_config = ConfigDict(frozen=True)
    format: int = FORMAT
    created: str
    sources: tuple[SourceUsed, ...]
    medicines: int
    passages: int
    content_sha256: str
    """Over ids and texts of all passages: equal for equal content, however it was built."""
    files: dict[str, tuple[int, str]]
    """Relative path -> (bytes, sha256)."""


@contextmanager
def alone(directory: Path, waiting: Callable[[], None]) -> Generator[None]:
    """Create `directory` where needed and hold it against other writers, waiting for one that is at work.

    Raises:
        CorpusError: it can't be created or written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / ".lock").open("w")
    except OSError as error:
        raise CorpusError(f"`{directory}` cannot be written ({error.strerror}): choose another folder") from None
    with lock:
        # The lock goes with the process, however that ends. Windows has no flock.
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def generation(directory: Path) -> Generator[Path]:
    """A new, empty generation; made current on success, removed on failure. Others go once it is current."""
    name = f"generation-{uuid.uuid4().hex[:12]}"
    folder = directory / name
    folder.mkdir()
    try:
        yield folder
        pointer = directory / f".{name}"
        with pointer.open("w") as file:
            file.write(name)
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(directory / CURRENT)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for other in directory.glob("generation-*"):
        if other.name != name:
            shutil.rmtree(other, ignore_errors=True)


def fingerprint(path: Path) -> tuple[int, str]:
    """A file's size in bytes and sha256."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def current_folder(directory: Path) -> Path:
    """The generation in use.

    Raises:
        CorpusError: there is no index, or its pointer is damaged.
    """
    while True:
        name = _pointer(directory)
        folder = directory / name
        if name.startswith("generation-") and "/" not in name and folder.is_dir():
            return folder
        # A writer may have put another one in place, and taken this one away, since the pointer was read.
        if _pointer(directory) == name:
            raise CorpusError(
                f"the corpus index `{directory}` is damaged (`{CURRENT}` names no folder): build it again"
            )


def _pointer(directory: Path) -> str:
    """What CURRENT says, as it stands.

    Raises:
        CorpusError: there is none, or it can't be read.
    """
    try:
        return (directory / CURRENT).read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        raise CorpusError(
            f"`{directory}` is no corpus index: build one with `wardround corpus build --source ... --input ... "
            f"--out {directory}`"
        ) from None
    except (UnicodeDecodeError, OSError) as error:
        raise CorpusError(f"the corpus index `{directory}` cannot be read ({error}): build it again") from None


def read_manifest(directory: Path) -> tuple[Path, Manifest]:
    """The current generation's folder and manifest, checked for format and for files missing or cut short.

    Raises:
        CorpusError: missing, damaged, or written by a version with another format.
    """
    folder = current_folder(directory)
    try:
        raw = json.loads((folder / MANIFEST).read_bytes())
        written = raw.get("format") if isinstance(raw, dict) else None
        if written != FORMAT:
            raise CorpusError(
                f"the corpus index `{directory}` has format `{written}`, this version reads `{FORMAT}`: build it again"
            )
        manifest = Manifest.model_validate(raw)
    except (OSError, ValueError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(f"the manifest of `{directory}` is damaged ({reason}): build the index again") from None
    for name, (size, _) in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise CorpusError(f"`{path}` is missing or not {size} bytes long: build the index again")
    return folder, manifest


def verify(directory: Path) -> Manifest:
    """Compare every file of the index with the hash taken when it was written.

    Raises:
        CorpusError: a file differs.
    """
    folder, manifest = read_manifest(directory)
    for name, (_, digest) in manifest.files.items():
        if fingerprint(folder / name)[1] != digest:
            raise CorpusError(f"`{folder / name}` was changed since it was written: build the index again")
    return manifest


def open_current(directory: Path, opened: Callable[[Path, Manifest], _T]) -> _T:
    """What `opened` makes of the current generation; tried again where a writer replaced it in the meantime.

    Raises:
        CorpusError: missing, damaged, or written by a version with another format.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        tried = current_folder(directory)
        try:
            with _ONE_OPENS:
                return opened(*read_manifest(directory))
        except (CorpusError, OSError, ValueError, sqlite3.Error) as error:
            if current_folder(directory) != tried and time.monotonic() < deadline:
                continue
            if isinstance(error, CorpusError):
                raise
            raise CorpusError(f"the corpus index `{directory}` is damaged ({error}): build it again") from error
