"""Asks the installed vLLM, in its own environment, two things that no client can see; the answers as JSON."""

from __future__ import annotations

import json
import sys


def refused(url: str, domain: str) -> str:
    """Why vLLM does not fetch an image; empty if it does."""
    from vllm.multimodal.media import MediaConnector  # pyright: ignore[reportMissingImports]

    try:
        MediaConnector(allowed_media_domains=[domain]).fetch_image(url)
    except ValueError as error:
        return str(error)
    return ""


def main() -> None:
    """Answer."""
    from vllm.reasoning import ReasoningParserManager  # pyright: ignore[reportMissingImports]
    from vllm.tool_parsers import ToolParserManager  # pyright: ignore[reportMissingImports]

    facts = {
        "tools": ToolParserManager.list_registered(),
        "reasoning": ReasoningParserManager.list_registered(),
        "refused": refused(sys.argv[1], sys.argv[2]),
    }
    print(json.dumps(facts))  # noqa: T201


if __name__ == "__main__":
    main()
