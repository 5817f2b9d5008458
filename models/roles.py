"""One model, several roles: which of a server's adapters answers for a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .profile import profile_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel, LanguageModelInput
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable


def for_role(model: BaseChatModel, role: str) -> Runnable[LanguageModelInput, AIMessage]:
    """The model with the adapter that its profile names for `role`, or as it is where none is named.

    An adapter is asked for by its name in the request's `model`, as vLLM serves LoRA modules; the embedded engine
    understands the same.
    """
    adapter = profile_of(model).adapters.get(role)
    return model if adapter is None else model.bind(model=adapter)
