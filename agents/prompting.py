"""Prompts are files, named by what they are for and versioned by the hash of their text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

_EXAMPLE = "\n\nuser: "


@dataclass(frozen=True)
class Prompt:
    """The unchanging part of what a role says to its model; it comes first, so servers can reuse their prefix cache."""

    name: str
    text: str
    sha256: str
    """First 12 hex digits of the text's hash: goes into traces and manifests."""

    def messages(self) -> list[BaseMessage]:
        """The instruction, and each example (`user: ...`, the reply on the next line) as a pair of turns."""
        instruction, *examples = self.text.split(_EXAMPLE)
        found: list[BaseMessage] = [SystemMessage(instruction)]
        for example in examples:
            asked, replied = example.split("\n", 1)
            found += [HumanMessage(asked), AIMessage(replied)]
        return found


@cache
def prompt(name: str) -> Prompt:
    """The prompt `agents/prompts/<name>.md`."""
    text = (files("wardround.agents") / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip()
    return Prompt(name, text, hashlib.sha256(text.encode()).hexdigest()[:12])
