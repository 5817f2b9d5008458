"""Configs and recipes."""

from __future__ import annotations

from pathlib import Path

import pytest
from wardround.errors import UserError
from wardround.training.config import (
    DpoSettings,
    EvaluationSettings,
    LoraSettings,
    TrainingConfig,
    load_config,
    recipe_names,
)


def written(folder: Path, text: str) -> str:
    (folder / "c.toml").write_text(text, encoding="utf-8")
    return str(folder / "c.toml")


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_a_config(name: str) -> None:
    assert load_config(name).base


def test_the_recipes_that_are_promised_are_there() -> None:
    assert {"distiller-135m-cpu", "mag-7b", "mede2-stage1-7b", "mede2-stage2-7b"} <= set(recipe_names())


def test_paths_are_taken_from_the_file_s_folder_and_changes_from_here(tmp_path: Path) -> None:
    config = load_config(
        written(tmp_path, 'kind = "sft"\nbase = "./model"\ntrain = "rows.jsonl"\nheldout = "held.jsonl"\n'),
        heldout=Path("mine.jsonl"),
        max_steps=None,
    )
    assert (config.train, config.heldout) == (tmp_path / "rows.jsonl", Path("mine.jsonl"))
    assert Path(config.base) == tmp_path / "model"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "sft"\nbase = "m"\nlerning_rate = 1\n', "there is no field `lerning_rate`"),
        ('kind = "sft"\nbase = "m"\n[lora]\nranks = 1\n', "there is no field `lora.ranks`"),
        ('kind = "sft"\nbase = "m"\nbatch_size = 0\n', "`batch_size` is `0`"),
        ('kind = "ppo"\nbase = "m"\n', "`kind` is `ppo`"),
        ('kind = "dpo"\nbase = "m"\ngrouping = "packing"\n', "pairs cannot be packed"),
        ('kind = "sft"\nbase = "m"\n[evaluation]\nscore = "accuracy"\n', "`accuracy` is a score of DPO"),
        ("kind = sft", "is no TOML file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        load_config(written(tmp_path, text))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_recipe_names_the_known() -> None:
    with pytest.raises(UserError, match="the recipes are `distiller-135m-cpu`"):
        load_config("distiler")


def test_every_field_stands_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    table = text.split("| field | default | |")[1].split("\n\n")[0]
    parts = {"lora": LoraSettings, "dpo": DpoSettings, "evaluation": EvaluationSettings}
    for name in TrainingConfig.model_fields.keys() - parts.keys():
        assert f"`{name}`" in table
    for part, kind in parts.items():
        for name in kind.model_fields:
            assert f"`{part}.{name}`" in table or f"`.{name}`" in table
