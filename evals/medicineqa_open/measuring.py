"""How well plain retrieval finds the gold, and whether the gold finds itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ...corpora import Corpus, SearchCall, write_index
from ...corpora.bm25 import Postings
from ...corpora.generations import read_manifest
from ...corpora.medicines import Attribute, Medicine
from ...corpora.sources.essential import read_essential
from ...corpora.store import Store
from ...corpora.words import terms
from .items import Dialogue, Evidence
from .label_index import Labels, label_of

CUTS: Final = (1, 5, 10)
LEAST: Final = 0.95
"""What the gold must reach as a query, else labels are wrong."""
Place = tuple[str, Attribute]
"""A passage's medicine id and attribute."""
_Substances = frozenset[str]
_Find = Callable[[str, int], list[Place]]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    query: str
    n: int
    document: tuple[float, ...]
    """HR@1, 5, 10 of a medicine with the substances of a gold label."""
    attribute: tuple[float, ...]
    """Likewise, and of the gold attribute."""


@dataclass(frozen=True)
class Measured:
    """All that was measured."""

    medicines: int
    passages: int
    rows: tuple[Row, ...]
    misses: tuple[str, ...]
    """Gold that does not come first when it is asked for, one line each."""


def stale(labels: Labels, medicines: Iterable[Medicine]) -> Iterator[str]:
    """One line for each openFDA label that `medicines` lacks or has in another version than the gold was read from."""
    now = {m.source.id: label_of(m) for m in medicines if m.source.name == "openfda"}
    for set_id, group in labels.items():
        for label in (each for each in group if each.source == "openfda"):
            if set_id not in now:
                yield f"the label `{set_id}` ({', '.join(label.substances)}) is not in the corpus"
            elif changed := [a for a, digest in label.texts.items() if now[set_id].texts.get(a) != digest]:
                then, date = label.date, now[set_id].date
                yield f"the label `{set_id}` of {then} has other texts in the corpus ({date}): {', '.join(changed)}"


def measure(dialogues: Sequence[Dialogue], index: Path) -> Measured:
    """Look for the gold of all dialogues that have any in the labels of `index` and the shipped medicines together.

    The shipped medicines are added in a temporary index, which takes a minute, unless they are in `index`.

    Raises:
        CorpusError: `index` is no index.
    """
    corpus = Corpus(index)
    shipped = list(read_essential())
    if corpus.medicine(shipped[0].id):
        return _measure(dialogues, corpus)
    with TemporaryDirectory() as folder:
        write_index(Path(folder), chain(corpus.all_medicines(), shipped))
        corpus.close()
        return _measure(dialogues, Corpus(Path(folder)))


def _measure(dialogues: Sequence[Dialogue], corpus: Corpus) -> Measured:
    asked = [d for d in dialogues if d.evidence]
    of_medicine = {m.id: frozenset(label_of(m).substances) for m in corpus.all_medicines()}
    of_label: dict[str, set[_Substances]] = {}
    for medicine in corpus.all_medicines():
        of_label.setdefault(medicine.source.id, set()).add(of_medicine[medicine.id])
    folder, manifest = read_manifest(corpus.directory)
    postings, store = Postings(folder / "bm25"), Store(folder / "corpus.sqlite")

    def flat(text: str, k: int) -> list[Place]:
        passages = store.passages(postings.top(terms(text), k)[0].tolist())
        return [(p.medicine_id, p.attribute) for p in passages]

    def row(name: str, queries: Sequence[tuple[str, Sequence[Evidence]]], find: _Find) -> Row:
        ranks = [_right(find(query, max(CUTS)), gold, of_medicine, of_label) for query, gold in queries]
        rates = [tuple(sum(any(r[level][:k]) for r in ranks) / len(ranks) for k in CUTS) for level in (0, 1)]
        return Row(name, len(queries), rates[0], rates[1])

    pairs = [(d, e) for d in asked for e in d.evidence]
    rows = [
        row("flat BM25, the whole dialogue", [(d.text, d.evidence) for d in asked], flat),
        row("flat BM25, the last turn", [(d.last_turn, d.evidence) for d in asked], flat),
        row("flat BM25, gold medicine and attribute", [(_gold_words(e), [e]) for _, e in pairs], flat),
    ]
    misses: list[str] = []
    ranks: list[tuple[list[bool], list[bool]]] = []
    for d, e in pairs:
        hits = corpus.search(SearchCall(medicine=e.medicine, attribute=e.attribute), max(CUTS))
        places = [(h.passage.medicine_id, h.passage.attribute) for h in hits]
        ranks.append(_right(places, [e], of_medicine, of_label))
        if not ranks[-1][1][:1] or not ranks[-1][1][0]:
            first = f"{hits[0].passage.medicine}, {places[0][1]}" if hits else "nothing"
            misses.append(f"{d.id}: `{e.medicine}` `{e.attribute}` finds first: {first}")
    rates = [tuple(sum(any(r[level][:k]) for r in ranks) / len(ranks) for k in CUTS) for level in (0, 1)]
    rows.append(Row("search, gold medicine and attribute", len(pairs), rates[0], rates[1]))
    return Measured(manifest.medicines, manifest.passages, tuple(rows), tuple(misses))


def _gold_words(evidence: Evidence) -> str:
    return f"{evidence.medicine} {evidence.attribute.label}"


def _right(
    places: Sequence[Place],
    gold: Sequence[Evidence],
    of_medicine: dict[str, _Substances],
    of_label: dict[str, set[_Substances]],
) -> tuple[list[bool], list[bool]]:
    """For each place, best first: whether it is of a gold substance, and whether it is also of its attribute."""
    wanted = {(substances, e.attribute) for e in gold for substances in of_label.get(e.set_id, ())}
    documents = {substances for substances, _ in wanted}
    return (
        [of_medicine[medicine] in documents for medicine, _ in places],
        [(of_medicine[medicine], attribute) in wanted for medicine, attribute in places],
    )
