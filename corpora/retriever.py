"""Any LangChain retriever in place of our own search; names of medicines are still linked by a corpus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from ..errors import UserError
from .linking import Mention
from .medicines import Hit, Medicine, SearchCall
from .passages import passages_of
from .search import Corpus

PASSAGE_ID: Final = "passage_id"
"""Where a document's metadata names the passage that it is."""


def documents(corpus: Corpus) -> Iterator[Document]:
    """The passages of a corpus as documents, for any vector store or search server to take in."""
    for medicine in corpus.all_medicines():
        for passage in passages_of(medicine):
            about = f"{passage.medicine}, {passage.attribute.label}: {passage.text}"
            yield Document(about, metadata={PASSAGE_ID: passage.id})


class RetrieverSearch:
    """A medicine search for the graphs: passages by a retriever, names by a corpus.

    What an answer may cite is the corpus's own text of the passage, so a citation can be checked whatever the
    retriever's store holds.
    """

    def __init__(self, corpus: Corpus, retriever: BaseRetriever) -> None:
        self._corpus = corpus
        self._retriever = retriever

    def search(self, query: str | SearchCall, k: int = 10) -> list[Hit]:
        """The first `k` documents of the retriever, as passages, in its order.

        Raises:
            UserError: a document names no passage of the corpus.
        """
        text = query
        if isinstance(query, SearchCall):
            subject = query.attribute.label if query.attribute else None
            text = " ".join(filter(None, (query.medicine, subject, query.keywords)))
        found = self._retriever.invoke(str(text))[:k]
        ids = [str(document.metadata.get(PASSAGE_ID)) for document in found]
        known = {passage.id: passage for passage in self._corpus.passages([i for i in ids if i != "None"])}
        if unknown := [i for i in ids if i not in known]:
            raise UserError(
                f"the retriever found a document of passage `{unknown[0]}`, which the corpus does not have: fill its "
                "store with `wardround.corpora.documents` of the same corpus"
            )
        return [Hit(passage=known[i], score=1 / n) for n, i in enumerate(dict.fromkeys(ids), start=1)]

    def mentions(self, text: str) -> list[Mention]:
        """As the corpus."""
        return self._corpus.mentions(text)

    def unknown_names(self, text: str) -> list[str]:
        """As the corpus."""
        return self._corpus.unknown_names(text)

    def medicine_of(self, mention: Mention) -> Medicine | None:
        """As the corpus."""
        return self._corpus.medicine_of(mention)

    def medicine(self, medicine_id: str) -> Medicine | None:
        """As the corpus."""
        return self._corpus.medicine(medicine_id)
