"""`retrieval_quality.py` over indexes that are built for it: how often search puts the right medicine first.

    python perf/quality.py

The targets are those of the project's acceptance: see `docs/performance.md`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import LABELS, QUESTIONS, ROOT, Figure, Options, Result, missing, run_alone

PASSAGES = "medicineqa_zh/passages.jsonl"
CHINESE_QUESTIONS = "medicineqa_zh/questions_dev.jsonl"
MONOGRAPHS = "monographs_zh/monographs_zh.jsonl"
TARGETS = {
    "medicationqa, the focus name": 0.95,
    "medicationqa, the whole question": 0.80,
    "medicineqa_zh, gold pair, attribute": 0.95,
}
_LINE = re.compile(r"(?P<what>.+?) +HR@1 (?P<one>[\d.]+)  (?P<rest>.+)")


def measure(options: Options) -> Result:
    """Build both indexes in a folder that goes away, and ask the questions."""
    name = "Retrieval quality: the right one first"
    if reason := missing(options, LABELS, QUESTIONS, PASSAGES, CHINESE_QUESTIONS, MONOGRAPHS):
        return Result(name, skipped=reason)
    from wardround.corpora.building import Input, build_corpus

    with tempfile.TemporaryDirectory() as folder:
        labels, chinese = Path(folder) / "labels", Path(folder) / "chinese"
        build_corpus([Input("openfda", options.data / LABELS)], labels)
        chinese_inputs = [("passages", PASSAGES), ("monographs-zh", MONOGRAPHS)]
        build_corpus([Input(source, options.data / path) for source, path in chinese_inputs], chinese)
        command = [sys.executable, str(ROOT / "perf" / "retrieval_quality.py"), "--data", str(options.data)]
        command += ["--labels", str(labels), "--chinese", str(chinese)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = [match for line in printed.splitlines() if (match := _LINE.match(line))]
    assert TARGETS.keys() <= {m["what"] for m in found}, f"unexpected output of retrieval_quality.py:\n{printed}"
    return Result(
        name, tuple(Figure(m["what"], float(m["one"]), "share", TARGETS.get(m["what"]), m["rest"]) for m in found)
    )


if __name__ == "__main__":
    run_alone(measure, __doc__, {})
