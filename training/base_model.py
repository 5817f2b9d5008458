"""The model that is trained: a pulled one, unpacked once into the form that trainers and vLLM read, or a folder."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import MissingExtra, UserError
from ..models import find, known
from ..models.servers.unpacking import MARK, unpack, unpacked_folder
from ..settings import Settings
from .processors import load_processor

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TEMPLATES: Final = Path(__file__).parent / "templates"


class Base(NamedTuple):
    """A loaded model."""

    name: str
    folder: Path
    model: PreTrainedModel
    processor: Any
    """The tokenizer, or with a vision-language model the processor, which has one."""
    vision: bool

    @property
    def tokenizer(self) -> Any:
        """The tokenizer, also of a processor."""
        return self.processor.tokenizer if self.vision else self.processor


def need_training() -> None:
    """Say so where the packages of the extra `train` are missing; none is loaded.

    Raises:
        MissingExtra: with the command that installs them.
    """
    for name in ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "matplotlib", "tensorboardX"):
        if find_spec(name) is None:
            raise MissingExtra(f"training needs the package `{name}`: run `pip install 'wardround[train]'`")


def base_folder(name: str, *, settings: Settings) -> Path:
    """The folder with config, tokenizer and safetensors of the model `name` (a pulled model, or such a folder).

    A pulled GGUF file is unpacked to 32 bit once and kept in the cache (`models/NAME-VERSION.float32`); its 4-bit
    weights are what the numbers come from, so the model is the one that llama.cpp runs.

    Raises:
        UserError: there is no such folder, or the model is not pulled or is none that can be trained.
    """
    path = Path(name).expanduser()
    if name not in {model.name for model in known()}:
        if not (path / "config.json").is_file():
            raise UserError(
                f"there is no model `{name}`: name a folder with a `config.json`, or one of `wardround models list`"
            )
        return path
    source = find(name, settings=settings)
    if source.suffix != ".gguf":
        raise UserError(f"`{name}` is no chat model: it cannot be trained")
    folder = unpacked_folder(name, settings=settings)
    if not (folder / MARK).is_file():
        _unpack(name, source, folder)
    return folder


def _unpack(name: str, source: Path, folder: Path) -> None:
    try:
        unpack(source, folder, name)
    except OSError as error:
        if folder.is_dir():  # half of one, from before
            shutil.rmtree(folder, ignore_errors=True)
            raise UserError(f"`{folder}` was damaged and has been removed: run the command again") from None
        raise UserError(f"`{name}` cannot be unpacked to `{folder}` ({error}): make room for 600 MB") from None


def chat_template(name: str | None) -> str | None:
    """The text of the template: a shipped one's name, or a file.

    Raises:
        UserError: there is none.
    """
    if name is None:
        return None
    shipped = TEMPLATES / f"{name}.jinja"
    path = shipped if shipped.is_file() else Path(name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        names = ", ".join(f"`{one.stem}`" for one in sorted(TEMPLATES.glob("*.jinja")))
        raise UserError(f"there is no chat template `{name}`: name a Jinja file or one of {names}") from None


def load_base(
    name: str,
    *,
    settings: Settings,
    start: Path | None = None,
    template: str | None = None,
    precision: str = "float32",
    max_pixels: int | None = None,
) -> Base:
    """The model and its tokenizer or processor, ready to train.

    Args:
        name: as for `base_folder`.
        settings: where pulled models lie.
        start: an adapter that is merged into it.
        template: a name for `chat_template`, in place of the model's own.
        precision: of the weights.
        max_pixels: larger images are shrunk to this.

    Raises:
        UserError: no such model, adapter or template; or the adapter was made for another model.
    """
    need_training()
    import torch
    import transformers
    from safetensors import SafetensorError

    transformers.utils.logging.disable_progress_bar()

    folder = base_folder(name, settings=settings)
    config: Any = transformers.AutoConfig.from_pretrained(folder)
    vision = getattr(config, "vision_config", None) is not None
    loader: Any = transformers.AutoModelForImageTextToText if vision else transformers.AutoModelForCausalLM
    try:
        model = loader.from_pretrained(folder, dtype=getattr(torch, precision))
        processor: Any = (
            load_processor(folder, max_pixels=max_pixels)
            if vision
            else transformers.AutoTokenizer.from_pretrained(folder)
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"`{folder}` holds no model that can be loaded ({_first_line(error)}): name another") from None
    if start is not None:
        model = merged(model, start)
    if (text := chat_template(template)) is not None:
        processor.chat_template = text
    base = Base(name, folder, model, processor, vision)
    if not (processor.chat_template or base.tokenizer.chat_template):
        raise UserError(f"`{name}` has no chat template: give one with `chat_template`, such as `chatml-tools`")
    if base.tokenizer.pad_token is None:
        base.tokenizer.pad_token = base.tokenizer.eos_token
    return base


def merged(model: Any, adapter: Path) -> Any:
    """The model with an adapter's weights added to its own.

    Raises:
        UserError: there is no adapter, or its layers are not the model's.
    """
    from peft import PeftModel

    if not (adapter / "adapter_config.json").is_file():
        raise UserError(f"there is no adapter in `{adapter}`: name a folder with an `adapter_config.json`")
    check_adapter(model, adapter)
    whole: Any = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return whole.requires_grad_(True)  # PEFT has frozen it


def check_adapter(model: Any, adapter: Path) -> None:
    """Whether every weight of the adapter has a layer of the right shape in the model.

    Raises:
        UserError: the first that has none.
    """
    from safetensors import SafetensorError, safe_open

    layers = dict(model.named_modules())
    try:
        with safe_open(adapter / "adapter_model.safetensors", "pt") as file:
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 -- no mapping
    except (OSError, SafetensorError) as error:
        raise UserError(f"the adapter `{adapter}` cannot be read ({_first_line(error)}): train it again") from None
    for key, shape in shapes.items():
        name, _, kind = key.removeprefix("base_model.model.").rpartition(".lora_")
        weight = getattr(layers.get(name), "weight", None)
        if not name:
            continue  # a whole layer saved beside the adapter
        side = 1 if kind.startswith("A") else 0
        if weight is None or weight.shape[side] != shape[side]:
            found = "has no such layer" if weight is None else f"has {tuple(weight.shape)} there"
            raise UserError(
                f"the adapter `{adapter}` does not match the base model: `{name}` of shape {shape}, the model {found}; "
                "name the base that it was trained on"
            )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
