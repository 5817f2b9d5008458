"""How good the model is on held-out rows in what counts: the replies it writes, not the loss."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from .base_model import Base
from .config import EvaluationSettings
from .data import SftRow
from .encoding import prompt_text

_TOGETHER: Final = 16
"""Prompts that are answered at once."""
_CALL: Final = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)
_LETTER: Final = re.compile(r"\b([A-J])\b")


def reply_score(rows: Sequence[SftRow], base: Base, settings: EvaluationSettings) -> Callable[[Any], float] | None:
    """A function from the model to the share of rows it answers right, or None where the loss is the score."""
    right = {"calls": same_calls, "letter": same_letter, "exact": same_text}.get(settings.score)
    if right is None:
        return None
    chosen = [row for row in rows if not row.images][: settings.limit]
    prompts = [prompt_text(row, base.tokenizer) for row in chosen]

    def score(model: Any) -> float:
        replies = write_replies(model, base.tokenizer, prompts, max_new_tokens=settings.max_new_tokens)
        return sum(right(row, reply) for row, reply in zip(chosen, replies, strict=True)) / len(chosen)

    return score if chosen else None


def write_replies(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    say: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """A reply to each rendered prompt, without the token that ends it.

    Args:
        model: the model.
        tokenizer: its tokenizer.
        prompts: as the chat template renders them.
        max_new_tokens: the longest reply.
        temperature: 0 gives the likeliest reply; else replies are sampled, the same for the same `torch.manual_seed`.
        say: told how many are done.
    """
    import torch

    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    replies = [""] * len(prompts)
    training = model.training
    model.eval()
    padding, tokenizer.padding_side = tokenizer.padding_side, "left"
    try:
        for start in range(0, len(order), _TOGETHER):
            part = order[start : start + _TOGETHER]
            batch = tokenizer([prompts[i] for i in part], return_tensors="pt", padding=True, add_special_tokens=False)
            batch = batch.to(model.device)
            with torch.inference_mode():
                # The processes of a distributed run write the same replies, so none waits for another.
                written = model.generate(
                    **batch,
                    max_new_tokens=max_new_tokens,
                    pad_token_id=tokenizer.pad_token_id,
                    **({"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}),
                )
            texts = tokenizer.batch_decode(written[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
            for index, text in zip(part, texts, strict=True):
                replies[index] = text.strip()
            say(f"{start + len(part)} of {len(order)} replies")
    finally:
        tokenizer.padding_side = padding
        model.train(training)
    return replies


def same_calls(row: SftRow, reply: str) -> bool:
    """Whether the reply makes the calls of the row's last turn, or is the same JSON; of neither, the same text."""
    target = row.messages[-1]
    if target.tool_calls:
        wanted = [{"name": call.function.name, "arguments": call.function.arguments} for call in target.tool_calls]
        found = [_parsed(call) for call in _CALL.findall(reply)]
        return found == wanted
    wanted_json = _parsed(target.content)
    return _parsed(reply) == wanted_json if wanted_json is not None else same_text(row, reply)


def same_letter(row: SftRow, reply: str) -> bool:
    """Whether the last option letter named is that of the row's last turn."""
    wanted, found = _LETTER.findall(row.messages[-1].content), _LETTER.findall(reply)
    return bool(wanted and found) and wanted[-1] == found[-1]


def same_text(row: SftRow, reply: str) -> bool:
    """Whether the reply is that of the row's last turn, but for space around it."""
    return row.messages[-1].content.strip() == reply.strip()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
