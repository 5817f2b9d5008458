"""API keys: in a file, hashed; each with its name, graphs, patients and limits.

A key is 32 random bytes, so one round of SHA-256 is enough: what makes passwords need more is that they can be guessed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UserError
from .store import Allowance

_PREFIX: Final = "wr-"


class Key(BaseModel):
    """What is known of a key; the key itself is not."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    name: str
    sha256: str
    created: str
    revoked: str | None = None
    agents: tuple[str, ...] | None = None
    """The graphs it may use; None is all."""
    patients: tuple[str, ...] = ()
    """The patients whose records it may read; `*` is all of them."""
    turns_a_minute: int | None = Field(default=None, gt=0)
    at_once: int | None = Field(default=None, gt=0)
    tokens_a_day: int | None = Field(default=None, gt=0)

    @property
    def allowance(self) -> Allowance:
        """Its limits."""
        return Allowance(self.turns_a_minute, self.at_once, self.tokens_a_day)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: int = 1
    keys: list[Key] = []


class KeyFile:
    """The keys in a file; a change to the file counts from the next request on.

    Raises (every method):
        UserError: the file can't be read, holds something else, or others may write it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_at: tuple[int, int, int] | None = None
        self._by_hash: dict[str, Key] = {}

    def find(self, secret: str) -> Key | None:
        """The key, unless it is unknown or revoked."""
        self._refresh()
        key = self._by_hash.get(_hashed(secret))
        return key if key is not None and key.revoked is None else None

    def all(self) -> list[Key]:
        """Every key, oldest first, revoked ones too."""
        self._refresh()
        return list(self._by_hash.values())

    def add(self, name: str, **rights: object) -> tuple[Key, str]:
        """Make a key; it is told once, here, and kept only as a hash.

        Raises:
            UserError: the name is in use, or a right is none.
        """
        secret = _PREFIX + secrets.token_urlsafe(32)
        given = {"id": f"k{secrets.token_hex(4)}", "name": name, "sha256": _hashed(secret), "created": _now(), **rights}
        try:
            key = Key.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            raise UserError(f"`{first['loc'][0]}`=`{first['input']}` is no right of a key: {first['msg']}") from None
        with self._changing() as file:
            if any(one.name == name and one.revoked is None for one in file.keys):
                raise UserError(f"there is a key `{name}` already: revoke it, or take another name")
            file.keys.append(key)
        return key, secret

    def revoke(self, name: str) -> Key:
        """Take back the key of this name or id.

        Raises:
            UserError: there is none.
        """
        with self._changing() as file:
            for place, key in enumerate(file.keys):
                if name in (key.name, key.id) and key.revoked is None:
                    file.keys[place] = key.model_copy(update={"revoked": _now()})
                    return file.keys[place]
        raise UserError(f"there is no key `{name}`: see `wardround serve keys list`")

    def _refresh(self) -> None:
        try:
            about = self.path.stat()
        except OSError as error:
            raise UserError(f"the key file `{self.path}` cannot be read ({error.strerror}): check its name") from None
        seen = (about.st_mtime_ns, about.st_size, about.st_ino)
        if seen == self._read_at:
            return
        if about.st_mode & 0o022:
            raise UserError(f"`{self.path}` can be written by others: run `chmod 600 {self.path}`")
        self._by_hash = {key.sha256: key for key in self._load().keys}
        self._read_at = seen

    def _load(self) -> _File:
        try:
            return _File.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return _File()
        except OSError as error:
            raise UserError(f"the key file `{self.path}` cannot be read ({error.strerror}): check its name") from None
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise UserError(f"`{self.path}` is no key file (at `{where}`): name another, or make keys anew") from None

    @contextmanager
    def _changing(self) -> Generator[_File]:
        """The file's content, written back as a whole when nothing went wrong; one process at a time."""
        lock = self.path.with_name(self.path.name + ".lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise UserError(f"`{self.path}` cannot be written ({error.strerror}): name another file") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            file = self._load()
            yield file
            new = self.path.with_name(self.path.name + ".new")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
                written.write(file.model_dump_json(indent=2) + "\n")
                written.flush()
                os.fsync(written.fileno())
            new.replace(self.path)
        finally:
            os.close(handle)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
