"""MAG in small: SmolLM2-135M tuned on a synthetic cohort with none, regional or global records, on unseen patients.

The model sees no films: what the current film shows is told in words, a text proxy. So this measures whether a small
model learns to read a change from the earlier record, and nothing about images.

    python perf/mag_small.py --out DIR [--patients 500] [--steps 120] [--test 150]

Everything is kept in DIR; the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any, Final

from wardround.corpora.cohort import make_cohort, write_cohort
from wardround.evals.benchmark import Example
from wardround.evals.benchmarks.mmxu import Records, load
from wardround.evals.choices import options_of
from wardround.evals.letters import read_letter
from wardround.evals.statistics import rate
from wardround.settings import get_settings
from wardround.training.base_model import load_base, merged
from wardround.training.config import TrainingConfig
from wardround.training.data import ChatMessage, write_rows
from wardround.training.data.mag import asked, mag_rows
from wardround.training.encoding import plain, render
from wardround.training.run import train
from wardround.training.scoring import write_replies

RECORDS: Final[tuple[Records, ...]] = ("none", "regional", "global")
BATCH: Final = 8


def main() -> None:
    """Make the data, train, test, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--patients", type=int, default=500)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--test", type=int, default=150)
    parser.add_argument("--seed", type=int, default=3)
    told = parser.parse_args()
    cohort = told.out / "cohort"
    if not (cohort / "SHA256SUMS").exists():
        write_cohort(make_cohort(told.patients, told.seed), cohort, images=False)
    for records in RECORDS:
        rows = mag_rows(cohort / "train.jsonl", out=told.out / "x.jsonl", records=records, current="words")
        random.Random(told.seed).shuffle(rows)  # noqa: S311 -- an order, no secret
        file = told.out / f"{records}.jsonl"
        write_rows(rows[: told.steps * BATCH], file)
        config = TrainingConfig(
            kind="sft",
            base="smollm2",
            train=file,
            batch_size=BATCH,
            max_length=1024,
            seed=told.seed,
            warmup=0.1,
            precision="auto",
        )
        train(config, told.out / f"run-{records}", settings=get_settings(), say=print)
        tested(records, cohort, told.out / f"run-{records}" / "adapter", count=told.test, seed=told.seed)


def tested(records: Records, cohort: Path, adapter: Path, *, count: int, seed: int) -> None:
    """The share of right answers on questions about other patients, with its interval; base model and tuned."""
    examples = load(cohort / "test.jsonl", records=records, current="words").examples
    chosen = random.Random(seed).sample(list(examples), count)  # noqa: S311 -- a choice, no secret
    base = load_base("smollm2", settings=get_settings())
    prompts = [rendered(base.tokenizer, example) for example in chosen]
    model: Any = base.model
    for name in ("untuned", "tuned"):
        if name == "tuned":
            model = merged(model, adapter)
        replies = write_replies(model, base.tokenizer, prompts, max_new_tokens=24)
        right = [
            read_letter(reply, options_of(example)).letter == example.gold["answer"]
            for reply, example in zip(replies, chosen, strict=True)
        ]
        figure = rate(right, clusters=[str(example.cluster) for example in chosen])
        low, high = figure.ci or (0.0, 1.0)
        print(f"records {records}, {name}: {figure.value:.3f} [{low:.3f}, {high:.3f}], n = {count}", flush=True)
        print(f"    for example: {replies[0]!r}")


def rendered(tokenizer: Any, example: Example) -> str:
    """The prompt as in training."""
    return render(tokenizer, plain([ChatMessage(role="user", content=asked(example)[0])]), example.id, generation=True)


if __name__ == "__main__":
    main()
