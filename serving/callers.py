"""Who calls: the key of a request, and the user of a frontend where a signature names one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..corpora.patients.access import Caller as Reader
from ..errors import UserError
from .keys import KeyFile
from .refusing import Refused
from .store import UNLIMITED, Allowance

_log: Final = logging.getLogger("wardround.serving")
USER_HEADER: Final = "x-openwebui-user-jwt"
CHAT_HEADER: Final = "x-openwebui-chat-id"
_LEAST_SECRET: Final = 16
"""Characters; a shorter one could be tried out."""


@dataclass(frozen=True)
class Caller:
    """A caller whose credentials were checked."""

    key: str
    name: str
    agents: frozenset[str] | None = None
    """The graphs it may use; None is all."""
    patients: frozenset[str] | None = frozenset()
    """The patients it may read; None is all."""
    allowance: Allowance = UNLIMITED
    user: str | None = None
    """A frontend's user, from a signature that was checked."""

    @property
    def owner(self) -> str:
        """Whose conversations these are."""
        return self.key if self.user is None else f"{self.key}/{self.user}"

    @property
    def reader(self) -> Reader:
        """What decides about patient records."""
        return Reader(self.name, self.patients)

    def may_use(self, agent: str) -> bool:
        """Whether it may use a graph."""
        return self.agents is None or agent in self.agents

    def one_patient(self) -> str | None:
        """The patient it is bound to, where it is exactly one."""
        return next(iter(self.patients)) if self.patients is not None and len(self.patients) == 1 else None


class Doorkeeper:
    """Tells callers by their keys; without a key file everybody is the one `local` caller.

    Args:
        keys: the key file.
        user_secret: the secret with which Open WebUI signs its users (`FORWARD_USER_INFO_HEADER_JWT_SECRET`). Without
            it a frontend's users are not told apart. Plain user headers never count: anybody can write them.
        local_patients: what the `local` caller may read; None is all.
    """

    def __init__(
        self,
        keys: KeyFile | None,
        *,
        user_secret: str | None = None,
        local_patients: frozenset[str] | None = frozenset(),
    ) -> None:
        self.keys = keys
        self._user_secret = user_secret
        self._local = Caller(key="local", name="local", patients=local_patients)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who sends these headers (names in lower case).

        Raises:
            Refused: no key or an unknown one, or a signature that is wrong.
        """
        if self.keys is None:
            return self._signed(self._local, headers)
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            text = "A key is needed: send `Authorization: Bearer KEY`."
            raise Refused(401, text, type="authentication_error", code="missing_api_key", headers=_ASK)
        try:
            key = self.keys.find(secret.strip())
        except UserError as error:  # of whoever runs the server, not of the caller, who learns no more of it
            _log.error("keys cannot be read", extra={"error": str(error)})
            raise Refused(500, "The keys cannot be read here.", type="server_error", code="internal") from None
        if key is None:
            text = "This key is not known here, or was revoked."
            raise Refused(401, text, type="authentication_error", code="invalid_api_key", headers=_ASK)
        return self._signed(
            Caller(
                key=key.id,
                name=key.name,
                agents=None if key.agents is None else frozenset(key.agents),
                patients=None if "*" in key.patients else frozenset(key.patients),
                allowance=key.allowance,
            ),
            headers,
        )

    def _signed(self, caller: Caller, headers: Mapping[str, str]) -> Caller:
        token = headers.get(USER_HEADER)
        if token is None or self._user_secret is None:
            return caller
        import jwt

        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._user_secret, algorithms=["HS256"], options={"require": ["exp", "sub"], "verify_aud": False}
            )
        except jwt.InvalidTokenError:
            text = f"`{USER_HEADER}` is not signed with the secret of this server, or has expired."
            raise Refused(401, text, type="authentication_error", code="invalid_user_signature") from None
        return Caller(
            key=caller.key,
            name=caller.name,
            agents=caller.agents,
            patients=caller.patients,
            allowance=caller.allowance,
            user=str(claims["sub"]),
        )


_ASK: Final = {"WWW-Authenticate": "Bearer"}


def secret_of(path: Path) -> str:
    """The secret in a file.

    Raises:
        UserError: it can't be read, others may read it, or it is short.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise UserError(f"`{path}` can be read by others: run `chmod 600 {path}`")
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the secret in `{path}` cannot be read ({error}): check its name") from None
    if len(secret) < _LEAST_SECRET:
        raise UserError(f"the secret in `{path}` is shorter than {_LEAST_SECRET} characters: take a longer one")
    return secret
