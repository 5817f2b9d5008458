"""Measure how well the shipped tagger finds regions, comparisons, negation and hedging in real radiology sentences.

    python -m wardround.evals.check_region_gold --reports FILE                  # the split for development
    python -m wardround.evals.check_region_gold --reports FILE --errors         # and each sentence it gets wrong
    python -m wardround.evals.check_region_gold --reports FILE --split fresh    # to report; or `test`

FILE holds the Open-i reports (see region_gold/CARD.md): JSON lines with `id`, `findings`, `impression`.
Ends with 1 where a figure is too low, with 2 where something given cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..corpora.patients import regions_in
from ..corpora.patients.assertions import assertions
from ..errors import UserError
from .region_gold import FLAGS, SPLITS, Labels, Scores, read_gold, read_texts, score
from .statistics import Figure

LEAST: Final = {"regions": 0.90, "compares": 0.93, "negated": 0.93}
"""The F1 that is asked of the tagger."""


def tagged(sentence: str) -> Labels:
    """What the shipped tagger says of a sentence."""
    said = assertions(sentence)
    return Labels(regions=regions_in(sentence), compares=said.compares, negated=said.negated, uncertain=said.uncertain)


def mistakes(gold: Labels, found: Labels) -> list[str]:
    """What `found` says otherwise than `gold`: `missed spine`, `extra negated`."""
    wanted, got = _names(gold), _names(found)
    return [f"missed {name}" for name in wanted if name not in got] + [f"extra {x}" for x in got if x not in wanted]


def _names(labels: Labels) -> list[str]:
    return [*labels.regions, *(name for name in FLAGS if getattr(labels, name))]


def shortfalls(scores: Scores) -> list[str]:
    """What is below `LEAST`, one line each."""
    faults: list[str] = []
    for name, least in LEAST.items():
        value = getattr(scores, name).f1.value
        if value is None or value < least:
            faults.append(f"{name}: F1 is {_number(value)}, wanted at least {least:.2f}")
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as `arguments` (else those of the command line) ask; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=Path, required=True, help="the Open-i reports")
    parser.add_argument("--split", choices=SPLITS, default="dev", help="which part of the gold")
    parser.add_argument("--errors", action="store_true", help="show each sentence that the tagger gets wrong")
    options = parser.parse_args(arguments)
    try:
        return _run(options.reports, options.split, errors=options.errors)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


def _run(reports: Path, split: str, *, errors: bool) -> int:
    gold, texts = read_gold(split), read_texts(reports)
    sentences = [each.sentence(texts) for each in gold]
    found = [tagged(sentence) for sentence in sentences]
    if errors:
        for each, labels, sentence in zip(gold, found, sentences, strict=True):
            if wrong := mistakes(each, labels):
                print(f"{each.where}: {'; '.join(wrong)}\n    {sentence}")
    scores = score(gold, found)
    _print(f"{split}: {len(gold)} sentences", scores)
    uniform = [place for place, each in enumerate(gold) if each.stratum == "uniform"]
    if len(uniform) < len(gold):
        _print(
            f"of these drawn without regard to words: {len(uniform)}",
            score([gold[place] for place in uniform], [found[place] for place in uniform]),
        )
    faults = shortfalls(scores)
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


def _print(title: str, scores: Scores) -> None:
    print(f"{title}\n{'':<12}{'gold':>5}  {'precision':<20}{'recall':<20}F1")
    for name, kind in zip(Scores._fields, scores, strict=True):
        precision, recall, f1 = (_shown(figure) for figure in (kind.precision, kind.recall, kind.f1))
        print(f"{name:<12}{kind.gold:>5}  {precision:<20}{recall:<20}{f1}")


def _shown(figure: Figure) -> str:
    """`0.93 (0.90-0.96)`."""
    if figure.ci is None:
        return _number(figure.value)
    return f"{_number(figure.value)} ({_number(figure.ci[0])}-{_number(figure.ci[1])})"


def _number(value: float | None) -> str:
    """With three digits, since a bar at two would else look reached by rounding."""
    return "none" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
