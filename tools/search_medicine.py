"""The tool `search_medicine`: a thin LangChain tool over a medicine database."""

from __future__ import annotations

from html import escape
from typing import Protocol

from langchain_core.tools import BaseTool, StructuredTool

from ..corpora.medicines import Attribute, Hit, Passage, SearchCall


class Searchable(Protocol):
    """A medicine database."""

    def search(self, query: str | SearchCall, k: int = 10) -> list[Hit]:
        """The best `k` passages, best first."""
        ...


def search_medicine(medicines: Searchable, *, k: int = 3) -> BaseTool:
    """The tool over `medicines`, `k` passages a call.

    Its content for a model is the passages in delimited blocks; its artifact is the `list[Hit]`.
    """

    def search(
        medicine: str | None = None, attribute: Attribute | None = None, keywords: str = ""
    ) -> tuple[str, list[Hit]]:
        hits = medicines.search(SearchCall(medicine=medicine, attribute=attribute, keywords=keywords), k)
        return "\n".join(passage_block(h.passage, n) for n, h in enumerate(hits, start=1)) or "Nothing found.", hits

    return StructuredTool.from_function(
        search,
        name="search_medicine",
        description="Passages of medicine leaflets on one subject (attribute) of one medicine. Without a medicine: "
        "full-text search for the keywords over all medicines.",
        args_schema=SearchCall,
        response_format="content_and_artifact",
    )


def passage_block(passage: Passage, n: int) -> str:
    """A passage as data for a model: delimited, escaped, with number, medicine, attribute and date."""
    date = passage.source.date or "date unknown"
    return (
        f'<passage n="{n}" medicine="{escape(passage.medicine)}" subject="{passage.attribute.label}" date="{date}">\n'
        f"{escape(passage.text, quote=False)}\n</passage>"
    )
