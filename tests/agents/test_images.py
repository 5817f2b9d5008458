"""Images: what goes out is pixels alone, upright, within the budget; DICOM as its header says."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import HumanMessage
from PIL import Image, PngImagePlugin
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless, SecondaryCaptureImageStorage
from wardround.agents.case import message_of
from wardround.agents.images import Prepared, image_count, image_warnings, prepared
from wardround.errors import UserError

NAME = "QUIXOTE^ALONSO"


def sent(image: Prepared) -> Image.Image:
    kind, _, data = image.url.partition(";base64,")
    opened = Image.open(BytesIO(base64.b64decode(data)))
    assert kind == f"data:image/{(opened.format or '').lower()}"
    assert opened.size == (image.width, image.height)
    return opened


def raw(image: Prepared) -> bytes:
    return base64.b64decode(image.url.partition(",")[2])


def dicom(path: Path, values: Any, meaning: str = "MONOCHROME2", **fields: Any) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    held = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    held.PatientName, held.PatientID, held.StudyDate = NAME, "4711-0815", "19990401"
    held.Rows, held.Columns = values.shape[:2]
    held.SamplesPerPixel = 1 if values.ndim == 2 else 3
    if values.ndim == 3:
        held.PlanarConfiguration = 0
    held.PhotometricInterpretation = meaning
    held.BitsAllocated = held.BitsStored = values.dtype.itemsize * 8
    held.HighBit = held.BitsStored - 1
    held.PixelRepresentation = 0
    held.PixelData = values.tobytes()
    for name, value in fields.items():
        setattr(held, name, value)
    held.save_as(path, enforce_file_format=True)
    return path


RAMP = np.arange(0, 4096, 256, dtype=np.uint16).reshape(4, 4)


def test_a_png_goes_out_as_pixels_without_its_text(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Patient", NAME)
    Image.linear_gradient("L").save(tmp_path / "film.png", pnginfo=text)
    assert NAME.encode() in (tmp_path / "film.png").read_bytes()
    image = prepared(tmp_path / "film.png")
    assert NAME.encode() not in raw(image)
    assert sent(image).tobytes() == Image.linear_gradient("L").tobytes()
    assert sent(image).info == {}


def test_a_jpeg_is_turned_upright_and_loses_its_exif(tmp_path: Path) -> None:
    wide = Image.new("RGB", (40, 20), (200, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = NAME
    wide.save(tmp_path / "film.jpg", exif=exif)
    image = prepared(tmp_path / "film.jpg")
    assert (image.width, image.height) == (20, 40)
    assert NAME.encode() not in raw(image)
    assert not sent(image).getexif()


@pytest.mark.parametrize(("size", "pixels", "shown"), [((400, 100), 10_000, (200, 50)), ((30, 30), 10_000, (30, 30))])
def test_a_picture_is_made_to_fit_its_budget(
    tmp_path: Path, size: tuple[int, int], pixels: int, shown: tuple[int, int]
) -> None:
    Image.new("L", size).save(tmp_path / "film.png")
    image = prepared(tmp_path / "film.png", pixels=pixels)
    assert (image.width, image.height) == shown


def test_a_box_is_cut_out_of_the_stored_image_before_it_is_made_smaller(tmp_path: Path) -> None:
    picture = Image.new("L", (400, 400))
    picture.paste(255, (100, 200, 200, 260))
    picture.save(tmp_path / "film.png")
    image = prepared(tmp_path / "film.png", box=(100, 200, 200, 260), pixels=6000)
    assert (image.width, image.height) == (100, 60)
    assert sent(image).getextrema() == (255, 255)
    with pytest.raises(UserError, match="does not lie in"):
        prepared(tmp_path / "film.png", box=(0, 0, 401, 10))


def test_sixteen_bits_and_transparency_are_shown(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "deep.png")
    assert sent(prepared(tmp_path / "deep.png")).getextrema() == (0, 255)
    Image.new("RGBA", (2, 2), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    assert sent(prepared(tmp_path / "clear.png")).getpixel((0, 0)) == (0, 0, 0)


def test_dicom_is_windowed_and_its_header_stays_behind(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a.dcm", RAMP, WindowCenter=2048, WindowWidth=1024)
    assert NAME.encode() in path.read_bytes()
    image = prepared(path)
    shown = np.asarray(sent(image))
    assert shown[0].tolist() == [0, 0, 0, 0]
    assert shown[3].tolist() == [255, 255, 255, 255]
    assert 100 < shown[2, 0] < 160
    assert NAME.encode() not in raw(image)
    assert b"4711-0815" not in raw(image)


def test_dicom_without_a_window_uses_all_values_and_monochrome1_is_inverted(tmp_path: Path) -> None:
    plain = np.asarray(sent(prepared(dicom(tmp_path / "a", RAMP))))
    assert (plain[0, 0], plain[3, 3]) == (0, 255)
    inverse = np.asarray(sent(prepared(dicom(tmp_path / "b", RAMP, "MONOCHROME1"))))
    assert (inverse == 255 - plain).all()


def test_colour_dicom_is_shown_in_colour(tmp_path: Path) -> None:
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    assert sent(prepared(dicom(tmp_path / "a", red, "RGB"))).getpixel((0, 0)) == (200, 0, 0)


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"BurnedInAnnotation": "YES"}, "text is burnt into the picture"),
        ({"ConversionType": "WSD"}, "does not say whether"),
        ({"BurnedInAnnotation": "NO", "ConversionType": "WSD"}, ""),
        ({}, ""),
    ],
)
def test_burnt_in_text_is_warned_of(tmp_path: Path, fields: dict[str, str], warned: str) -> None:
    image = prepared(dicom(tmp_path / "a", RAMP, **fields))
    assert [warned in text for text in image.warnings] == ([True] if warned else [])


def test_a_case_carries_the_warning_of_its_image(tmp_path: Path) -> None:
    message = message_of({"Case": "A cough."}, [dicom(tmp_path / "a.dcm", RAMP, BurnedInAnnotation="YES")])
    assert image_count([message]) == 1
    assert "burnt into" in image_warnings([message, HumanMessage("And now?")])[0]


def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no image")
    Image.new("L", (64, 64)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:60])
    packed = dicom(tmp_path / "packed", RAMP)
    packed.write_bytes(packed.read_bytes().replace(ExplicitVRLittleEndian.encode(), RLELossless.encode()))
    many = dicom(tmp_path / "many", RAMP, NumberOfFrames=2)
    for path, said in (
        (tmp_path / "gone.png", "cannot be read"),
        (tmp_path, "cannot be read"),
        (tmp_path / "notes.png", "does not look like an image"),
        (tmp_path / "cut.png", "does not look like an image"),
        (dicom(tmp_path / "palette", RAMP, "PALETTE COLOR"), "PALETTE COLOR"),
        (many, "has 2 frames"),
        (packed, "stored as `RLE Lossless`"),
    ):
        with pytest.raises(UserError, match=said):
            prepared(path)


def test_a_small_file_that_unfolds_into_gigabytes_is_refused(tmp_path: Path) -> None:
    Image.new("1", (20_000, 6_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    with pytest.raises(UserError, match="claims 20000 x 6000 pixels"):
        prepared(tmp_path / "bomb.png")
