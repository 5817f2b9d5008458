"""What transformers and PEFT make of prompts: run in the environment of vLLM, which has both. Request on stdin, a JSON
object with `prompts` (lists of messages), `adapters` (name to folder) and `tokens`; on stdout, for each adapter and the
base (name ``), for each prompt, the tokens of a greedy reply with the logarithm of their probabilities."""

from __future__ import annotations

import json
import sys
from typing import Any


def greedy(model: Any, ids: Any, tokens: int, end: int) -> list[tuple[int, float]]:
    """The reply step by step: (token, log probability)."""
    import torch

    made: list[tuple[int, float]] = []
    cache = None
    with torch.inference_mode():
        while len(made) < tokens:
            reply = model(input_ids=ids, past_key_values=cache, use_cache=True)
            logprobs = torch.log_softmax(reply.logits[0, -1].float(), dim=-1)
            token = int(logprobs.argmax())
            made.append((token, float(logprobs[token])))
            if token == end:
                break
            ids, cache = torch.tensor([[token]]), reply.past_key_values
    return made


def main() -> None:
    """Answer the request."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)  # several wait for each other at every layer; the server beside it has the other core
    request = json.load(sys.stdin)
    tokenizer: Any = AutoTokenizer.from_pretrained(sys.argv[1])
    prompts = [
        tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        for prompt in request["prompts"]
    ]
    plain: Any = AutoModelForCausalLM.from_pretrained(sys.argv[1]).eval()

    def replies(model: Any) -> list[list[tuple[int, float]]]:
        return [greedy(model, prompt["input_ids"], request["tokens"], tokenizer.eos_token_id) for prompt in prompts]

    found = {"": replies(plain)}
    model: Any = None
    for name, folder in request["adapters"].items():
        if model is None:
            model = PeftModel.from_pretrained(plain, folder, adapter_name=name).eval()
        else:
            model.load_adapter(folder, adapter_name=name)
        model.set_adapter(name)
        found[name] = replies(model)
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
