"""The forward pass of training where most tokens are prompt: what need not be computed is not.

TRL asks a model for the log-probabilities of labels (`fused_lm_head=True`). On a GPU its Triton kernel scores only the
positions that have a label; elsewhere it projects every position onto the whole vocabulary. Here only positions with
a label are projected, and what all prompts of a batch begin with (instructions, tool schemas) runs through the model
once, as a key-value cache that the rows share. Causal attention makes both exact: tests compare losses and gradients.
"""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from torch import Tensor

_WORTH_SHARING: Final = 64
"""Tokens saved in a batch below which a second pass costs more than it saves."""
_CHUNK: Final = 1024
"""Positions projected at once; beyond it logits are made again for the backward pass."""


def add_lean_head(model: Any, *, share_prefix: bool) -> None:
    """Replace how `model(..., fused_lm_head=True)` is computed. Call it after TRL's trainer has added its own.

    Args:
        model: a causal language model; where it is none of plain attention over text, prefixes are not shared.
        share_prefix: compute the common beginning of a batch once.
    """
    fused = model.forward
    shareable = share_prefix and _plain_attention(model)

    @functools.wraps(type(model).forward)
    def forward(
        self: Any, *args: Any, fused_lm_head: bool = False, loss_weights: Tensor | None = None, **kwargs: Any
    ) -> Any:
        if not fused_lm_head:
            return fused(*args, **kwargs)
        if self.device.type == "cpu" and not args and kwargs.get("shift_labels") is None:
            found = _lean(self, shareable=shareable, **kwargs)
        else:
            found = fused(*args, fused_lm_head=True, **kwargs)
        if loss_weights is not None:
            found.log_probs = found.log_probs * loss_weights[:, None]
        return found

    model.forward = types.MethodType(forward, model)


def shared_length(input_ids: Tensor, attention_mask: Tensor | None, labels: Tensor) -> int:
    """How many tokens all rows begin with, up to the one before the first label's predecessor.

    The hidden state that predicts a label must come from the row's own part.
    """
    rows, length = input_ids.shape
    if rows < 2:
        return 0
    same = (input_ids == input_ids[:1]).all(0)
    if attention_mask is not None:
        same = same & (attention_mask == 1).all(0)
    labelled = (labels != -100).any(0)
    stops = (~same) | labelled
    end = int(stops.int().argmax()) if bool(stops.any()) else length
    shared = min(end - 1, length - 2)
    return shared if shared * (rows - 1) >= _WORTH_SHARING else 0


def _lean(
    model: Any,
    *,
    shareable: bool,
    input_ids: Tensor,
    labels: Tensor,
    attention_mask: Tensor | None = None,
    num_items_in_batch: Any = None,
    **kwargs: Any,
) -> Any:
    from trl.trainer.utils import FusedCausalLMOutput

    del num_items_in_batch  # the trainer divides
    kwargs.pop("use_cache", None)
    may_share = shareable and not (model.training and model.is_gradient_checkpointing) and not kwargs
    shared = shared_length(input_ids, attention_mask, labels) if may_share else 0
    if shared:
        hidden = _after_prefix(model, input_ids, attention_mask, shared)
    else:
        hidden = model.base_model(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False, **kwargs
        ).last_hidden_state
    mask = labels[:, 1:] != -100
    # Position `shared + n` of a row is its n-th hidden state; no label is predicted by an earlier one.
    log_probs, entropy, top, mean = _score(model, hidden[:, :-1][mask[:, shared:]], labels[:, 1:][mask])

    def spread(values: Tensor) -> Tensor:
        return values.new_zeros(mask.shape).masked_scatter(mask, values)

    spread_log_probs = spread(log_probs)
    return FusedCausalLMOutput(
        loss=-spread_log_probs.sum() / mask.sum().clamp(min=1),
        log_probs=spread_log_probs,
        entropy=spread(entropy),
        is_top1=spread(top),
        mean_logits=spread(mean),
        label_mask=mask,
    )


def _after_prefix(model: Any, input_ids: Tensor, attention_mask: Tensor | None, shared: int) -> Tensor:
    """The hidden states of the rows after their common beginning."""
    import torch
    from transformers import DynamicCache

    rows, length = input_ids.shape
    cache: Any = DynamicCache(config=model.config)
    model.base_model(input_ids=input_ids[:1, :shared], use_cache=True, past_key_values=cache)
    for layer in cache.layers:
        layer.keys = layer.keys.expand(rows, -1, -1, -1)
        layer.values = layer.values.expand(rows, -1, -1, -1)
    positions = torch.arange(shared, length, device=input_ids.device)[None].expand(rows, -1)
    return model.base_model(
        input_ids=input_ids[:, shared:],
        attention_mask=attention_mask,
        position_ids=positions,
        use_cache=True,
        past_key_values=cache,
    ).last_hidden_state


def _score(model: Any, hidden: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
    """Log-probability of each label; of each prediction the entropy, whether it is right, and the mean logit."""
    import torch
    from torch.utils.checkpoint import checkpoint

    head = model.get_output_embeddings()

    def log_probs_of(states: Tensor, wanted: Tensor) -> tuple[Tensor, ...]:
        logits = head(states).float()
        every = torch.log_softmax(logits, dim=-1)
        with torch.no_grad():
            entropy = -(every.exp() * every).sum(-1)
            top = every.argmax(-1) == wanted
            mean = logits.mean(-1)
        return every.gather(-1, wanted[:, None])[:, 0], entropy, top, mean

    if len(labels) <= _CHUNK:
        return log_probs_of(hidden, labels)
    parts: list[Any] = [
        checkpoint(log_probs_of, states, wanted, use_reentrant=False)
        for states, wanted in zip(hidden.split(_CHUNK), labels.split(_CHUNK), strict=True)
    ]
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))


def _plain_attention(model: Any) -> bool:
    """Whether all layers keep keys and values of all positions, and scores are the plain head's."""
    from transformers import DynamicCache

    if model.config.get_text_config() is not model.config:
        return False
    cache: Any = DynamicCache(config=model.config)
    return all(type(layer).__name__ == "DynamicLayer" for layer in cache.layers) and len(cache.layers) > 0
