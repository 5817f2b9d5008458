"""From chat messages to tokens and labels, so that exactly what the model has to write is learned.

A prompt is tokenized by itself and a reply by itself, as when a server reads the one and the model writes the other:
no token straddles the border. A reply's last learned token is the one that ends the turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from ..errors import UserError
from .data import ChatMessage, PreferenceRow, SftRow

IGNORED: Final = -100
"""The label of a token that is not learned (PyTorch's)."""


class Encoded(NamedTuple):
    """A row as tokens."""

    input_ids: list[int]
    labels: list[int]
    """The token itself where it is learned, else -100; the trainer shifts them."""


class EncodedPair(NamedTuple):
    """A preference pair as tokens."""

    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]


def plain(messages: Iterable[ChatMessage]) -> list[dict[str, Any]]:
    """Messages as chat templates read them."""
    return [
        {"role": m.role, "content": m.content}
        | ({"tool_calls": [call.model_dump(exclude={"id"}) for call in m.tool_calls]} if m.tool_calls else {})
        | ({"tool_call_id": m.tool_call_id} if m.tool_call_id else {})
        for m in messages
    ]


def encode(row: SftRow, tokenizer: Any) -> Encoded:
    """A demonstration: all turns, of which the assistant's are learned.

    Raises:
        UserError: the chat template refuses the row, or renders a turn differently once others follow it.
    """
    messages = plain(row.messages)
    ids: list[int] = []
    labels: list[int] = []
    done = ""
    for place, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt = render(tokenizer, messages[:place], row.id, generation=True) if place else ""
        whole = render(tokenizer, messages[: place + 1], row.id)
        if not prompt.startswith(done) or not whole.startswith(prompt):
            raise UserError(
                f"row `{row.id}`: the chat template writes turn {place + 1} differently once it stands in the history: "
                "make one row for each turn of the assistant"
            )
        told, (said, rest) = prompt[len(done) :], _ended(whole[len(prompt) :], tokenizer)
        for text, learned in ((told, False), (said, True)):
            tokens = tokenize(tokenizer, text)
            ids += tokens
            labels += tokens if learned else [IGNORED] * len(tokens)
        done = whole[: len(whole) - len(rest)]
    return Encoded(ids, labels)


def encode_pair(row: PreferenceRow, tokenizer: Any) -> EncodedPair:
    """A preference pair: the prompt and what may follow it, each up to the token that ends the turn.

    Raises:
        UserError: as `encode`.
    """
    messages = plain(row.prompt)
    prompt = render(tokenizer, messages, row.id, generation=True)
    replies: list[list[int]] = []
    for turns in (row.chosen, row.rejected):
        whole = render(tokenizer, messages + plain(turns), row.id)
        if not whole.startswith(prompt):
            raise UserError(f"row `{row.id}`: the chat template writes the prompt differently before a reply")
        replies.append(tokenize(tokenizer, _ended(whole[len(prompt) :], tokenizer)[0]))
    return EncodedPair(tokenize(tokenizer, prompt), replies[0], replies[1])


def prompt_text(row: SftRow, tokenizer: Any) -> str:
    """What the model is shown before the row's last turn."""
    return render(tokenizer, plain(row.messages[:-1]), row.id, generation=True)


def render(tokenizer: Any, messages: Sequence[dict[str, Any]], row: str, *, generation: bool = False) -> str:
    """The messages in the chat template's words.

    Raises:
        UserError: the template refuses them.
    """
    from jinja2 import TemplateError

    try:
        return tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=generation)
    except (TemplateError, TypeError, ValueError) as error:
        raise UserError(
            f"row `{row}`: the chat template cannot write it ({str(error)[:120]}): choose another `chat_template`"
        ) from None


def tokenize(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a rendered text, which has its special tokens already."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []


def _ended(reply: str, tokenizer: Any) -> tuple[str, str]:
    """A rendered reply up to the token that ends the turn, and the rest (mostly a line break) that nobody writes."""
    end = reply.rfind(tokenizer.eos_token)
    if end < 0:
        return reply, ""
    cut = end + len(tokenizer.eos_token)
    return reply[:cut], reply[cut:]
