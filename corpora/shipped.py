"""The corpus one gets without asking for another: 60 essential medicines, indexed in the cache on first use."""

from __future__ import annotations

from pathlib import Path

from ..errors import CorpusError
from ..settings import Settings, get_settings
from .building import shipped_used
from .index import FORMAT, write_index
from .search import Corpus
from .sources.essential import essential_sha256, read_essential


def open_corpus(
    directory: Path | None = None, *, encoder: str | None = None, settings: Settings | None = None
) -> Corpus:
    """The index in `directory`, else the one of `WARDROUND_CORPUS`, else that of the shipped corpus.

    With an `encoder` (else `WARDROUND_ENCODER`), whose vectors `wardround corpus embed` made, full text is hybrid.

    Raises:
        CorpusError: the directory is missing, damaged or of another version, or has no vectors of that encoder.
        UserError: there is no such encoder, or it wasn't pulled.
    """
    settings = settings or get_settings()
    chosen = directory or settings.corpus
    corpus = Corpus(chosen) if chosen else _shipped(settings.cache_dir)
    if name := encoder or settings.encoder:
        from ..models.encoders import load_encoder
        from .dense import DenseIndex
        from .hybrid import HybridCorpus

        corpus.close()
        return HybridCorpus(corpus.directory, DenseIndex(corpus.directory, load_encoder(name, settings=settings)))
    return corpus


def _shipped(cache: Path) -> Corpus:
    """The shipped corpus, its index built in the cache if it isn't there or can't be read. Takes about a second."""
    digest = essential_sha256()
    directory = cache / "corpora" / f"essential-{FORMAT}-{digest[:12]}"
    try:
        return Corpus(directory)
    except CorpusError:  # not there yet, cut off, or written by a version of the same format that was not released
        medicines = list(read_essential())
        write_index(directory, medicines, sources=lambda: (shipped_used(len(medicines)),))
    return Corpus(directory)
