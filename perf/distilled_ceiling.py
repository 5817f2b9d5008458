"""What a perfect distiller would reach: HR@1 of the best call that an example's own gold allows.

Each medicine and attribute of the gold is searched for by name, as a call would be; the best of them counts. What is
left to 100 % lies in names, labels and search, and no distiller can gain it.

    python perf/distilled_ceiling.py --corpus INDEX [--data FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wardround.corpora import open_corpus
from wardround.corpora.medicines import Attribute, SearchCall
from wardround.evals import medicineqa_open
from wardround.evals.benchmark import Example, Output, Score
from wardround.evals.benchmarks import medicineqa
from wardround.evals.statistics import rate
from wardround.graphs.consult import EvidenceShown

DEV = Path(medicineqa_open.__file__).parent / "dev.jsonl"


def main() -> None:
    """Print both rates with their intervals."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=DEV)
    told = parser.parse_args()
    corpus = open_corpus(told.corpus)
    benchmark = medicineqa.load(
        told.data, medicines=corpus.all_medicines(), corpus_sha256=corpus.manifest.content_sha256
    )
    best: dict[str, list[bool]] = {"hr_document.1": [], "hr_attribute.1": []}
    for example in benchmark.examples:
        found: list[Any] = [
            [EvidenceShown.of(n, hit.passage).model_dump() for n, hit in enumerate(corpus.search(call, k=3), start=1)]
            for call in _calls(example)
        ]
        scores = [benchmark.score(example, Output(text="", data={"evidence": items})) for items in found]
        for metric, hits in best.items():
            values = [
                value for score in scores if isinstance(score, Score) and (value := score.values[metric]) is not None
            ]
            if values:
                hits.append(max(values) > 0)
    for metric, hits in best.items():
        figure = rate(hits)
        low, high = figure.ci or (0.0, 1.0)
        print(f"{metric}: {figure.value:.3f} [{low:.3f}, {high:.3f}], n = {len(hits)}")


def _calls(example: Example) -> Iterator[SearchCall]:
    gold: Any = example.gold
    for entry in gold.get("evidence", ()):
        yield SearchCall(medicine=entry["medicine"], attribute=Attribute(entry["attribute"]))
    if "medicine" in gold:
        for attribute in gold.get("attributes", ("indications",)):
            yield SearchCall(medicine=gold["medicine"], attribute=Attribute(attribute))


if __name__ == "__main__":
    main()
