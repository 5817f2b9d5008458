from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from small_adapter import write_adapter
from wardround.errors import UserError
from wardround.models.servers.adapters import check_base, content_sha256, read_adapter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_adapter(tmp_path / "distiller", seed=1, layers=2, hidden=8)


def change(folder: Path, **fields: Any) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_what_is_read_of_an_adapter(folder: Path) -> None:
    adapter = read_adapter(str(folder))
    assert (adapter.name, adapter.rank, adapter.layers, adapter.hidden) == ("distiller", 4, 2, 8)
    assert adapter.served_name == f"distiller-{content_sha256(folder)[:12]}"
    assert read_adapter(f"mine={folder}").name == "mine"


def test_a_folder_that_is_called_by_its_hash_is_not_called_by_it_twice(folder: Path) -> None:
    hashed = folder.rename(folder.with_name(f"distiller-{content_sha256(folder)[:12]}"))
    assert read_adapter(str(hashed)).served_name == hashed.name


def test_a_folder_that_promises_another_hash_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="not the one that its name promises"):
        read_adapter(str(folder.rename(folder.with_name("distiller-0123456789ab"))))


def test_an_exported_adapter_keeps_its_name_and_says_its_role(folder: Path) -> None:
    weights = hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()[:12]
    (folder / "wardround.json").write_text(json.dumps({"base": "smollm2", "role": "distiller"}))
    adapter = read_adapter(str(folder.rename(folder.with_name(f"tuned-{weights}"))))
    assert (adapter.served_name, adapter.role) == (f"tuned-{weights}", "distiller")


def test_other_weights_have_another_name(folder: Path, tmp_path: Path) -> None:
    other = write_adapter(tmp_path / "other" / "distiller", seed=2, layers=2, hidden=8)
    assert read_adapter(str(folder)).served_name != read_adapter(str(other)).served_name


@pytest.mark.parametrize(
    ("field", "value", "same"), [("lora_alpha", 99, False), ("base_model_name_or_path", "x", True)]
)
def test_the_name_depends_on_what_the_adapter_does(folder: Path, field: str, value: object, same: bool) -> None:
    before = read_adapter(str(folder)).served_name
    change(folder, **{field: value})
    assert (read_adapter(str(folder)).served_name == before) is same


def test_the_template_beside_it_is_read(folder: Path) -> None:
    assert read_adapter(str(folder)).chat_template is None
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert read_adapter(str(folder)).chat_template == "{{ messages }}"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("peft_type", "IA3", "kind IA3"),
        ("use_dora", True, "DoRA"),
        ("bias", "all", "biases"),
        ("modules_to_save", ["lm_head"], "whole layers"),
    ],
)
def test_what_vllm_cannot_serve_is_refused_at_once(folder: Path, field: str, value: object, said: str) -> None:
    change(folder, **{field: value})
    with pytest.raises(UserError, match=said):
        read_adapter(str(folder))


@pytest.mark.parametrize("data", [b"", b"\x05\x00\x00\x00\x00\x00\x00\x00{", b"\xff" * 64])
def test_weights_that_are_no_safetensors_are_one_line(folder: Path, data: bytes) -> None:
    (folder / "adapter_model.safetensors").write_bytes(data)
    with pytest.raises(UserError, match="cannot be read"):
        read_adapter(str(folder))


def test_a_pickle_is_no_adapter(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(UserError, match="save it as safetensors"):
        read_adapter(str(folder))


@pytest.mark.parametrize("text", ["", "a b=", "../..=x"])
def test_a_name_that_can_be_none_is_refused(text: str, folder: Path) -> None:
    with pytest.raises(UserError):
        read_adapter(f"{text}{folder}" if "=" in text else text)


def test_an_adapter_of_another_base_is_refused_before_the_model_loads(folder: Path, tmp_path: Path) -> None:
    adapter = read_adapter(str(folder))
    model = tmp_path / "model"
    model.mkdir()
    config = model / "config.json"
    config.write_text(json.dumps({"hidden_size": 8, "num_hidden_layers": 2}))
    check_base(adapter, str(model))
    for other in (
        {"hidden_size": 16, "num_hidden_layers": 2},
        {"text_config": {"hidden_size": 8, "num_hidden_layers": 1}},
    ):
        config.write_text(json.dumps(other))
        with pytest.raises(UserError, match="another model"):
            check_base(adapter, str(model))
