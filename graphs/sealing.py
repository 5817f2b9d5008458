"""Encryption at rest: AES-256-GCM under a key from a file, bound to the row, and nothing else is accepted back.

LangGraph's own encrypted serializer hands unencrypted rows through and takes its key from the environment; here a row
that is not sealed is an error.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path
from typing import Any, Final

from ..errors import MissingExtra, UserError, WardroundError
from .checkpoints import StrictSerializer

_MARK: Final = b"wr1:"
_NONCE: Final = 12
_SEALED: Final = "sealed"


class SealError(WardroundError):
    """A stored row is not encrypted, was changed, or was encrypted with another key."""


class Sealer:
    """Seals and opens rows; made of a key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise MissingExtra("encryption needs a package: run `pip install 'wardround[serve]'`") from None
        if len(key) != 32:
            raise UserError(f"an encryption key has 32 bytes, not {len(key)}: make one with `wardround serve new-key`")
        self._aead = AESGCM(key)
        self._tagging = hmac.digest(key, b"wardround tags", "sha256")

    def seal(self, plain: bytes, *, about: str) -> bytes:
        """Encrypt; `about` is what it belongs to, such as the id of its row, and must be the same when it is opened."""
        nonce = os.urandom(_NONCE)
        return _MARK + nonce + self._aead.encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, *, about: str) -> bytes:
        """Decrypt.

        Raises:
            SealError: it is not what `seal` made with this key for this row.
        """
        from cryptography.exceptions import InvalidTag

        if not sealed.startswith(_MARK):
            raise SealError("a stored row is not encrypted: it was not written by this server, which refuses it")
        body = sealed[len(_MARK) :]
        try:
            return self._aead.decrypt(body[:_NONCE], body[_NONCE:], about.encode())
        except (InvalidTag, ValueError):
            raise SealError("a stored row cannot be decrypted: it was changed, or the key is another one") from None

    def tag(self, value: str) -> str:
        """The same text for the same value, from which the value can't be told without the key."""
        return hmac.new(self._tagging, value.encode(), hashlib.sha256).hexdigest()[:32]


class SealedSerializer(StrictSerializer):
    """The serializer for checkpoints, whose rows are sealed."""

    def __init__(self, allowed: frozenset[tuple[str, ...]], sealer: Sealer) -> None:
        super().__init__(allowed)
        self._sealer = sealer

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """A sealed row."""
        kind, data = super().dumps_typed(obj)
        return _SEALED, self._sealer.seal(kind.encode() + b"\0" + data, about=_SEALED)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """What a row holds. Raises `SealError` where it is not sealed."""
        if data[0] != _SEALED:
            raise SealError("a checkpoint is not encrypted: it was not written by this server, which refuses it")
        kind, _, plain = self._sealer.open(data[1], about=_SEALED).partition(b"\0")
        return super().loads_typed((kind.decode(), plain))


def new_key_file(path: Path) -> None:
    """Write a new key into a file that only its owner may read.

    Raises:
        UserError: the file is there already, or can't be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UserError(f"`{path}` cannot take a new key ({error.strerror}): name a file that is not there") from None
    with os.fdopen(handle, "w") as file:
        file.write(base64.b64encode(os.urandom(32)).decode() + "\n")


def sealer_of(path: Path) -> Sealer:
    """The sealer with the key of a file.

    Raises:
        UserError: the file can't be read, holds no key, or others may read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise UserError(f"`{path}` can be read by others: run `chmod 600 {path}`")
        key: Any = base64.b64decode(path.read_text(encoding="ascii").strip(), validate=True)
    except OSError as error:
        raise UserError(f"the key file `{path}` cannot be read ({error.strerror}): check its name") from None
    except (binascii.Error, UnicodeDecodeError):
        raise UserError(f"`{path}` holds no key: make one with `wardround serve new-key {path}`") from None
    return Sealer(key)
