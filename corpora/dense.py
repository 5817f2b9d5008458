"""Search by meaning: vectors of all passages in a Chroma collection inside the generation of the corpus index.

    DIR/<generation>/dense-<encoder>/    dense.json, chroma.sqlite3, the collection's own files

Chroma runs in this process only (its HTTP server has CVE-2026-45829), is given our vectors and never makes any, and
sends no telemetry. A new generation of the index has no vectors until they are made for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import CorpusError
from .bm25 import Rows, Scores
from .generations import Manifest, alone, current_folder, open_current, read_manifest
from .index import Progress
from .medicines import Passage
from .store import Store
from .words import has_chinese

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration

    from ..models.encoders import Encoder, Vectors

FORMAT: Final = 1
_CHUNK: Final = 64
"""Passages encoded and stored in one step: what an interrupted build does again at most."""
_COLLECTION: Final = "passages"
_NEAREST: Final = 400
"""How many neighbours the graph search keeps at least. Up to as many passages the search is exact; above, what it
misses is mostly at the far end, and which that is can differ from build to build (one build always answers alike)."""

QUESTION: Final = 1500
"""Characters of a question that models read: its last part, as in lexical search, since what is asked stands there."""


class DenseManifest(BaseModel):
    """What the vectors were made with and for. Any difference makes them useless, so all of it is compared."""

    model_config = ConfigDict(frozen=True)
    format: int = FORMAT
    encoder: str
    dimensions: int
    content_sha256: str
    """Of the corpus index."""
    passages: int


def passage_text(passage: Passage) -> str:
    """What is encoded of a passage: a part of a long text does not say itself whose and which it is."""
    attribute = passage.attribute
    label = attribute.label_zh if has_chinese(passage.medicine) else attribute.label
    return f"{passage.medicine}, {label}: {passage.text}"


def build_dense(directory: Path, encoder: Encoder, progress: Progress | None = None) -> DenseManifest:
    """Encode all passages of the corpus index in `directory` and keep the vectors with it.

    Interrupted, it goes on where it stopped; finished, it does nothing.

    Raises:
        CorpusError: there is no corpus index, or what an earlier build left is damaged.
    """
    current_folder(directory)  # before the lock, which would create the folder
    say = progress or _silent
    # A writer of the index waits until this is done: it would take the generation away with the vectors half made.
    with alone(directory, lambda: say("waiting for another build", 0)):
        folder, manifest = read_manifest(directory)
        wanted = _wanted(manifest, encoder)
        home = _home(folder, encoder)
        home.mkdir(exist_ok=True)
        started = home / "started.json"
        if started.exists() and _read(started, directory, encoder) != wanted:
            raise CorpusError(f"`{home}` holds vectors of another index or encoder: delete that folder and try again")
        started.write_text(wanted.model_dump_json(indent=2))
        _fill(home, folder, encoder, manifest.passages, say)
        (home / "dense.json").write_text(wanted.model_dump_json(indent=2))
    return wanted


def _silent(_what: str, _done: int) -> None:
    return None


def _fill(home: Path, folder: Path, encoder: Encoder, passages: int, progress: Progress) -> None:
    store = Store(folder / "corpus.sqlite")
    try:
        with closing(_client(home)) as client:
            hnsw: CreateHNSWConfiguration = {
                "space": "cosine",
                "max_neighbors": 32,
                "ef_search": _NEAREST,
            }
            collection = client.get_or_create_collection(
                _COLLECTION, embedding_function=None, configuration={"hnsw": hnsw}
            )
            # Rows come in order and a chunk is stored whole or not at all, so the count says where to go on.
            for start in range(collection.count(), passages, _CHUNK):
                rows = list(range(start, min(start + _CHUNK, passages)))
                vectors = encoder.encode([passage_text(p) for p in store.passages(rows)], kind="passage")
                collection.upsert(ids=[str(row) for row in rows], embeddings=vectors)
                progress("encoding passages", rows[-1] + 1)
    finally:
        store.close()


class DenseIndex:
    """The opened vectors of a corpus index. Rows are those of the index."""

    def __init__(self, directory: Path, encoder: Encoder) -> None:
        """Open the vectors that `encoder` made for the current generation of `directory`.

        Raises:
            CorpusError: there are none, they are incomplete, or made for another content; with the command to make
                them.
        """
        self.directory = directory
        self._encoder = encoder
        open_current(directory, self._open_at)

    def _open_at(self, folder: Path, manifest: Manifest) -> None:
        directory, encoder = self.directory, self._encoder
        home = _home(folder, encoder)
        remedy = _remedy(directory, encoder)
        if not (home / "dense.json").is_file():
            state = "not all" if home.is_dir() else "no"
            raise CorpusError(f"`{directory}` has {state} vectors of encoder `{encoder.name}`: {remedy}")
        self.manifest = _read(home / "dense.json", directory, encoder)
        if self.manifest != _wanted(manifest, encoder):
            raise CorpusError(f"the vectors in `{home}` are of another index or encoder: delete them and {remedy}")
        from chromadb.errors import ChromaError

        self._client = _client(home)
        try:
            self._collection = self._client.get_collection(_COLLECTION, embedding_function=None)
            held = self._collection.count()
        except ChromaError as error:
            self.close()
            raise CorpusError(f"`{home}` cannot be read ({error}): delete that folder and {remedy}") from error
        if held != manifest.passages:
            self.close()
            raise CorpusError(
                f"`{home}` holds {held} vectors for {manifest.passages} passages: delete that folder and {remedy}"
            )

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()

    def top(self, query: str, k: int, rows: Sequence[int] | Rows | None = None) -> tuple[Rows, Scores]:
        """The rows of the `k` passages nearest to `query`, best first, ties by row, and their cosines (-1 to 1).

        With `rows`, only those are looked at, each one of them; without, an approximate search goes through all.
        """
        if k <= 0 or not query.strip() or (rows is not None and not len(rows)):
            return np.empty(0, np.int32), np.empty(0)
        vector = self._encoder.encode([query[-QUESTION:]], kind="query")[0]
        near, vectors = self._near(vector, k) if rows is None else self._of(rows)
        # Computed again here: for equal vectors Chroma's own distances may differ in the last bit.
        cosines = vectors.astype(np.float64) @ vector.astype(np.float64)
        best = np.lexsort((near, -cosines))[:k]
        return near[best], cosines[best]

    def _near(self, vector: npt.NDArray[np.float32], k: int) -> tuple[Rows, Vectors]:
        wanted = min(max(k, _NEAREST), self.manifest.passages)
        found = self._collection.query(query_embeddings=[vector], n_results=wanted, include=["embeddings"])
        embeddings = found["embeddings"]
        assert embeddings is not None  # noqa: S101 - asked for one line above
        return np.array(found["ids"][0], dtype=np.int32), np.asarray(embeddings[0], dtype=np.float32)

    def _of(self, rows: Sequence[int] | Rows) -> tuple[Rows, Vectors]:
        found = self._collection.get(ids=[str(int(row)) for row in rows], include=["embeddings"])
        return np.array(found["ids"], dtype=np.int32), np.asarray(found["embeddings"], dtype=np.float32)


def _wanted(manifest: Manifest, encoder: Encoder) -> DenseManifest:
    return DenseManifest(
        encoder=encoder.name,
        dimensions=encoder.dimensions,
        content_sha256=manifest.content_sha256,
        passages=manifest.passages,
    )


def _home(folder: Path, encoder: Encoder) -> Path:
    return folder / f"dense-{encoder.name}"


def _remedy(directory: Path, encoder: Encoder) -> str:
    return f"run `wardround corpus embed --corpus {directory} --encoder {encoder.name.partition('@')[0]}`"


def _read(path: Path, directory: Path, encoder: Encoder) -> DenseManifest:
    try:
        return DenseManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CorpusError(
            f"`{path}` is damaged ({str(error).splitlines()[0]}): delete `{path.parent}` and "
            f"{_remedy(directory, encoder)}"
        ) from None


def _client(home: Path) -> Client:
    """Chroma on the files in `home`, in this process."""
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False, is_persistent=True, allow_reset=False)
    return cast("Client", chromadb.PersistentClient(path=home, settings=settings))
