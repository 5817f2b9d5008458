"""The model card, written from the manifest: nothing stands in it that the run did not record."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .folder import DataUsed, TrainingManifest

_KINDS: Final = {"sft": "supervised fine-tuning", "dpo": "direct preference optimization"}


def write_card(folder: Path, manifest: TrainingManifest) -> None:
    """Write `README.md` into the run's folder and beside the weights. `manifest` is that of a run that is done."""
    text = card(manifest)
    (folder / "README.md").write_text(f"{text}\n![curves](curves.png)\n", encoding="utf-8")
    if manifest.outcome:
        (folder / manifest.outcome.saved / "README.md").write_text(text, encoding="utf-8")


def card(manifest: TrainingManifest) -> str:
    """The card's text."""
    config, outcome = manifest.config, manifest.outcome
    name = Path(config.base).name
    what = f"A LoRA adapter (rank {config.lora.rank})" if config.method == "lora" else "All weights"
    lines = [
        "---",
        f"base_model: {name}",
        *(["library_name: peft"] if config.method == "lora" else []),
        "tags: [wardround, medical, " + config.kind + "]",
        "---",
        "",
        f"# {name}, {_KINDS[config.kind]}",
        "",
        f"{what} for `{name}`, made by {_KINDS[config.kind]} with wardround's training module. For research and "
        "decision support, not for care.",
        *(["", config.note] if config.note else []),
        "",
        "## Data",
        "",
        "| | rows | left out as too long | tokens | tokens learned | SHA-256 |",
        "|---|---|---|---|---|---|",
        _data("learned from", manifest.train),
        *([_data("held out", manifest.heldout)] if manifest.heldout else []),
        "",
        "## Training",
        "",
    ]
    skipped = {"train", "heldout", "base", "kind", "note"} | ({"dpo"} if config.kind == "sft" else set())
    for field, value in config.model_dump(mode="json", exclude=skipped).items():
        if isinstance(value, dict):
            lines += [f"- {field}.{key}: {one}" for key, one in value.items()]
        elif value is not None:
            lines.append(f"- {field}: {value}")
    lines += [f"- processes: {manifest.processes}", f"- began: {manifest.created}"]
    if outcome:
        lines += ["", "## What it came to", "", f"- optimizer steps: {outcome.steps}"]
        if outcome.final_loss is not None:
            lines.append(f"- loss of the last step: {outcome.final_loss:.4f}")
        if outcome.best_step is not None:
            score = config.evaluation.score
            lines.append(f"- best held-out {score}: {outcome.best_score:.4f}, at step {outcome.best_step}; kept")
        if outcome.stopped_early:
            lines.append(f"- stopped early: {config.evaluation.patience} evaluations without a better score")
        lines.append(f"- weights, SHA-256: `{outcome.sha256}`")
    lines += ["", "## Made with", ""]
    lines += [f"- {key}: {value}" for key, value in manifest.environment.items()]
    lines += [f"- base model, SHA-256: `{manifest.base_sha256}`", f"- chat template: `{manifest.template_sha256}`", ""]
    return "\n".join(lines)


def _data(what: str, used: DataUsed) -> str:
    return f"| {what} | {used.rows} | {used.too_long} | {used.tokens} | {used.learned} | `{used.sha256[:16]}` |"
