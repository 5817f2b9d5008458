"""Which labels the gold was read from: names, attributes and hashes of their texts, but no texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...corpora.medicines import Attribute, Medicine
from ...corpora.names import core
from ...errors import UserError
from .items import Dialogue

FILE: Final = "labels.jsonl"


class Label(BaseModel):
    """One label, as openFDA has it or as the shipped corpus tells it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    set_id: str
    source: Literal["openfda", "essential"]
    """The shipped corpus has the `set_id` of the label that each of its texts was written from."""
    substances: tuple[str, ...]
    """Without salts, sorted."""
    names: tuple[str, ...]
    """Brands and generic names, lower case; for a shipped medicine aliases and misspellings too."""
    date: str | None
    """Of the version that was read, as ISO date."""
    texts: dict[Attribute, str]
    """The sha256 of each attribute's text, in UTF-8."""


Labels = dict[str, list[Label]]
"""Labels by `set_id`: the one of openFDA, the shipped one, or both."""


def label_of(medicine: Medicine) -> Label:
    """The entry of a medicine of the sources `openfda` or `essential`."""
    names = medicine.names
    source = "essential" if medicine.source.name == "essential" else "openfda"
    plain = (*names.brands, *names.generic, *names.aliases, *names.misspellings)
    return Label(
        set_id=medicine.source.id,
        source=source,
        substances=tuple(sorted({core(name) for name in names.substances or names.generic or (names.display,)})),
        names=tuple(sorted({name.lower() for name in plain})),
        date=medicine.source.date,
        texts={a: hashlib.sha256(t.encode()).hexdigest() for a, t in sorted(medicine.texts.items())},
    )


def read_labels(folder: Path) -> Labels:
    """The label index in `folder`.

    Raises:
        UserError: it is missing or damaged.
    """
    path = folder / FILE
    labels: Labels = {}
    try:
        for line in filter(None, path.read_text(encoding="utf-8").split("\n")):
            label = Label.model_validate_json(line)
            labels.setdefault(label.set_id, []).append(label)
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"`{path}` cannot be read ({reason}): write it anew with `--labels INDEX --write`") from None
    return labels


def write_labels(folder: Path, dialogues: Sequence[Dialogue], medicines: Iterable[Medicine]) -> int:
    """Write the index of the labels that the dialogues name and of all shipped medicines; how many those are.

    `medicines` holds the openFDA labels and the shipped medicines; others of them are left out.
    """
    wanted = {e.set_id for d in dialogues for e in d.evidence} | {d.label for d in dialogues if d.label}
    labels = [label_of(m) for m in medicines if m.source.name == "essential" or m.source.id in wanted]
    labels.sort(key=lambda label: (label.set_id, label.source))
    lines = (label.model_dump_json() + "\n" for label in labels)
    (folder / FILE).write_text("".join(lines), encoding="utf-8")
    return len(labels)
