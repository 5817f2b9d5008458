"""The one door to chat models: specs, profiles, structured replies, and the model store.

Heavy parts load when they are used. Scripts for tests: `wardround.models.script`; engines of your own:
`wardround.models.llamacpp`.
"""

from .profile import ModelProfile, declared_profile, profile_of
from .roles import for_role
from .spec import chat_model
from .store import KnownModel, find, known, pull
from .structured import find_object, structured_reply

__all__ = [
    "KnownModel",
    "ModelProfile",
    "chat_model",
    "declared_profile",
    "find",
    "find_object",
    "for_role",
    "known",
    "profile_of",
    "pull",
    "structured_reply",
]
