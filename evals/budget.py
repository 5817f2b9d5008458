"""What a run may cost: tokens, time, money. When it is spent, no further example begins."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from .result import Result


@dataclass
class Spent:
    """What one session of a run has cost."""

    input_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0
    since: float = field(default_factory=time.monotonic)

    def add(self, result: Result) -> None:
        """Add one result's usage, its judge's included."""
        for kind in ("input_tokens", "output_tokens", "model_calls"):
            used = result.usage.get(kind, 0) + result.usage.get(f"judge_{kind}", 0)
            setattr(self, kind, getattr(self, kind) + used)


class Budget(BaseModel):
    """Limits for one session; None: no limit."""

    model_config = ConfigDict(frozen=True)
    tokens: int | None = Field(default=None, gt=0)
    """In and out together."""
    seconds: float | None = Field(default=None, gt=0)
    money: float | None = Field(default=None, gt=0)
    """In the currency of the prices."""
    price_in: float = Field(default=0.0, ge=0)
    """For a million tokens in."""
    price_out: float = Field(default=0.0, ge=0)
    """For a million tokens out."""

    def cost(self, spent: Spent) -> float:
        """What the tokens cost by the prices given."""
        return (spent.input_tokens * self.price_in + spent.output_tokens * self.price_out) / 1e6

    def spent(self, spent: Spent) -> str:
        """Which limit is reached, in words; empty while none is."""
        tokens = spent.input_tokens + spent.output_tokens
        if self.tokens is not None and tokens >= self.tokens:
            return f"the budget of {self.tokens:,} tokens is spent ({tokens:,})"
        if self.seconds is not None and time.monotonic() - spent.since >= self.seconds:
            return f"the budget of {self.seconds:g} seconds is spent"
        if self.money is not None and self.cost(spent) >= self.money:
            return f"the budget of {self.money:g} is spent ({self.cost(spent):.2f})"
        return ""
