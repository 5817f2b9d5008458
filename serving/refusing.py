"""What a caller is told when a request is not carried out: OpenAI's form of an error, and nothing from the inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from ..errors import AccessDenied, CorpusError, MissingExtra, ModelError, UserError

Type = Literal[
    "invalid_request_error", "authentication_error", "permission_error", "rate_limit_error", "insufficient_quota",
    "server_error",
]  # fmt: skip


class Refused(Exception):
    """A request that is not carried out, with the status and the words that the caller gets."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: Type = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.error: dict[str, Any] = {"message": message, "type": type, "param": param, "code": code}

    @property
    def body(self) -> dict[str, Any]:
        """The reply."""
        return {"error": self.error}


TOO_LONG: Final = "The turn took too long and was stopped. Ask for less, or have the time limit raised."


def shown(error: BaseException) -> Refused:
    """What may be told about an exception of a run.

    A `UserError` speaks about the request and is passed on; what others say may hold addresses, prompts or patients,
    and what is wrong with the installation is not the caller's to mend.
    Statuses that clients retry by themselves (5xx) are given only where trying again may help.
    """
    if isinstance(error, Refused):
        return error
    if isinstance(error, AccessDenied):
        return Refused(403, str(error), type="permission_error", code="access_denied")
    if isinstance(error, UserError) and not isinstance(error, CorpusError | MissingExtra):
        return Refused(400, str(error), code="cannot_be_answered")
    if isinstance(error, TimeoutError):
        return Refused(504, TOO_LONG, type="server_error", code="timeout")
    if isinstance(error, ModelError):
        text = "The model server cannot answer at the moment. Ask once more in a little while."
        return Refused(503, text, type="server_error", code="model_unavailable")
    return Refused(500, "Something went wrong here. It was written into the log.", type="server_error", code="internal")
