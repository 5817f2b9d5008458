"""What a model contributes to consultations on real questions: who distilled, who answered, what was flagged.

    python perf/embedded_model.py --data DIR --labels INDEX [--model SPEC]

`DIR` holds `medicationqa/`; `--labels` is an index of the openFDA labels. Gold as in `retrieval_quality.py`. The same
is done by rules alone, for comparison. With the embedded model it takes about 20 minutes on 2 cores.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage
from retrieval_quality import read_lines
from wardround.corpora import open_corpus
from wardround.corpora.names import core
from wardround.graphs import consult, consultation, retrieve_then_read
from wardround.models import chat_model


async def report(name: str, graph: Any, questions: list[tuple[str, set[str]]]) -> None:
    """Ask all questions, one at a time, and print the counts."""
    distilled, answered, flags = Counter[str](), Counter[str](), Counter[str]()
    right, start = 0, time.perf_counter()
    for question, gold in questions:
        result = await consult(graph, [HumanMessage(question)])
        distilled[result.distilled_by.value if result.distilled_by else "no search"] += 1
        answered[result.answered_by.value] += 1
        flags.update(flag.kind for flag in result.flags)
        right += bool(result.evidence) and result.evidence[0].medicine_id in gold
    seconds = (time.perf_counter() - start) / len(questions)
    print(f"{name}, n = {len(questions)}, {seconds:.2f} s a question")
    print(f"  the first passage is of the right medicine: {right / len(questions):.3f}")
    for what, counts in (("distilled by", distilled), ("answered by", answered), ("flags", flags)):
        print(f"  {what}: " + ", ".join(f"{k} {n}" for k, n in counts.most_common()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--model", default="local")
    options = parser.parse_args()
    corpus = open_corpus(options.labels)
    gold: dict[str, set[str]] = defaultdict(set)
    for medicine in corpus.all_medicines():
        for name in (*medicine.names.brands, *medicine.names.generic, *medicine.names.substances):
            gold[core(name)].add(medicine.id)
    rows = read_lines(options.data / "medicationqa/questions_dev.jsonl")
    questions = [(q["question"], gold[core(q["medicine"])]) for q in rows if gold.get(core(q["medicine"]))]
    by_rules = retrieve_then_read.build_by_rules(medicines=corpus)
    asyncio.run(report("rules alone", by_rules, questions))
    with_model = consultation.build(model=chat_model(options.model), medicines=corpus)
    asyncio.run(report(options.model, with_model, questions))


if __name__ == "__main__":
    main()
