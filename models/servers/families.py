"""Which of vLLM's parsers read a model's tool calls and thinking. They differ by family and nothing in the weights
says which, so this is a table, checked against the parsers of the installed vLLM by tests/vllm.

Sources: vLLM's documentation of tool calling and reasoning outputs, and the model cards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...errors import UserError

NONE: Final = "none"
"""The word for `no parser` on the command line."""


class Parsers(NamedTuple):
    """Names as vLLM has them; None where the family has no such thing."""

    tools: str | None
    reasoning: str | None


_FAMILIES: Final[tuple[tuple[str, str | None, str | None], ...]] = (
    # Special ones stand before the families that they come from.
    (r"deepseek-r1-distill|deepseek-r1-0528-qwen", None, "deepseek_r1"),
    (r"huatuogpt|meditron|med42|internvl|medgemma|gemma-?3|baichuan", None, None),
    (r"gpt-oss", "openai", "openai_gptoss"),
    (r"qwen3-?coder", "qwen3_coder", None),
    (r"qwen-?3\.[5-9]", "qwen3_coder", "qwen3"),
    (r"qwen3.*instruct", "hermes", None),
    (r"qwen-?3", "hermes", "qwen3"),
    (r"qwq", "hermes", "deepseek_r1"),
    (r"qwen-?2", "hermes", None),
    (r"deepseek-v4", "deepseek_v4", "deepseek_v4"),
    (r"deepseek-v3\.2", "deepseek_v32", "deepseek_v3"),
    (r"deepseek-v3\.1", "deepseek_v31", "deepseek_v3"),
    (r"deepseek-v3", "deepseek_v3", None),
    (r"deepseek-r1", "deepseek_v3", "deepseek_r1"),
    (r"llama-?4", "llama4_pythonic", None),
    (r"llama-?3", "llama3_json", None),
    (r"magistral", "mistral", "mistral"),
    (r"mistral|ministral|mixtral|pixtral|devstral", "mistral", None),
    (r"functiongemma", "functiongemma", None),
    (r"gemma-?4", "gemma4", "gemma4"),
    (r"glm-?4\.7", "glm47", "glm45"),
    (r"glm-?4\.[56]", "glm45", "glm45"),
    (r"kimi-?k3", "kimi_k3", "kimi_k3"),
    (r"kimi-?k2.*thinking", "kimi_k2", "kimi_k2"),
    (r"kimi-?k2", "kimi_k2", None),
    (r"minimax-?m2", "minimax_m2", "minimax_m2"),
    (r"granite-?4", "granite4", None),
    (r"granite-?3", "granite", None),
    (r"phi-?4-?mini", "phi4_mini_json", None),
    (r"phi-?4-?reasoning", None, "deepseek_r1"),
    (r"phi-?4", None, None),
    (r"internlm", "internlm", None),
    (r"olmo-?3.*think", "olmo3", "olmo3"),
    (r"olmo-?3", "olmo3", None),
    (r"seed-?oss", "seed_oss", "seed_oss"),
    (r"smollm2|hermes", "hermes", None),
)


def known_parsers() -> list[Parsers]:
    """Every row of the table."""
    return [Parsers(tools, reasoning) for _, tools, reasoning in _FAMILIES]


def parsers_for(names: Sequence[str], *, tools: str | None = None, reasoning: str | None = None) -> Parsers:
    """The parsers of the model that `names` stand for, the first name that is known deciding.

    `tools` and `reasoning` are what the user chose; `none` stands for no parser, None for the table's.

    Raises:
        UserError: no name is known, and the user did not say how its tool calls are read.
    """
    found = next((parsers for name in names if (parsers := _by_name(name))), None)
    if found is None and tools is None:
        raise UserError(
            f"no tool-call parser is known for `{names[0]}`: name vLLM's with `--tool-parser`, such as `hermes`, or "
            f"`--tool-parser {NONE}` for a model that calls no tools"
        )
    found = found or Parsers(None, None)
    return Parsers(_chosen(tools, found.tools), _chosen(reasoning, found.reasoning))


def names_of(model: str) -> list[str]:
    """What may name the family of a model: its id or folder, and what its `config.json` says of itself."""
    folder = Path(model).expanduser()
    names = [model if not folder.is_dir() else folder.resolve().name]
    config = folder / "config.json"
    if config.is_file():
        try:
            said: Any = json.loads(config.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"`{config}` cannot be read ({error}): name a folder with a whole model") from None
        if isinstance(said, dict):
            names += [str(said[key]) for key in ("_name_or_path", "model_type") if said.get(key)]
    return names


def _by_name(name: str) -> Parsers | None:
    # Of an id or a path only the last part counts: an organisation may be called like a family.
    low = name.rstrip("/").rpartition("/")[2].lower().replace("_", "-")
    for pattern, tools, reasoning in _FAMILIES:
        if re.search(pattern, low):
            return Parsers(tools, reasoning)
    return None


def _chosen(given: str | None, usual: str | None) -> str | None:
    return usual if given is None else None if given == NONE else given
