"""What is known: medicines at rest, where they come from, and search over them."""

from .index import Manifest, change_index, verify, write_index
from .medicines import Attribute, Hit, Medicine, Passage, SearchCall
from .retriever import RetrieverSearch, documents
from .search import Corpus
from .shipped import open_corpus

__all__ = [
    "Attribute",
    "Corpus",
    "Hit",
    "Manifest",
    "Medicine",
    "Passage",
    "RetrieverSearch",
    "SearchCall",
    "change_index",
    "documents",
    "open_corpus",
    "verify",
    "write_index",
]
