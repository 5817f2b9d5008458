"""The few exception types. A type's name says who must act.

Every message is one line: what is wrong, with the value in backticks, and what to do about it.
"""


class WardroundError(Exception):
    """The root of all exceptions raised on purpose."""


class UserError(WardroundError):
    """The person at the keyboard must act: a wrong file, name or setting. The command line exits with 2."""


class MissingExtra(UserError):
    """An optional package is not installed; the message names the command that installs it."""


class CorpusError(UserError):
    """A corpus directory is missing, damaged, of another version, or holds no such thing."""


class AccessDenied(UserError):
    """The caller may not read this patient, or brought nothing that says they may. Never tells whether others exist."""


class ModelError(WardroundError):
    """A model server could not do its part (down, slow, overloaded, garbage). Not the user's mistake."""


class ModelUnavailable(ModelError):
    """No answer from the model server: down, refused, timed out, or still failing after all retries."""


class ModelReplyError(ModelError):
    """The model server answered with something that is not a chat completion."""
