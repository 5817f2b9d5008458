"""Image files for models that see: PNG, JPEG, GIF, WebP and DICOM, made into content parts of the chat protocol.

Only pixels go out. An image is decoded and encoded anew, so names, dates and places in EXIF, text chunks or DICOM's
header stay behind; what stands written in the picture itself can't be taken out and is warned of where the file tells.
"""

from __future__ import annotations

import base64
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import AnyMessage
from pydantic import BaseModel, ConfigDict

from ..errors import MissingExtra, UserError

if TYPE_CHECKING:
    from PIL.Image import Image
    from pydicom import Dataset

PIXELS: Final = 1_048_576
"""The default budget: about 1,024 x 1,024, some 1,300 tokens of a Qwen-VL model."""
WARNINGS_KEY: Final = "image_warnings"
"""Where a message keeps what is to be known of its images (`additional_kwargs`)."""
_LARGEST: Final = {"DICOM": 200_000_000, "image": 20_000_000}
"""Bytes of a file."""
_MOST_PIXELS: Final = 100_000_000
"""Of a picture as stored; a small file may claim to unfold into gigabytes."""
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
_INSTALL: Final = "run `pip install 'wardround[images]'`"
_DICOM_MARK: Final = slice(128, 132)

Corners = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the stored image; right and bottom exclusive."""


class Prepared(BaseModel):
    """An image as it goes out."""

    model_config = ConfigDict(frozen=True)
    url: str
    """A data URL."""
    width: int
    height: int
    warnings: tuple[str, ...] = ()
    """What is to be known of it: text burnt into the picture."""

    @property
    def part(self) -> dict[str, Any]:
        """The content part of a message."""
        return {"type": "image_url", "image_url": {"url": self.url}}


def prepared(path: Path, *, pixels: int = PIXELS, box: Corners | None = None) -> Prepared:
    """Read an image file.

    Args:
        path: PNG, JPEG, GIF or WebP (the first picture of several), or DICOM, told by the content and not by the name.
        pixels: a picture of more is made smaller, its proportions kept.
        box: cut this out of the stored image first.

    DICOM is windowed as its header says (modality and VOI LUT; without one, over all values), MONOCHROME1 inverted.

    Raises:
        UserError: it can't be read, is none of these, is too large, or the box lies outside of it.
        MissingExtra: Pillow, or for DICOM pydicom, is not installed.
    """
    if pixels < 1:
        raise UserError(f"a budget of `{pixels}` pixels shows nothing: give at least 1")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            is_dicom = file.read(_DICOM_MARK.stop)[_DICOM_MARK] == b"DICM"
        most = _LARGEST["DICOM" if is_dicom else "image"]
        if size > most:
            raise UserError(f"the image `{path}` has {size / 1e6:.0f} MB: make it smaller than {most / 1e6:.0f} MB")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"the image `{path}` cannot be read ({error.strerror}): check its name") from None
    picture, kind, known = _dicom(content, path) if is_dicom else (*_picture(content, path), ())
    if box is not None:
        left, top, right, bottom = box
        if not (0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height):
            raise UserError(
                f"the box `{left},{top},{right},{bottom}` does not lie in `{path}` of {picture.width} x "
                f"{picture.height} pixels"
            )
        picture = picture.crop(box)
    return _encoded(_fitted(picture, pixels), kind, known)


def _picture(content: bytes, path: Path) -> tuple[Image, str]:
    """The picture, upright, 8 bits, and the format that it goes out in."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise MissingExtra(f"showing images to a model needs Pillow: {_INSTALL}") from None
    try:
        with warnings.catch_warnings():  # Pillow's own limit only warns; ours refuses
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(BytesIO(content), formats=_FORMATS)
        if opened.width * opened.height > _MOST_PIXELS:
            raise UserError(
                f"the image `{path}` claims {opened.width} x {opened.height} pixels: at most {_MOST_PIXELS / 1e6:.0f} "
                "million can be read"
            )
        opened.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise UserError(
            f"`{path}` does not look like an image that can be read: name a PNG, JPEG, GIF, WebP or DICOM file"
        ) from None
    kind = "JPEG" if opened.format == "JPEG" else "PNG"
    return _plain(ImageOps.exif_transpose(opened)), kind


def _plain(picture: Image) -> Image:
    """Greyscale or RGB of 8 bits, transparency laid on black as films are."""
    from PIL import Image

    if picture.mode.startswith("I") or picture.mode == "F":
        import numpy as np

        return Image.fromarray(_scaled(np.asarray(picture, np.float64)))
    if picture.mode in ("1", "L"):
        return picture.convert("L")
    if "A" in picture.mode or "transparency" in picture.info:
        shown = picture.convert("RGBA")
        ground = Image.new("RGBA", shown.size, (0, 0, 0, 255))
        return Image.alpha_composite(ground, shown).convert("RGB")
    return picture.convert("RGB")


def _scaled(values: Any) -> Any:
    """All values spread over 0 to 255."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    spread = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
    return spread.round().astype(np.uint8)


def _dicom(content: bytes, path: Path) -> tuple[Image, str, tuple[str, ...]]:
    try:
        from PIL import Image
        from pydicom import dcmread
        from pydicom.errors import InvalidDicomError
        from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut, convert_color_space
    except ImportError:
        raise MissingExtra(f"showing DICOM images to a model needs Pillow and pydicom: {_INSTALL}") from None
    try:
        held: Any = dcmread(BytesIO(content))
        frames = int(held.get("NumberOfFrames") or 1)
        count = int(held.get("Rows") or 0) * int(held.get("Columns") or 0) * frames
    except (InvalidDicomError, OSError, ValueError, TypeError, EOFError) as error:
        raise UserError(f"`{path}` is no DICOM file that can be read ({type(error).__name__})") from None
    if frames > 1:
        raise UserError(f"`{path}` has {frames} frames: give a file with a single image")
    if not 0 < count <= _MOST_PIXELS:
        raise UserError(f"`{path}` holds no image, or one of more than {_MOST_PIXELS / 1e6:.0f} million pixels")
    meaning = str(held.get("PhotometricInterpretation") or "")
    try:
        values: Any = held.pixel_array
        if meaning in ("MONOCHROME1", "MONOCHROME2"):
            values = _scaled(apply_voi_lut(apply_modality_lut(values, held), held).astype("float64"))
            picture = Image.fromarray(255 - values if meaning == "MONOCHROME1" else values)
        elif meaning == "RGB":
            picture = Image.fromarray(values)
        elif meaning.startswith("YBR"):
            picture = Image.fromarray(convert_color_space(values, meaning, "RGB"))
        else:
            raise UserError(f"`{path}` has pixels of the kind `{meaning}`: convert it to greyscale or RGB")
    except (AttributeError, NotImplementedError, RuntimeError, ValueError, TypeError) as error:
        how = str(getattr(held.file_meta.get("TransferSyntaxUID"), "name", "unknown"))
        raise UserError(
            f"the pixels of `{path}` cannot be read ({type(error).__name__}, stored as `{how}`): save it uncompressed"
        ) from None
    return picture, "PNG", _burnt_in(held, path)


def _burnt_in(held: Dataset, path: Path) -> tuple[str, ...]:
    """A warning where the file says that text is part of the picture, or was made by taking a picture of a screen."""
    said = str(held.get("BurnedInAnnotation") or "").upper()
    if said == "YES":
        return (f"`{path.name}` says that text is burnt into the picture: a name may stand in it",)
    if said != "NO" and str(held.get("ConversionType") or ""):
        return (f"`{path.name}` is a picture of something and does not say whether text is burnt into it",)
    return ()


def _fitted(picture: Image, pixels: int) -> Image:
    count = picture.width * picture.height
    if count <= pixels:
        return picture
    from PIL.Image import Resampling

    share = (pixels / count) ** 0.5
    return picture.resize((max(1, int(picture.width * share)), max(1, int(picture.height * share))), Resampling.LANCZOS)


def _encoded(picture: Image, kind: str, known: tuple[str, ...]) -> Prepared:
    from PIL import Image

    bare = Image.new(picture.mode, picture.size)  # nothing that hung on the file comes along
    bare.paste(picture)
    held = BytesIO()
    if kind == "JPEG":
        bare.save(held, "JPEG", quality=95)
    else:
        bare.save(held, "PNG")
    data = base64.b64encode(held.getvalue()).decode()
    return Prepared(
        url=f"data:image/{kind.lower()};base64,{data}", width=bare.width, height=bare.height, warnings=known
    )


def image_count(messages: Sequence[AnyMessage]) -> int:
    """How many images the conversation shows."""
    parts = [part for m in messages if isinstance(m.content, list) for part in m.content]
    return sum(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)


def image_warnings(messages: Sequence[AnyMessage]) -> list[str]:
    """What is to be known of the images that the conversation shows."""
    found: list[str] = []
    for message in messages:
        found += [str(text) for text in message.additional_kwargs.get(WARNINGS_KEY) or ()]
    return list(dict.fromkeys(found))
