"""What is learned is what the model has to write: to the token."""

from __future__ import annotations

import pytest
from tiny_model import tokenizer
from wardround.errors import UserError
from wardround.training.base_model import chat_template
from wardround.training.data import ChatMessage, PreferenceRow, SftRow
from wardround.training.data.rows import ToolCall, ToolFunction
from wardround.training.encoding import IGNORED, encode, encode_pair


def turns(*told: str) -> tuple[ChatMessage, ...]:
    roles = ("user", "assistant")
    return tuple(ChatMessage(role=roles[place % 2], content=text) for place, text in enumerate(told))


def learned(row: SftRow, tokens: object) -> list[str]:
    """The runs of learned tokens, as text."""
    found = encode(row, tokens)
    runs: list[list[int]] = [[]]
    for token, label in zip(found.input_ids, found.labels, strict=True):
        assert label in (IGNORED, token)
        if label == IGNORED:
            runs.append([])
        else:
            runs[-1].append(token)
    return [tokens.decode(run) for run in runs if run]  # pyright: ignore[reportAttributeAccessIssue]


def test_the_assistant_s_turns_are_learned_up_to_the_token_that_ends_them() -> None:
    row = SftRow(id="a", messages=turns("hi", "Good day.", "why?", "Because 中."))
    assert learned(row, tokenizer()) == ["Good day.<|im_end|>", "Because 中.<|im_end|>"]


def test_the_tokens_are_those_of_the_whole_conversation() -> None:
    tokens = tokenizer()
    row = SftRow(id="a", messages=turns("hi", "Good day.", "why?", "Because."))
    text = "".join(f"<|im_start|>{m.role}\n{m.content}<|im_end|>\n" for m in row.messages).rstrip("\n")
    assert encode(row, tokens).input_ids == tokens(text)["input_ids"]


def test_a_tool_call_is_learned_as_the_template_writes_it() -> None:
    call = ToolCall(function=ToolFunction(name="search", arguments={"medicine": "阿司匹林"}))
    row = SftRow(id="a", messages=(*turns("aspirin?"), ChatMessage(role="assistant", tool_calls=(call,))))
    tokens = tokenizer()
    tokens.chat_template = chat_template("chatml-tools")
    written = '<tool_call>\n{"name": "search", "arguments": {"medicine": "阿司匹林"}}\n</tool_call><|im_end|>'
    assert learned(row, tokens) == [written]


def test_a_template_that_rewrites_history_is_refused() -> None:
    tokens = tokenizer()
    tokens.chat_template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content if loop.last else '...' }}<|im_end|>{% endfor %}"
    )
    with pytest.raises(UserError, match="one row for each turn"):
        encode(SftRow(id="a", messages=turns("hi", "Good day.", "why?", "Because.")), tokens)


def test_a_template_that_refuses_a_row_is_named() -> None:
    tokens = tokenizer()
    tokens.chat_template = "{{ raise_exception('no such role') }}"
    with pytest.raises(UserError, match=r"row `a`: the chat template cannot write it \(no such role\)"):
        encode(SftRow(id="a", messages=turns("hi", "Good day.")), tokens)


def test_both_replies_of_a_pair_end_with_the_turn() -> None:
    tokens = tokenizer()
    row = PreferenceRow(
        id="a",
        prompt=turns("why?"),
        chosen=(ChatMessage(role="assistant", content="so"),),
        rejected=(ChatMessage(role="assistant", content="no idea"),),
    )
    pair = encode_pair(row, tokens)
    assert tokens.decode(pair.prompt_ids) == "<|im_start|>user\nwhy?<|im_end|>\n<|im_start|>assistant\n"
    assert [tokens.decode(ids) for ids in (pair.chosen_ids, pair.rejected_ids)] == ["so<|im_end|>", "no idea<|im_end|>"]
