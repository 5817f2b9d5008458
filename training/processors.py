"""The processor of a vision-language model: tokenizer and image processor."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any


def load_processor(folder: Path, *, max_pixels: int | None = None) -> Any:
    """The processor in `folder`.

    Qwen's processors want torchvision, for videos alone, and torchvision does not go with every build of PyTorch.
    Without it, one that knows images only is made.

    Args:
        folder: of the model.
        max_pixels: larger images are shrunk to this many.

    Raises:
        OSError, ValueError: there is none in `folder`.
    """
    import transformers

    kind = transformers.AutoConfig.from_pretrained(folder).model_type
    if find_spec("torchvision") is None and kind in ("qwen2_vl", "qwen2_5_vl"):
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

        images: Any = Qwen2VLImageProcessorPil.from_pretrained(folder)
        processor = images_only(images, transformers.AutoTokenizer.from_pretrained(folder))
    else:
        processor = transformers.AutoProcessor.from_pretrained(folder)
    if max_pixels is not None:
        processor.image_processor.size = {**processor.image_processor.size, "longest_edge": max_pixels}
    return processor


def images_only(image_processor: Any, tokenizer: Any) -> Any:
    """Qwen2.5-VL's processor without its part for videos."""
    from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor
    from transformers.processing_utils import ProcessorMixin

    def begin(self: Any, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    kind: Any = type(Qwen2_5_VLProcessor.__name__, (Qwen2_5_VLProcessor,), {"__init__": begin})
    return kind(image_processor, tokenizer, chat_template=tokenizer.chat_template)
