"""No calls home, and no checkpoints that name foreign types: the environment that the packages below us read, and what
programs that we start inherit of it.

Why this is the one place that writes the environment: docs/decisions/0004-quiet.md.
"""

from __future__ import annotations

import os

DEFAULTS = {
    # Refuse types in checkpoints that nobody allowed (CVE-2026-28277). Read once, when langgraph is imported.
    "LANGGRAPH_STRICT_MSGPACK": "true",
    # Chroma's usage reports.
    "ANONYMIZED_TELEMETRY": "False",
    # transformers, datasets and the like look models up on the hub, even ones that lie in the cache.
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # vLLM's and Ray's usage reports, in the servers that we start.
    "VLLM_NO_USAGE_STATS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Honoured by several of them.
    "DO_NOT_TRACK": "1",
}
"""The variables and their quiet values."""

TRACING = ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING")
"""The variables by which LangSmith may be told to upload every prompt and answer; the first one set decides."""


def keep_quiet() -> dict[str, str]:
    """Set what is unset in the environment to its quiet value; a value that somebody chose stays.

    Returns the variables that are set to something else, for a person to look at: with one of them, data may leave
    the machine or a checkpoint may name any type. Calling it again changes nothing. For LangGraph it must be called
    before `langgraph` is imported.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if not any(os.environ.get(name) for name in TRACING):
        os.environ[TRACING[2]] = "false"
    loud = {name: os.environ[name] for name, value in DEFAULTS.items() if os.environ[name].lower() != value.lower()}
    return loud | {name: os.environ[name] for name in TRACING if os.environ.get(name, "").lower() == "true"}


def count_together(folder: str) -> None:
    """Let the processes that are started from here on count their metrics into one folder: the Prometheus client asks
    the environment for it, once, when it is imported."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def inherited(*, settings: bool, **defaults: str) -> dict[str, str]:
    """The environment for a program that we start, with `defaults` for what nobody has set.

    `settings`: whether our own settings go along, as they should to ourselves and not to others.
    """
    kept = {name: value for name, value in os.environ.items() if settings or not name.startswith("WARDROUND_")}
    return defaults | kept
