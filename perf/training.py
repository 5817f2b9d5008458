"""How fast the distiller's recipe trains against TRL's defaults: the same rows, steps, optimizer and adapter.

    python perf/training.py

Each runs in a process of its own, one after the other, with as many threads as it has cores. Useful tokens are
those of the rows, without padding. TRL's defaults are random order, gradient
checkpointing, bfloat16 autocast, its loss head; `trl-float32` is the same without checkpointing and bfloat16, which
few CPUs have units for.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import Figure, Options, Result, run_alone
from wardround.errors import UserError
from wardround.settings import get_settings

BATCH = 8
STEPS = 24
WAYS = ("ours", "trl", "trl-float32")
TARGET = 1.5


def measure(options: Options) -> Result:
    """Both ways, each alone; their tokens a second, peak memory and last losses."""
    del options
    name = "Training the distiller: useful tokens a second against TRL's defaults"
    try:
        from wardround.training.base_model import base_folder

        base_folder("smollm2", settings=get_settings())
    except UserError as error:
        return Result(name, skipped=str(error))
    with tempfile.TemporaryDirectory() as folder:
        rows = made_rows(Path(folder))
        found = {way: alone(way, rows, STEPS) for way in WAYS}
    ours, trl, bare = (found[way] for way in WAYS)
    gap = abs(ours["loss"] - trl["loss"])
    figures = [
        Figure("useful tokens a second, ours over TRL's", ours["speed"] / trl["speed"], "times", TARGET, "at least"),
        Figure("over TRL's in float32, without checkpointing", ours["speed"] / bare["speed"], "times"),
        *(Figure(f"{way}: useful tokens a second", told["speed"], "tokens/s") for way, told in found.items()),
        *(Figure(f"{way}: useful tokens a CPU second", told["cpu"], "tokens/s") for way, told in found.items()),
        *(Figure(f"{way}: peak memory", told["peak"], "GB") for way, told in found.items()),
        *(Figure(f"{way}: held-out loss after {STEPS} steps", told["loss"], "nats") for way, told in found.items()),
        Figure("held-out losses apart", gap, "nats"),
    ]
    return Result(name, tuple(figures))


def made_rows(folder: Path) -> Path:
    """Dialogues of the recipe's own generator."""
    from wardround.training.distiller import make_data

    return make_data(folder, settings=get_settings(), count=600).train


def alone(way: str, rows: Path, steps: int) -> dict[str, float]:
    """One way in a process of its own."""
    command = [sys.executable, str(Path(__file__)), "--way", way, "--rows", str(rows), "--steps", str(steps)]
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.strip().splitlines()[-1])


def train(way: str, rows_file: Path, steps: int) -> dict[str, float]:
    """Train, and say how fast, how much memory it took, and how large the loss on 32 other rows is."""
    import torch
    from wardround.training.base_model import load_base
    from wardround.training.config import load_config
    from wardround.training.data import read_sft_rows
    from wardround.training.datasets import sft_dataset
    from wardround.training.run import with_precision
    from wardround.training.trainers import make_trainer

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    rows = read_sft_rows(rows_file)
    config = with_precision(load_config("distiller-135m-cpu", max_steps=steps, batch_size=BATCH, threads=None))
    precision = config.precision if way == "ours" else "float32"  # TRL's trainer computes in bfloat16 by autocast
    base = load_base(config.base, settings=get_settings(), template=config.chat_template, precision=precision)
    learned = sft_dataset(rows[: steps * BATCH], base.tokenizer, max_length=config.max_length, where=rows_file)
    held = sft_dataset(rows[-32:], base.tokenizer, max_length=config.max_length, where=rows_file)
    with tempfile.TemporaryDirectory() as folder:
        if way == "ours":
            trainer = make_trainer(base, config, learned, None, folder=Path(folder))
            trainer.args.save_strategy = "no"
        else:
            trainer = defaults(base, config, learned, Path(folder), bare=way == "trl-float32")
        began, used = time.perf_counter(), time.process_time()
        trainer.train()
        seconds, used = time.perf_counter() - began, time.process_time() - used
    return {
        "speed": sum(learned.lengths) / seconds,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "loss": loss_on(trainer.model, held.dataset),
        "cpu": sum(learned.lengths) / used,
        "seconds": seconds,
    }


def defaults(base: Any, config: Any, learned: Any, folder: Path, *, bare: bool) -> Any:
    """TRL's trainer on the same tokens, with the recipe's adapter and learning rate.

    As it comes, or `bare`: in float32, without gradient checkpointing.
    """
    from peft import LoraConfig
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    lora = LoraConfig(
        r=config.lora.rank, lora_alpha=int(config.lora.alpha), target_modules="all-linear", task_type="CAUSAL_LM"
    )
    told: dict[str, Any] = {"bf16": False, "gradient_checkpointing": False} if bare else {}
    arguments = SFTConfig(
        output_dir=str(folder),
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup,
        max_steps=config.max_steps,
        per_device_train_batch_size=BATCH,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        seed=config.seed,
        **told,
    )
    return SFTTrainer(
        model=base.model,
        args=arguments,
        train_dataset=learned.dataset.remove_columns(["weight"]),
        processing_class=base.processor,
        peft_config=lora,
    )


def loss_on(model: Any, dataset: Any) -> float:
    """The mean loss of the labelled tokens, from the model's own logits, row by row."""
    import torch

    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for row in dataset:
            labels = torch.tensor([row["labels"]])
            learned = int((labels[:, 1:] != -100).sum())
            total += model(input_ids=torch.tensor([row["input_ids"]]), labels=labels).loss.item() * learned
            count += learned
    return total / count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    told, _ = parser.parse_known_args()
    if told.way:
        print(json.dumps(train(told.way, told.rows, told.steps)))
    else:
        run_alone(measure, __doc__, {})
