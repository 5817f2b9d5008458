"""transformers and llama.cpp agree about the real model, with the shipped adapter and without."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from wardround.errors import UserError
from wardround.models import find
from wardround.models.adapter import gguf_of, shipped_adapter
from wardround.settings import get_settings
from wardround.training.agreement import compare
from wardround.training.base_model import base_folder

PROMPT = (
    "<|im_start|>system\nSearch.<|im_end|>\n<|im_start|>user\n"
    "user: i take warfarin.\nassistant: ok?\nquestion: can i have {} with it?\nnames: {}; warfarin<|im_end|>\n"
    "<|im_start|>assistant\n"
)
REPLY = '{{"calls":[{{"medicine":"{}","attribute":"interactions"}}]}}<|im_end|>'


@pytest.fixture(scope="module")
def model_file() -> Path:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'wardround[local]'")
    try:
        return find("smollm2", settings=get_settings())
    except UserError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("tuned", [False, True])
def test_the_same_next_tokens(model_file: Path, tuned: bool) -> None:
    settings = get_settings()
    adapter = shipped_adapter("distiller", "smollm2") if tuned else None
    found = compare(
        [(PROMPT.format(name, name), REPLY.format(name)) for name in ("ibuprofen", "oryxia")],
        base=base_folder("smollm2", settings=settings),
        adapter=adapter.folder if adapter else None,
        gguf=model_file,
        gguf_lora=gguf_of(adapter, settings=settings) if adapter else None,
    )
    assert found.positions > 20
    assert found.holds, found
