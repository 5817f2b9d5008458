"""How a role calls its model: named, so that traces and scripted models know who speaks, and without side channels."""

from __future__ import annotations

from typing import Final

from langchain_core.runnables import RunnableConfig, patch_config

from .prompting import Prompt

ROLE_KEY: Final = "wardround_role"
"""Key in a call's metadata: the role that makes it. `scripted:FILE` matches on it."""
PROMPT_KEY: Final = "wardround_prompt"
"""Key in a call's metadata: name and hash of the prompt file."""


def role_config(config: RunnableConfig, role: str, prompt: Prompt) -> RunnableConfig:
    """The node's `config` for a model call of `role`.

    The tag `nostream` keeps the model's raw tokens out of LangGraph's `messages` stream: what a role says leaves the
    graph as checked sentences, never as it comes.
    """
    metadata = {**(config.get("metadata") or {}), ROLE_KEY: role, PROMPT_KEY: f"{prompt.name}@{prompt.sha256}"}
    tags = [*(config.get("tags") or []), "nostream"]
    return patch_config({**config, "metadata": metadata, "tags": tags}, run_name=role)
