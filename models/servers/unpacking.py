"""A pulled GGUF model in the form that vLLM and trainers read: config, tokenizer and safetensors in 32 bit.

This file imports nothing of wardround at its top and can be run by itself, `PYTHON unpacking.py GGUF FOLDER`, since the
Python that has transformers may be another than the one that asks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ...settings import Settings

MARK: Final = "base_model.json"
"""Written last: a folder with it is whole."""
_UNPACK_S: Final = 900


def unpacked_folder(name: str, *, settings: Settings) -> Path:
    """Where `unpacked` puts the pulled model `name`.

    Raises:
        UserError: the model is not pulled, or is no chat model.
    """
    from ...errors import UserError
    from ..store import find

    source = find(name, settings=settings)
    if source.suffix != ".gguf":
        raise UserError(f"`{name}` is no chat model: name one in GGUF form, such as `smollm2`")
    return source.parent.with_name(f"{source.parent.name}.float32")


def unpacked(name: str, *, settings: Settings, python: Path) -> Path:
    """The folder of the pulled model `name`, made at the first use by `python`, which needs transformers and gguf.

    The numbers come from the GGUF file's weights, so the model is the one that llama.cpp runs.

    Raises:
        UserError: the model is not pulled, is no chat model, or cannot be unpacked.
    """
    from ...errors import UserError
    from ..store import find

    folder = unpacked_folder(name, settings=settings)
    source = find(name, settings=settings)
    if (folder / MARK).is_file():
        return folder
    done = subprocess.run(  # noqa: S603 -- our own file
        [str(python), "-I", __file__, str(source), str(folder), name],
        capture_output=True,
        text=True,
        check=False,
        timeout=_UNPACK_S,
    )
    if done.returncode:
        cause = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(
            f"`{name}` cannot be unpacked to `{folder}` by `{python}` ({cause[:200]}): 600 MB of room and the packages "
            "torch, transformers, accelerate and gguf are needed there"
        )
    return folder


def unpack(source: Path, folder: Path, name: str) -> None:
    """Write `folder` from the GGUF file `source`: whole or not at all, so two at once do no harm."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with TemporaryDirectory(prefix=".unpack-", dir=folder.parent) as temporary:
        made = Path(temporary) / "model"
        tokenizer: Any = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
        model: Any = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name)
        # The weights are plain numbers by now; with these, saving would write them as GGUF again.
        model.hf_quantizer = None
        del model.config.quantization_config
        model.config.name_or_path = name
        model.save_pretrained(made)
        tokenizer.save_pretrained(made)
        (made / MARK).write_text(json.dumps({"name": name, "source": source.name}), encoding="utf-8")
        with suppress(OSError):  # another process was faster
            made.rename(folder)
    if not (folder / MARK).is_file():
        raise OSError(f"`{folder}` is there but not whole: remove it")


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
