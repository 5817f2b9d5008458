"""The key that clients of a model server must show: from the settings, a file, or made here. Never on a command line,
where every user of the machine could read it."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple

from ...errors import UserError
from ...settings import Settings

_KEY = re.compile(r"[!-~]{16,512}")


class Key(NamedTuple):
    """A key, and the file it lies in; None where it came from the settings."""

    value: str
    file: Path | None


def server_key(settings: Settings, file: Path | None = None) -> Key:
    """The key: from `file`, else from the settings (`WARDROUND_API_KEY`), else from the state folder, where one is
    made at the first use and kept, so that clients need not be told again after a restart.

    Raises:
        UserError: a file that cannot be read or written, or a key that is too short to be one.
    """
    if file is not None:
        return Key(_checked(_read(file), f"key file `{file}`"), file)
    if settings.api_key is not None:
        return Key(_checked(settings.api_key.get_secret_value(), "WARDROUND_API_KEY"), None)
    kept = settings.state_dir / "model-server.key"
    if not kept.exists():
        _write(kept)
    return Key(_checked(_read(kept), f"key file `{kept}`"), kept)


def _read(file: Path) -> str:
    try:
        return file.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"key file `{file}` cannot be read ({error}): write a key into it, or leave it out") from None


def _write(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(secrets.token_urlsafe(32) + "\n")
    except FileExistsError:
        return  # another server that starts at the same time was faster
    except OSError as error:
        raise UserError(f"key file `{file}` cannot be written ({error.strerror}): set WARDROUND_STATE_DIR") from None


def _checked(key: str, where: str) -> str:
    if not _KEY.fullmatch(key):
        raise UserError(f"{where} holds no key: at least 16 printable characters without spaces are needed")
    return key
