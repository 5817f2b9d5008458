"""Do transformers and llama.cpp say the same with an adapter? Log-probabilities compared, token by token.

llama.cpp computes with 4-bit weights and 8-bit activations where transformers has the same weights in 32 bit, so they
never agree to the last digit. What must agree is what the next token is, and how likely.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

TOP: Final = 10
"""Tokens compared at each position: the likeliest of transformers."""
_LIKELIEST: Final = 200
"""Tokens that llama.cpp tells the probabilities of."""
TOLERANCE: Final = 0.25
"""Nats by which the mean log-probability of those tokens may differ."""
SAME_FIRST: Final = 0.9
"""The share of positions whose likeliest token must be the same."""


class Agreement(NamedTuple):
    """What a comparison came to."""

    positions: int
    same_first: float
    """Share of positions with the same likeliest token."""
    mean_difference: float
    """Mean absolute difference of log-probabilities, in nats, weighted by the tokens' probability."""
    largest_difference: float
    """The largest of tokens that are at least 1 % likely."""

    @property
    def holds(self) -> bool:
        """Whether it is within what is stated here."""
        return self.same_first >= SAME_FIRST and self.mean_difference <= TOLERANCE


def compare(
    texts: Sequence[tuple[str, str]], *, base: Path, adapter: Path | None, gguf: Path, gguf_lora: Path | None
) -> Agreement:
    """Compare the next-token distributions along replies.

    Args:
        texts: (prompt, reply), rendered by the chat template; every token of a reply is a position.
        base: the model's folder for transformers.
        adapter: PEFT's folder, or None.
        gguf: the same model for llama.cpp.
        gguf_lora: the same adapter for llama.cpp, or None.

    Raises:
        ImportError: without torch, transformers, peft or xllamacpp.
    """
    import numpy as np
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    encoded = [
        (tokenizer(p, add_special_tokens=False).input_ids, tokenizer(r, add_special_tokens=False).input_ids)
        for p, r in texts
    ]
    expected = _transformers(encoded, base, adapter)
    server = _llamacpp(gguf, gguf_lora)
    same, differences, weights, largest = 0, [], [], 0.0
    for (prompt, reply), rows in zip(encoded, expected, strict=True):
        for place, row in enumerate(rows):
            found = _next_token(server, [*prompt, *reply[:place]])
            best = np.argsort(-row)[:TOP]
            same += max(found, key=lambda token: found[token]) == int(best[0])
            for token in best:
                if int(token) in found:
                    difference = abs(found[int(token)] - float(row[token]))
                    differences.append(difference)
                    weights.append(float(np.exp(row[token])))
                    largest = max(largest, difference if weights[-1] >= 0.01 else 0.0)
    positions = sum(len(rows) for rows in expected)
    return Agreement(positions, same / positions, float(np.average(differences, weights=weights)), largest)


def _transformers(encoded: Sequence[tuple[list[int], list[int]]], base: Path, adapter: Path | None) -> list[Any]:
    import torch
    from transformers import AutoModelForCausalLM

    from .base_model import merged

    model: Any = AutoModelForCausalLM.from_pretrained(base)
    if adapter is not None:
        model = merged(model, adapter)
    rows: list[Any] = []
    with torch.no_grad():
        for prompt, reply in encoded:
            logits = model(torch.tensor([[*prompt, *reply]])).logits[0, len(prompt) - 1 : -1]
            rows.append(torch.log_softmax(logits.float(), dim=-1).numpy())
    return rows


def _llamacpp(gguf: Path, lora: Path | None) -> Any:
    import xllamacpp

    library: Any = xllamacpp
    params: Any = library.CommonParams()
    params.model.path = str(gguf)
    params.n_ctx, params.n_parallel, params.warmup, params.verbosity = 2048, 1, False, -1
    params.hostnames, params.port, params.offline = ["127.0.0.1"], 0, True
    params.ui = params.endpoint_slots = False
    if lora is not None:
        params.lora_adapters = [library.CommonAdapterLoraInfo(str(lora), 1.0)]
    return library.Server(params)


def _next_token(server: Any, tokens: list[int]) -> dict[int, float]:
    told = server.handle_completions({"prompt": tokens, "max_tokens": 1, "logprobs": _LIKELIEST, "temperature": 0.0})
    found = told["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {entry["id"]: entry["logprob"] for entry in found}
