"""Check the shipped dialogues of MedicineQA-Open, and measure how well plain retrieval finds their gold.

    python -m wardround.evals.check_medicineqa_open                     # seconds; needs neither labels nor network
    python -m wardround.evals.check_medicineqa_open --real DIR          # also: no overlap with these question sets
    python -m wardround.evals.check_medicineqa_open --labels INDEX      # also: the figures of the data sheet

Prints one line a fault. Ends with 1 where there is one, with 2 where something given cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..corpora import Corpus
from ..corpora.sources.essential import read_essential
from ..errors import UserError
from ..models.encoders import load_encoder
from ..settings import get_settings
from .medicineqa_open import gold_checks, text_checks
from .medicineqa_open.items import FOLDER, SPLITS, Dialogue, Trait, parse_dialogues
from .medicineqa_open.label_index import Labels, read_labels, write_labels
from .medicineqa_open.measuring import CUTS, LEAST, Measured, measure, stale

ENCODER = "bge-small"
"""Finds dialogues that tell the same story in other words, where it was pulled."""


def check(folder: Path = FOLDER, *, real: Path | None = None) -> list[str]:
    """The faults of the dialogues in `folder`, one line each. With `real`, also what they share with its question sets.

    Raises:
        UserError: the folder's files are missing, or `real` holds no text.
    """
    dialogues, faults = _read(folder)
    labels = read_labels(folder)
    faults += gold_checks.count_faults(dialogues)
    faults += gold_checks.label_faults(dialogues, labels)
    faults += gold_checks.shipped_faults(dialogues, labels, list(read_essential()))
    faults += gold_checks.trait_faults(dialogues, labels)
    faults += text_checks.repeat_faults(dialogues)
    faults += text_checks.personal_faults(dialogues)
    if real is not None:
        faults += text_checks.overlap_faults(dialogues, real)
    return faults


def _read(folder: Path) -> tuple[list[Dialogue], list[str]]:
    dialogues: list[Dialogue] = []
    faults: list[str] = []
    for split in SPLITS:
        found, broken = parse_dialogues(folder / f"{split}.jsonl")
        dialogues += found
        faults += [*broken, *gold_checks.split_faults(split, found)]
    return dialogues, faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks that `arguments` (else those of the command line) ask for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="check these dialogues, not the shipped ones")
    parser.add_argument("--real", type=Path, help="a folder with question sets (.json, .jsonl, .txt)")
    parser.add_argument("--labels", type=Path, help="a corpus index of the openFDA labels: measure")
    parser.add_argument("--write", action="store_true", help="write the label index anew from `--labels`")
    options = parser.parse_args(arguments)
    try:
        return _run(options.folder, options.real, options.labels, write=options.write)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


def _run(folder: Path, real: Path | None, index: Path | None, *, write: bool) -> int:
    dialogues, _ = _read(folder)
    if write:
        if index is None:
            raise UserError("`--write` needs `--labels INDEX`: an index of the openFDA labels")
        _write(folder, dialogues, index)
    faults = check(folder, real=real) + _near(dialogues)
    if real is None:
        print("not checked: overlap with real question sets (`--real DIR`)")
    if index is None:
        print("not checked: whether the gold finds itself (`--labels INDEX`)")
    else:
        faults += _against(index, dialogues, read_labels(folder))
    print(*faults, sep="\n", end="\n" if faults else "")
    counts = Counter(trait for d in dialogues for trait in d.traits)
    substances = len({e.medicine for d in dialogues for e in d.evidence})
    print(
        f"{len(dialogues)} dialogues, {substances} medicines, {counts[Trait.SHIPPED]} dialogues about shipped ones, "
        f"{len(faults)} faults"
    )
    return 1 if faults else 0


def _write(folder: Path, dialogues: Sequence[Dialogue], index: Path) -> None:
    corpus = Corpus(index)
    medicines = [m for m in corpus.all_medicines() if m.source.name == "openfda"]
    corpus.close()
    print(f"{write_labels(folder, dialogues, [*medicines, *read_essential()])} labels written")


def _near(dialogues: Sequence[Dialogue]) -> list[str]:
    try:
        encoder = load_encoder(ENCODER, settings=get_settings())
    except UserError as error:
        print(f"not checked: stories told twice ({error})")
        return []
    return list(text_checks.near_faults(dialogues, encoder))


def _against(index: Path, dialogues: Sequence[Dialogue], labels: Labels) -> list[str]:
    """Measure, and print what is no fault."""
    corpus = Corpus(index)
    for line in stale(labels, corpus.all_medicines()):
        print(f"note: {line}")
    corpus.close()
    measured = measure(dialogues, index)
    _print(measured)
    own = measured.rows[-1]
    return [
        f"{own.query}: HR@1 by {level} is {rates[0]:.3f}, wanted at least {LEAST}"
        for level, rates in (("document", own.document), ("attribute", own.attribute))
        if rates[0] < LEAST
    ]


def _print(measured: Measured) -> None:
    print(f"{measured.medicines} medicines, {measured.passages} passages")
    cuts = "/".join(map(str, CUTS))
    print(f"{'query':<42}{'n':>5}  {f'document HR@{cuts}':<22}  attribute HR@{cuts}")
    for row in measured.rows:
        document, attribute = (" / ".join(f"{rate:.3f}" for rate in rates) for rates in (row.document, row.attribute))
        print(f"{row.query:<42}{row.n:>5}  {document:<22}  {attribute}")
    for line in measured.misses:
        print(f"note: {line}")


if __name__ == "__main__":
    sys.exit(main())
