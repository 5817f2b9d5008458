"""BERT encoders and cross-encoders in ONNX, one text at a time.

One at a time on purpose: the 8-bit models take their scale from the whole batch, padding included, so in a batch the
same text got another vector by its neighbours (cosine down to 0.994). On two cores batches of 16 gained a quarter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import UserError
from .encoders import LONGEST, Kind, Vectors, versioned

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

_MOST_TOKENS = 512
"""Positions that BERT has."""


class OnnxEncoder:
    """The vector of a text is that of its first token, of length 1 (as bge's model card says)."""

    def __init__(self, folder: Path, *, query: str = "", passage: str = "", threads: int = 1) -> None:
        """Load `model.onnx` and `tokenizer.json`; `query` and `passage` are put before texts of that kind.

        Raises:
            UserError: a file is missing or damaged.
        """
        self.name = versioned(folder)
        self._prefix: dict[Kind, str] = {"query": query, "passage": passage}
        self._tokenizer, self._session = _load(folder, threads)
        self.dimensions = int(self._session.get_outputs()[0].shape[-1])

    def encode(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """See `Encoder.encode`. Of a text, the first 512 tokens are read."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            tokens = self._tokenizer.encode(self._prefix[kind] + _clean(text))
            vector = _run(self._session, tokens)[0, 0]
            vectors[row] = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return vectors


class OnnxCrossEncoder:
    """Scores pairs of query and text with a model that has one output (logit)."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load `model.onnx` and `tokenizer.json`.

        Raises:
            UserError: a file is missing or damaged.
        """
        self.name = versioned(folder)
        self._tokenizer, self._session = _load(folder, threads)

    def score(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """See `CrossEncoder.score`. A pair of over 512 tokens loses the end of the longer of the two."""
        asked = _clean(query)
        pairs = (self._tokenizer.encode(asked, _clean(text)) for text in texts)
        return np.array([float(_run(self._session, pair)[0, 0]) for pair in pairs], dtype=np.float32)


def _load(folder: Path, threads: int) -> tuple[Tokenizer, InferenceSession]:
    from onnxruntime import InferenceSession, SessionOptions  # pyright: ignore[reportAttributeAccessIssue]
    from tokenizers import Tokenizer

    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        session = InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # both libraries raise bare `Exception`s of their own for what is wrong with a file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"the model in `{folder}` cannot be loaded ({reason}): delete it and pull it again") from error
    tokenizer.enable_truncation(_MOST_TOKENS)
    tokenizer.no_padding()
    return tokenizer, session


def _clean(text: str) -> str:
    return text[:LONGEST].encode("utf-8", "replace").decode()


def _run(session: InferenceSession, tokens: Encoding) -> npt.NDArray[np.float32]:
    """The first output for one text or pair: (1, tokens, dimensions) or (1, 1)."""
    inputs = {
        "input_ids": np.array([tokens.ids], dtype=np.int64),
        "attention_mask": np.ones((1, len(tokens.ids)), dtype=np.int64),
        "token_type_ids": np.array([tokens.type_ids], dtype=np.int64),
    }
    return np.asarray(session.run(None, inputs)[0], dtype=np.float32)
