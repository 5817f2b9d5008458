"""The curves of a run as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from .folder import curve, read_log

_SMOOTHED: Final = 20
"""Steps that the smoothed training loss is a running mean of."""


def draw_curves(folder: Path) -> Path:
    """Losses, held-out scores and learning rate over the optimizer steps, drawn from the log into `curves.png`."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    log = read_log(folder)
    loss, held = curve(log, "loss"), curve(log, "eval_loss")
    scores = [
        (name, points)
        for name in ("eval_score", "eval_rewards/accuracies", "eval_mean_token_accuracy")
        if (points := curve(log, name))
    ]
    figure = Figure(figsize=(9, 3.6 if not scores else 6.4), layout="constrained")
    axes: Any = figure.subplots(2 if scores else 1, 1, sharex=True, squeeze=False)[:, 0]
    if loss:
        steps, values = zip(*loss, strict=True)
        axes[0].plot(steps, values, color="#9bb7d4", linewidth=0.8, label="training loss")
        if len(values) > _SMOOTHED:
            smooth = [sum(values[max(0, i - _SMOOTHED) : i]) / min(i, _SMOOTHED) for i in range(1, len(values) + 1)]
            axes[0].plot(steps, smooth, color="#1f4e79", linewidth=1.6, label=f"mean of {_SMOOTHED} steps")
    if held:
        axes[0].plot(*zip(*held, strict=True), color="#b3541e", marker="o", markersize=4, label="held-out loss")
    axes[0].set_ylabel("loss")
    axes[0].legend(frameon=False)
    for name, points in scores:
        label = name.removeprefix("eval_").replace("rewards/accuracies", "chosen preferred").replace("_", " ")
        axes[1].plot(*zip(*points, strict=True), marker="o", markersize=4, label=f"held-out {label}")
    if scores:
        axes[1].set_ylim(0, 1.02)
        axes[1].set_ylabel("share")
        axes[1].legend(frameon=False)
    axes[-1].set_xlabel("optimizer step")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.25)
    figure.savefig(folder / "curves.png", dpi=110)
    return folder / "curves.png"
