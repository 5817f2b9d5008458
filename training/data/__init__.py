"""Training data: one row format, and where rows come from."""

from .rows import (
    ChatMessage,
    PreferenceRow,
    SftRow,
    ToolCall,
    read_preference_rows,
    read_sft_rows,
    write_rows,
)

__all__ = [
    "ChatMessage",
    "PreferenceRow",
    "SftRow",
    "ToolCall",
    "read_preference_rows",
    "read_sft_rows",
    "write_rows",
]
