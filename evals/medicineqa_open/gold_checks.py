"""Do gold, shares and traits of the dialogues hold together? Each function gives one line a fault."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ...corpora.medicines import Medicine
from ...corpora.names import core, is_form, key
from ...corpora.words import everyday_use, fold, plain_word, word_runs
from .items import SPLITS, Category, Dialogue, Trait
from .label_index import Labels, label_of

SHARES: Final = {
    Category.RECOMMENDATION: 0.20,
    Category.ADVERSE_REACTIONS: 0.20,
    Category.DOSAGE: 0.15,
    Category.INTERACTIONS: 0.133,
    Category.INDICATIONS: 0.083,
    Category.CONTRAINDICATIONS: 0.083,
    Category.PREGNANCY_CHILDREN: 0.067,
    Category.STORAGE: 0.05,
    Category.OVERDOSE: 0.033,
}
"""Which part of all dialogues asks what, after the question kinds of MedicineQA (arXiv 2404.17897)."""
_SHARE_OFF: Final = 0.02
FEWEST: Final = {
    Trait.NO_MEDICINE_IN_LAST_TURN: 150,
    Trait.SHIPPED: 100,
    Trait.TWO_MEDICINES: 60,
    Trait.MISSPELT: 40,
    Trait.UNANSWERABLE: 30,
    Trait.PERSON_FACT: 20,
}
"""How many dialogues must have a trait, at the least."""
FEWEST_SUBSTANCES: Final = 200
_RARE: Final = 3.0
"""A name that is as common a word as this ("water", "today") may mean something else."""


def count_faults(dialogues: Sequence[Dialogue]) -> Iterator[str]:
    """Ids given twice; categories whose share is off; traits and substances that too few dialogues have."""
    for name, count in Counter(d.id for d in dialogues).items():
        if count > 1:
            yield f"{name}: the id stands there {count} times"
    categories = Counter(d.category for d in dialogues)
    for category, share in SHARES.items():
        found = categories[category] / max(len(dialogues), 1)
        if abs(found - share) > _SHARE_OFF:
            yield f"category `{category}`: {found:.3f} of the dialogues, wanted {share:.3f} (+-{_SHARE_OFF})"
    traits = Counter(trait for d in dialogues for trait in d.traits)
    for trait, fewest in FEWEST.items():
        if traits[trait] < fewest:
            yield f"trait `{trait}`: {traits[trait]} dialogues, wanted at least {fewest}"
    substances = {e.medicine for d in dialogues for e in d.evidence}
    if len(substances) < FEWEST_SUBSTANCES:
        yield f"the evidence names {len(substances)} medicines, wanted at least {FEWEST_SUBSTANCES}"


def split_faults(split: str, dialogues: Sequence[Dialogue]) -> Iterator[str]:
    """A split that has not the size it should have."""
    if len(dialogues) != SPLITS[split]:
        yield f"{split}.jsonl: {len(dialogues)} dialogues, wanted {SPLITS[split]}"


def label_faults(dialogues: Sequence[Dialogue], labels: Labels) -> Iterator[str]:
    """Gold that names no label of the index, an attribute that its label has not, or another medicine than it."""
    for d in dialogues:
        if d.label and d.label not in labels:
            yield f"{d.id}: the label `{d.label}` is not in the index"
        if d.evidence and d.label not in {e.set_id for e in d.evidence}:
            yield f"{d.id}: its label `{d.label}` is none of its evidence"
        for e in d.evidence:
            known = labels.get(e.set_id, [])
            if not known:
                yield f"{d.id}: the label `{e.set_id}` is not in the index"
            elif not any(e.attribute in label.texts for label in known):
                yield f"{d.id}: the label `{e.set_id}` has no `{e.attribute}`"
            elif not any(_is(e.medicine, (*label.substances, *label.names)) for label in known):
                yield f"{d.id}: the label `{e.set_id}` is not of `{e.medicine}`"


def _is(medicine: str, names: Sequence[str]) -> bool:
    """Whether a name is one of `names`, or several of them joined by `and`."""
    known = {core(name) for name in names}
    return core(medicine) in known or all(core(part) in known for part in medicine.split(" and "))


def shipped_faults(dialogues: Sequence[Dialogue], labels: Labels, shipped: Sequence[Medicine]) -> Iterator[str]:
    """Gold read from a shipped text that was changed or dropped since."""
    now = {m.source.id: label_of(m) for m in shipped}
    read = {s: label for s, group in labels.items() for label in group if label.source == "essential"}
    for d in dialogues:
        for e in d.evidence:
            if (
                e.set_id in read
                and (then := read[e.set_id].texts.get(e.attribute))
                and (e.set_id not in now or now[e.set_id].texts.get(e.attribute) != then)
            ):
                yield f"{d.id}: the shipped `{e.attribute}` of `{e.medicine}` changed: read it, then `--write`"


def trait_faults(dialogues: Sequence[Dialogue], labels: Labels) -> Iterator[str]:
    """Traits that the dialogue's own gold or words contradict."""
    names = _names(labels)
    for d in dialogues:
        if (Trait.UNANSWERABLE in d.traits) == bool(d.evidence):
            yield f"{d.id}: `{Trait.UNANSWERABLE}` and evidence exclude each other, and one must be there"
        from_shipped = any(label.source == "essential" for e in d.evidence for label in labels.get(e.set_id, []))
        if d.evidence and from_shipped != (Trait.SHIPPED in d.traits):
            yield f"{d.id}: `{Trait.SHIPPED}` says otherwise than the evidence"
        if Trait.NO_MEDICINE_IN_LAST_TURN in d.traits:
            words = {key(plain_word(run)) for run, _, _ in word_runs(fold(d.last_turn))}
            for word in sorted(words & names):
                yield f"{d.id}: `{Trait.NO_MEDICINE_IN_LAST_TURN}`, but the last turn says `{word}`"


def _names(labels: Labels) -> set[str]:
    """The words of all names that mean a medicine wherever they stand."""
    every = {name for group in labels.values() for label in group for name in (*label.substances, *label.names)}
    words = {word for name in every for word in re.findall(r"[a-z]{4,}", core(name)) if not is_form(word)}
    return {word for word in words if everyday_use(word) < _RARE}
