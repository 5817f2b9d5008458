"""One run out of several over parts of a benchmark: shards that ran on different machines."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..errors import UserError
from .benchmark import Example
from .run_folder import SESSIONS, RunFolder, differences
from .summary import Summary, summarize

_MAY_DIFFER: Final = ("examples was", "benchmark data")


def merge_runs(paths: Sequence[Path], out: Path) -> Summary:
    """Merge runs of one target over parts of one benchmark into `out`.

    Where an example was run in several, a result that did not fail goes before one that did, then the earlier run's.

    Raises:
        UserError: fewer than two runs, or they differ in more than their data.
    """
    if len(paths) < 2:
        raise UserError(f"there is nothing to merge in {len(paths)} runs: name two or more")
    runs = [RunFolder.open(path) for path in paths]
    first = runs[0].manifest
    for path, run in zip(paths[1:], runs[1:], strict=True):
        other = [line for line in differences(first, run.manifest) if not line.startswith(_MAY_DIFFER)]
        if other:
            raise UserError(f"`{paths[0]}` and `{path}` are not parts of one run ({'; '.join(other)})")
    examples: dict[str, Example] = {}
    best: dict[tuple[str, int], RunFolder] = {}
    for run in runs:
        examples |= {example.key: example for example in run.examples() if example.key not in examples}
        for place, entry in run.entries.items():
            held = best.get(place)
            if held is None or (held.entries[place].status == "failed" and entry.status == "ok"):
                best[place] = run
    hashes = sorted({str(run.manifest.benchmark.options.get("data_sha256")) for run in runs})
    options = {**first.benchmark.options, "data_sha256": "+".join(hashes)}
    manifest = first.model_copy(
        update={
            "benchmark": first.benchmark.model_copy(update={"options": options}),
            "examples": len(examples),
            "examples_sha256": hashlib.sha256("\n".join(examples).encode()).hexdigest(),
            "notes": tuple(dict.fromkeys(note for run in runs for note in run.manifest.notes)),
        }
    )
    merged = RunFolder.create(out, manifest, examples.values())
    with merged:
        for run in runs:
            for result in run.results():
                if best[result.key, result.sample] is run:
                    if result.trace and (run.path / result.trace).is_file():
                        target = out / result.trace
                        target.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy2(run.path / result.trace, target)
                    merged.append(result)
    worked = [file.read_bytes() for run in runs if (file := run.path / SESSIONS).is_file()]
    (out / SESSIONS).write_bytes(b"".join(worked))
    return summarize(out)
