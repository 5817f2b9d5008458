"""How often search puts the right medicine (and attribute) first, on the real question sets. No model is involved.

    python perf/retrieval_quality.py --data DIR --labels INDEX --chinese INDEX [--show-misses]

`DIR` holds `medicationqa/` and `medicineqa_zh/`; `--labels` is an index of the openFDA labels, `--chinese` one of the
303 passages and all monographs. Gold for medicationqa: the labels with a brand, generic or substance name equal to the
medicine in focus once salt and dosage-form words are dropped; questions without such a label are left out.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from wardround.corpora import Corpus
from wardround.corpora.medicines import Attribute, Hit
from wardround.corpora.names import core, key
from wardround.corpora.sources.attributes import resolve

CUTS = (1, 5, 10)
Row = dict[str, Any]


def read_lines(path: Path) -> list[Row]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def hit_rates(rows: Sequence[tuple[str, Callable[[Hit], bool]]], corpus: Corpus, *, show: bool) -> str:
    """HR@1/5/10 of (query, is it right) pairs, as text."""
    counts = dict.fromkeys(CUTS, 0)
    for query, right in rows:
        hits = corpus.search(query, max(CUTS))
        good = [right(h) for h in hits]
        for cut in CUTS:
            counts[cut] += any(good[:cut])
        if show and not any(good[:1]):
            print("    miss:", query, "->", [(h.passage.medicine, h.passage.attribute.value) for h in hits[:2]])
    return "  ".join(f"HR@{cut} {counts[cut] / len(rows):.3f}" for cut in CUTS) + f"  (n = {len(rows)})"


def consumer_questions(data: Path, corpus: Corpus, *, show: bool) -> None:
    """The English consumer questions over the openFDA labels."""
    gold: dict[str, set[str]] = defaultdict(set)
    for medicine in corpus.all_medicines():
        names = medicine.names
        for name in (*names.brands, *names.generic, *names.substances):
            gold[core(name)].add(medicine.id)
    questions = [q for q in read_lines(data / "medicationqa/questions_dev.jsonl") if gold.get(core(q["medicine"]))]

    def right(question: Row) -> Callable[[Hit], bool]:
        ids = gold[core(question["medicine"])]
        return lambda hit: hit.passage.medicine_id in ids

    def rows(field: str) -> list[tuple[str, Callable[[Hit], bool]]]:
        return [(q[field], right(q)) for q in questions]

    print("medicationqa, the focus name        ", hit_rates(rows("medicine"), corpus, show=show))
    print("medicationqa, the whole question    ", hit_rates(rows("question"), corpus, show=show))


def chinese_questions(data: Path, corpus: Corpus, *, show: bool) -> None:
    """The Chinese questions over passages and monographs. Medicines are compared by name: both sources hold some."""
    questions = read_lines(data / "medicineqa_zh/questions_dev.jsonl")

    def right(pairs: Iterable[tuple[str, Attribute | None]]) -> Callable[[Hit], bool]:
        wanted = {(key(name), attribute) for name, attribute in pairs}
        return lambda h: (key(h.passage.medicine), h.passage.attribute) in wanted

    def named(names: Iterable[str]) -> Callable[[Hit], bool]:
        wanted = {key(name) for name in names}
        return lambda h: key(h.passage.medicine) in wanted

    pairs = [(e["medicine"], e["attribute"]) for q in questions for e in q["evidence"]]
    gold_rows = [(f"{m} {a}", right([(m, resolve(a))])) for m, a in pairs]
    print("medicineqa_zh, gold pair, attribute ", hit_rates(gold_rows, corpus, show=show))
    asked = [(q["dialogue"][-1]["content"], q["evidence"]) for q in questions]
    by_name = [(text, named(e["medicine"] for e in evidence)) for text, evidence in asked]
    print("medicineqa_zh, question, document   ", hit_rates(by_name, corpus, show=show))
    by_pair = [(t, right((e["medicine"], resolve(e["attribute"])) for e in evidence)) for t, evidence in asked]
    print("medicineqa_zh, question, attribute  ", hit_rates(by_pair, corpus, show=show))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--chinese", type=Path, required=True)
    parser.add_argument("--show-misses", action="store_true")
    options = parser.parse_args()
    consumer_questions(options.data, Corpus(options.labels), show=options.show_misses)
    chinese_questions(options.data, Corpus(options.chinese), show=options.show_misses)


if __name__ == "__main__":
    main()
