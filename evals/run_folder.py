"""The folder of a run: what it was made of, every result, every trace; all that re-scoring and reports need.

    manifest.json    everything needed to repeat the run; written last, so a folder without it was never begun
    examples.jsonl   the examples as they were put
    results.jsonl    one line a result, only ever appended to; of several for one example the last counts
    results.idx      where each line stands, so that a large run opens at once; made anew where it doesn't fit
    traces/          one file an example
    sessions.jsonl   one line for each time the run was worked on

A run holds what was said and found, so it is patient data: only its owner may read it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import PydanticSerializationError

from ..errors import UserError
from .benchmark import Example, Metric
from .result import Result

VERSION: Final = 1
MANIFEST: Final = "manifest.json"
SESSIONS: Final = "sessions.jsonl"
_EXAMPLES, _RESULTS, _INDEX = "examples.jsonl", "results.jsonl", "results.idx"


class Named(BaseModel):
    """A benchmark or a target, and everything that decides what it does."""

    model_config = ConfigDict(frozen=True)
    name: str
    options: dict[str, JsonValue] = Field(default_factory=dict)


class Manifest(BaseModel):
    """What a run is made of. Two runs with equal `benchmark`, `target`, `samples` and examples are the same run."""

    model_config = ConfigDict(frozen=True)
    version: int = VERSION
    wardround: str
    created: str
    benchmark: Named
    target: Named
    metrics: tuple[Metric, ...]
    samples: int
    examples: int
    examples_sha256: str
    """Over the keys of the examples, in order."""
    notes: tuple[str, ...] = ()
    withheld: str | None = None
    environment: dict[str, JsonValue] = Field(default_factory=dict)
    """Versions and machine; not part of the run's identity."""
    asked: dict[str, JsonValue] = Field(default_factory=dict)
    """The command line's options, so that `wardround runs retry` can open the same benchmark and target again."""


class Entry(NamedTuple):
    """Where the result that counts for one sample of one example stands."""

    status: str
    attempt: int
    offset: int
    length: int


class RunFolder:
    """An open run folder. Use `create` or `open`; one process at a time may write (`writing`)."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest
        self.entries: dict[tuple[str, int], Entry] = {}
        self._results: IO[bytes] | None = None
        self._index: IO[str] | None = None
        self._lock: IO[str] | None = None
        self._read_entries()

    @classmethod
    def create(cls, path: Path, manifest: Manifest, examples: Iterable[Example]) -> Self:
        """A new run in `path`, which must be empty or not there.

        Raises:
            UserError: something else lies there, or it cannot be written.
        """
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if foreign := {p.name for p in path.iterdir()} - {_EXAMPLES, ".lock"}:
                raise UserError(f"`{path}` holds other files (`{min(foreign)}`): choose an empty folder for the run")
            with (path / _EXAMPLES).open("w", encoding="utf-8", errors="replace") as file:
                for example in examples:
                    file.write(json.dumps({"key": example.key, **example.model_dump()}, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
            part = path / f".{MANIFEST}"
            part.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
            part.replace(path / MANIFEST)
        except OSError as error:
            raise UserError(f"the run `{path}` cannot be written ({error.strerror}): choose another folder") from None
        return cls(path, manifest)

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """The run in `path`.

        Raises:
            UserError: there is none, or its manifest is damaged or of another version.
        """
        return cls(Path(path), read_manifest(Path(path)))

    # -- reading ---------------------------------------------------------------------------------------------

    def examples(self) -> Iterator[Example]:
        """The examples, in the order in which they were put."""
        with (self.path / _EXAMPLES).open("rb") as file:
            for line in file:
                yield Example.model_validate_json(line)

    def results(self) -> Iterator[Result]:
        """The results that count, in the order in which they were finished. Reads them one by one."""
        if not self.entries:
            return
        with (self.path / _RESULTS).open("rb") as file:
            for entry in sorted(self.entries.values(), key=lambda e: e.offset):
                file.seek(entry.offset)
                yield Result.model_validate_json(file.read(entry.length))

    def sessions(self) -> list[dict[str, Any]]:
        """When the run was worked on, and for how long."""
        try:
            lines = (self.path / SESSIONS).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def trace_path(self, key: str, sample: int) -> Path:
        """Where the trace of a sample lies, relative to the run's folder."""
        return Path("traces") / key[:2] / f"trace-{key}-{sample}.jsonl"

    # -- writing ---------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Hold the run against other processes and make ready for appending.

        Raises:
            UserError: another process works on it.
        """
        self._lock = (self.path / ".lock").open("w")
        if sys.platform != "win32":  # the lock goes with the process, however that ends
            import fcntl

            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock.close()
                raise UserError(f"another process works on the run `{self.path}`: wait for it, or stop it") from None
        end = self._read_entries()
        self._results = (self.path / _RESULTS).open("ab")
        self._results.truncate(end)  # a line that a killed process left half written
        self._index = (self.path / _INDEX).open("w", encoding="ascii")
        self._index.writelines(_index_line(key, entry) for key, entry in self.entries.items())
        self._index.flush()
        return self

    def __exit__(self, *_: object) -> None:
        self.sync()
        for file in (self._results, self._index, self._lock):
            if file:
                file.close()
        self._results = self._index = self._lock = None

    def append(self, result: Result) -> None:
        """Add a result; it is in the operating system's hands when this returns, on the disc after `sync`."""
        if not self._results or not self._index:
            raise RuntimeError("append needs the folder held: use `with folder:`")
        line = _line(result)
        entry = Entry(result.status, result.attempt, self._results.tell(), len(line))
        self._results.write(line)
        self._results.flush()
        self.entries[result.key, result.sample] = entry
        self._index.write(_index_line((result.key, result.sample), entry))
        self._index.flush()

    def sync(self) -> None:
        """Wait until everything appended is on the disc."""
        if self._results:
            os.fsync(self._results.fileno())

    def add_session(self, started: datetime, wall_s: float, stopped: str) -> None:
        """Note that the run was worked on."""
        line = {"started": started.isoformat(timespec="seconds"), "wall_s": round(wall_s, 3), "stopped": stopped}
        with (self.path / SESSIONS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    # -- the index -------------------------------------------------------------------------------------------

    def _read_entries(self) -> int:
        """Fill `entries` from the index, and from the results where the index doesn't reach; where those end."""
        self.entries = {}
        path = self.path / _RESULTS
        if not path.exists():
            return 0
        end = self._indexed(path.stat().st_size)
        with path.open("rb") as file:
            file.seek(end)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    result = Result.model_validate_json(line)
                except ValidationError:
                    number = 1 + path.read_bytes()[:end].count(b"\n")
                    raise UserError(f"`{path}` line {number} is no result: was it edited? delete that line") from None
                self.entries[result.key, result.sample] = Entry(result.status, result.attempt, end, len(line))
                end += len(line)
        return end

    def _indexed(self, size: int) -> int:
        """Take the entries of the index that fit a results file of `size` bytes; where the last one ends."""
        end = 0
        try:
            lines = (self.path / _INDEX).read_text(encoding="ascii").split("\n")
        except (FileNotFoundError, UnicodeDecodeError):
            return 0
        for line in lines[:-1]:  # what follows the last newline was not finished
            try:
                key, sample, status, attempt, offset, length = line.split(" ")
                entry = Entry(status, int(attempt), int(offset), int(length))
            except ValueError:
                break
            if entry.offset + entry.length > size:
                break
            self.entries[key, int(sample)] = entry
            end = max(end, entry.offset + entry.length)
        return end


def read_manifest(path: Path) -> Manifest:
    """The manifest of the run in `path`.

    Raises:
        UserError: there is none, or it is damaged or of another version.
    """
    try:
        raw = json.loads((path / MANIFEST).read_bytes())
        if raw.get("version") != VERSION:
            raise UserError(f"the run `{path}` has version `{raw.get('version')}`, this wardround reads `{VERSION}`")
        return Manifest.model_validate(raw)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"`{path}` is no run: a run is a folder that `wardround eval ... --out` made") from None
    except (OSError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"the manifest of the run `{path}` is damaged ({reason}): run again into another folder"
        ) from None


def differences(old: Manifest, new: Manifest) -> list[str]:
    """What keeps `new` from being the same run as `old`, one line a difference."""

    def facts(manifest: Manifest) -> dict[str, object]:
        flat: dict[str, object] = {"samples": manifest.samples}
        for part, named in (("benchmark", manifest.benchmark), ("target", manifest.target)):
            flat[part] = named.name
            flat |= {f"{part} {option}": value for option, value in named.options.items()}
        return flat | {"examples": (manifest.examples, manifest.examples_sha256[:12])}

    was, now = facts(old), facts(new)
    changed = [name for name in (was | now) if was.get(name) != now.get(name)]
    return [f"{name} was `{was.get(name)}`, is `{now.get(name)}`" for name in changed]


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def runs_below(folder: Path) -> Sequence[Path]:
    """The run folders in `folder` (itself, or directly below), oldest first."""
    if (folder / MANIFEST).is_file():
        return [folder]
    found = [path.parent for path in folder.glob(f"*/{MANIFEST}")]
    return sorted(found, key=lambda path: (path / MANIFEST).stat().st_mtime)


def _index_line(key: tuple[str, int], entry: Entry) -> str:
    return f"{key[0]} {key[1]} {entry.status} {entry.attempt} {entry.offset} {entry.length}\n"


def _line(result: Result) -> bytes:
    try:
        return result.model_dump_json().encode() + b"\n"
    except (PydanticSerializationError, UnicodeEncodeError):  # half a surrogate pair, which UTF-8 does not have
        return json.dumps(result.model_dump(mode="python"), ensure_ascii=False).encode(errors="replace") + b"\n"
