"""Two-level search: which medicine, then which of its attributes; full text where no medicine is named.

After the entity-oriented database of MedicineQA (arXiv 2404.17897, section on retrieval). No model is involved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from .asking import RELATED, asked_attributes, without_cues
from .bm25 import LexicalEngine, Postings, RankBM25, Rows, Scores
from .generations import Manifest, open_current
from .index import ATTRIBUTES, search_terms
from .lay_words import label_words
from .linking import Mention, link
from .medicines import Attribute, Hit, Medicine, Passage, SearchCall
from .names import NameKind, form_words
from .spelling import Spelling
from .store import Store
from .unknown import unknown_names
from .words import fold, terms

_MOST_MEDICINES = 400
"""Labels taken for one name. More share a name only in whole-market corpora, where any of them answers."""
_MOST_CHARACTERS = 20_000
"""A longer query is cut to its last part: what is asked stands at the end."""
_KIND_WORTH = {
    NameKind.DISPLAY: 1.0,
    NameKind.BRAND: 0.9,
    NameKind.GENERIC: 0.9,
    NameKind.ALIAS: 0.85,
    NameKind.CORE: 0.8,
    NameKind.MISSPELLING: 0.8,
    NameKind.COMPONENT: 0.5,
}
_FORM_WORTH = 0.3
_NAME_WORTH = 2.0
"""How much more the medicine weighs than the attribute: first which medicine, then what about it."""
_ATTRIBUTE_WORTH = 1.0
_RELATED_WORTH = 0.4
_POOL = 20
"""How many times more passages full text finds than are wanted, to choose those of the asked attribute from."""


class Corpus:
    """An opened corpus index. Cheap to open, safe to share between threads."""

    def __init__(self, directory: Path, *, engine: Literal["postings", "rank-bm25"] = "postings") -> None:
        """Open the current generation of `directory`. `engine="rank-bm25"` indexes anew in memory: small corpora only.

        Raises:
            CorpusError: the directory is missing, damaged or of another version.
        """
        self.directory = directory
        self._engine = engine
        open_current(directory, self._open)

    def _open(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._store = Store(folder / "corpus.sqlite")
        # A turn asks for the same few medicines and names several times; records are frozen, so sharing them is safe.
        self._recent = lru_cache(maxsize=256)(self._read_medicine)
        self._recent_mentions = lru_cache(maxsize=256)(self._link)
        self._spelling = Spelling(folder / "spelling")
        self._first = np.load(folder / "first_passage.npy", mmap_mode="r", allow_pickle=False)
        self._prior = np.load(folder / "prior.npy", allow_pickle=False)
        self._attribute = np.load(folder / "attribute.npy", mmap_mode="r", allow_pickle=False)
        self._lexical: LexicalEngine = Postings(folder / "bm25") if self._engine == "postings" else self._reference()

    def _reference(self) -> RankBM25:
        return RankBM25([search_terms(p, m) for p, m in self._store.all_texts()])

    def close(self) -> None:
        """Let go of the files."""
        self._store.close()

    def mentions(self, text: str) -> list[Mention]:
        """The medicines that a text names, in order."""
        return list(self._recent_mentions(text))

    def _link(self, text: str) -> tuple[Mention, ...]:
        return tuple(link(text, self._store, self._spelling))

    def unknown_names(self, text: str) -> list[str]:
        """The words of a text that look like the name of a medicine which this corpus does not know."""
        text = text[-_MOST_CHARACTERS:]
        return unknown_names(text, self.mentions(text), self._lexical.known)

    def medicines(self, rows: Sequence[int]) -> list[Medicine]:
        """Whole medicines by row."""
        return self._store.medicines(rows)

    def medicine_of(self, mention: Mention) -> Medicine | None:
        """The medicine that a mention most likely means: the one to which the name belongs most closely."""
        rows = sorted(mention.medicines, key=lambda m: (-_KIND_WORTH[m[1]], m[0]))
        return self._store.medicines([rows[0][0]])[0] if rows else None

    def medicine(self, medicine_id: str) -> Medicine | None:
        """A whole medicine by id."""
        return self._recent(medicine_id)

    def _read_medicine(self, medicine_id: str) -> Medicine | None:
        row = self._store.medicine_row(medicine_id)
        return None if row is None else self._store.medicines([row])[0]

    def all_medicines(self) -> Iterator[Medicine]:
        """Every medicine, by id."""
        return self._store.all_medicines()

    def passages(self, ids: Sequence[str]) -> list[Passage]:
        """Passages by id; unknown ids are left out."""
        rows = self._store.passage_rows(ids)
        return self._store.passages([rows[i] for i in ids if i in rows])

    def search(self, query: str | SearchCall, k: int = 10) -> list[Hit]:
        """The best `k` passages for a question or a call, best first.

        A call with a medicine finds only passages of medicines of that name, or nothing: what is said about one
        medicine must not come from another. A plain text that names medicines puts theirs first and fills up with
        full-text hits; with several named, their passages alternate. Of a very long text the last part counts.
        """
        if k <= 0:
            return []
        if isinstance(query, SearchCall):
            return self._search_call(query, k)
        query = query[-_MOST_CHARACTERS:]
        mentions = self.mentions(query)
        rest = _without(fold(query), mentions)
        wanted, forms = asked_attributes(rest), form_words(query)
        groups = [self._of_mention(m, rest, wanted, forms, k) for m in mentions]
        found = _alternate(groups)[:k]
        if len(found) < k:
            known = {row for row, _, _ in found}
            more = self._full_text(query, wanted, k + len(known))
            found += [h for h in more if h[0] not in known][: k - len(found)]
        return self._hits(found)

    def _search_call(self, call: SearchCall, k: int) -> list[Hit]:
        keywords = call.keywords[-_MOST_CHARACTERS:]
        wanted = [call.attribute] if call.attribute else asked_attributes(keywords)
        if not call.medicine:
            return self._hits(self._full_text(keywords, wanted, k))
        name = call.medicine[-_MOST_CHARACTERS:]
        forms = form_words(f"{name} {keywords}")
        groups = [self._of_mention(m, fold(keywords), wanted, forms, k) for m in self.mentions(name)]
        return self._hits(_alternate(groups)[:k])

    def _of_mention(
        self, mention: Mention, rest: str, wanted: Sequence[Attribute], forms: frozenset[str], k: int
    ) -> list[tuple[int, float, str]]:
        """(row, score, name) of the best passages of the medicines that a mention may mean."""
        medicines = sorted(mention.medicines, key=lambda m: (-_KIND_WORTH[m[1]], m[0]))[:_MOST_MEDICINES]
        worth = np.array([_KIND_WORTH[kind] for _, kind in medicines])
        if not forms:  # who names no form means what is swallowed, mostly
            worth += self._prior[[row for row, _ in medicines]]
        if forms and len(medicines) > 1:
            for i, record in enumerate(self._store.medicines([row for row, _ in medicines])):
                if forms & form_words(f"{record.names.display} {record.form or ''}"):
                    worth[i] += _FORM_WORTH
        spans = [(int(self._first[row]), int(self._first[row + 1])) for row, _ in medicines]
        rows = np.concatenate([np.arange(a, b, dtype=np.int32) for a, b in spans])
        base = np.repeat(worth, [b - a for a, b in spans])
        order = np.argsort(rows, kind="stable")
        rows, base = rows[order], base[order]
        lexical = self._lexical.score(terms(f"{rest} {label_words(rest)}") or terms(mention.text), rows)
        share = lexical / (lexical.max(initial=0.0) + 10.0)
        score = _NAME_WORTH * base + self._attribute_worth(rows, wanted) + share
        best = np.lexsort((rows, -score))[:k]
        return [(int(rows[i]), float(score[i]), mention.text) for i in best]

    def _attribute_worth(self, rows: Rows, wanted: Sequence[Attribute]) -> npt.NDArray[np.float64]:
        worth = np.zeros(len(ATTRIBUTES))
        for place, attribute in enumerate(wanted):
            for related in RELATED.get(attribute, ()):
                at = ATTRIBUTES.index(related)
                worth[at] = max(worth[at], _RELATED_WORTH / (1 + place))
            at = ATTRIBUTES.index(attribute)
            worth[at] = max(worth[at], _ATTRIBUTE_WORTH / (1 + place))
        return worth[self._attribute[rows]]

    def _full_text(self, text: str, wanted: Sequence[Attribute], k: int) -> list[tuple[int, float, str | None]]:
        rows, scores = self._matching(text, max(k, 10) * (_POOL if wanted else 1))
        if not len(rows):
            return []
        # Below the scores of a named medicine: at most 0.5, of which the attribute decides the larger part.
        score = 0.2 * scores / scores[0] + 0.3 * self._attribute_worth(rows, wanted)
        best = np.lexsort((rows, -score))[:k]
        return [(int(rows[i]), float(score[i]), None) for i in best]

    def _matching(self, text: str, n: int) -> tuple[Rows, Scores]:
        """The `n` best passages of all medicines for a text that names none, best first, and their positive scores."""
        asked = without_cues(text, Attribute.INDICATIONS)
        return self._lexical.top(terms(f"{asked} {label_words(asked)}") or terms(text), n)

    def _hits(self, found: Sequence[tuple[int, float, str | None]]) -> list[Hit]:
        passages = self._store.passages([row for row, _, _ in found])
        return [
            Hit(passage=p, score=round(score, 6), matched=name)
            for p, (_, score, name) in zip(passages, found, strict=True)
        ]


def _without(folded: str, mentions: Sequence[Mention]) -> str:
    pieces, at = [], 0
    for mention in mentions:
        pieces.append(folded[at : mention.start])
        at = mention.end
    return " ".join([*pieces, folded[at:]])


def _alternate(groups: Sequence[Sequence[tuple[int, float, str]]]) -> list[tuple[int, float, str | None]]:
    """One of each group in turn, none twice."""
    merged: dict[int, tuple[int, float, str | None]] = {}
    for place in range(max((len(g) for g in groups), default=0)):
        for group in groups:
            if place < len(group):
                merged.setdefault(group[place][0], group[place])
    return list(merged.values())
