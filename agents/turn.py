"""What passes between the roles within one turn of a consultation."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from ..corpora.linking import Mention
from ..corpora.medicines import Attribute, Hit, Medicine, SearchCall
from .checking import Citation


class MedicineSearch(Protocol):
    """What the roles need of a medicine database; `wardround.corpora.Corpus` is one."""

    def search(self, query: str | SearchCall, k: int = 10) -> list[Hit]:
        """The best `k` passages for a question or a call, best first."""
        ...

    def mentions(self, text: str) -> list[Mention]:
        """The medicines that a text names, in order."""
        ...

    def unknown_names(self, text: str) -> list[str]:
        """Words of a text that look like the name of a medicine which the database does not have."""
        ...

    def medicine_of(self, mention: Mention) -> Medicine | None:
        """The medicine that a mention most likely means."""
        ...

    def medicine(self, medicine_id: str) -> Medicine | None:
        """A whole medicine by id."""
        ...


class DistilledBy(StrEnum):
    """Who made a search call. A rule's call never passes for the model's."""

    MODEL = "model"
    """The model's first reply."""
    REPAIR = "repair"
    """The model's reply to being told what was wrong with its first."""
    RULE = "rule"
    """A rule, by design: a stated fact about the person, a second medicine, or a graph without a model."""
    FALLBACK = "fallback"
    """The rules, because the model's replies could not be used."""


class AnsweredBy(StrEnum):
    """How an answer came about."""

    MODEL = "model"
    """The model wrote or chose it, and it passed the checks."""
    REPAIR = "repair"
    """The model corrected it once, then it passed."""
    QUOTES = "quotes"
    """Verbatim sentences chosen by rule, because the model's text could not be used."""
    RULE = "rule"
    """A fixed text: a greeting, or nothing found."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Call(_Record):
    """A search call with its origin."""

    medicine: str | None = None
    attribute: Attribute | None = None
    keywords: str = ""
    other_names: tuple[str, ...] = ()
    """For interactions: the other medicine as this one's leaflet may speak of it, by name, substance or class."""
    distilled_by: DistilledBy
    reason: str = ""
    """Why a rule added it, or what was wrong with the model's reply."""
    hits: int | None = None
    """Passages found; None before the search."""

    @property
    def search(self) -> SearchCall:
        """The arguments of the tool."""
        words = " ".join([*self.other_names, self.keywords]).strip()
        return SearchCall(medicine=self.medicine, attribute=self.attribute, keywords=words)


class Flag(_Record):
    """Something about a turn that its reader should know."""

    kind: str
    """`urgent`, `nothing_found`, `medicine_not_found`, `attribute_missing`, `fallback`, `unchecked_withdrawn`,
    `superseded`, `conflicting`, `instruction_in_passage`; of films also `films_not_seen`, `no_records`,
    `region_not_found`, `cites_comparison`, `comparing_left_out`, `burnt_in_text`, `weak_model`."""
    text: str


class Answer(_Record):
    """A finished answer."""

    text: str
    citations: tuple[Citation, ...] = ()
    answered_by: AnsweredBy


def merge_flags(old: Sequence[Flag], new: Sequence[Flag]) -> list[Flag]:
    """Both, each once, in order."""
    return list(dict.fromkeys([*old, *new]))
