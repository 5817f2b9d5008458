"""Patient records at the size of MIMIC-CXR: the history query over 65,000 patients and 227,000 studies, and the import.

    python perf/patients.py

The reports are made of invented sentences, 100 words each with headings. The big store is filled with reports that were
split and tagged before, since that is measured by itself. The import has `REPORTS` files laid out as PhysioNet's, and a
metadata file as long as MIMIC-CXR-JPG's, 377,110 films, because it is held in memory.

The query is what the tool `patient_history` does: the history and its text for a model.
Targets: 5 ms at the 95th percentile, 200 reports a second on one core.
"""

from __future__ import annotations

import csv
import random
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from measuring import Figure, Options, Result, in_fresh_process, run_alone, timed

PATIENTS, STUDIES, FILMS = 65_000, 227_000, 377_110
REPORTS = 2_000
QUERIES = 3_000
_STORE = "big_patients.sqlite"
_START = datetime.fromisoformat("2110-01-01T00:00:00")
_SENTENCES = (
    "The lungs are clear without focal consolidation, effusion or pneumothorax.",
    "There is a small left pleural effusion, unchanged since the prior\n examination.",
    "Opacity at the right base may represent atelectasis or early pneumonia.",
    "The cardiomediastinal silhouette is stable, with mild cardiomegaly.",
    "A right internal jugular line ends in the mid SVC.",
    "The endotracheal tube ends 4 cm above the carina.",
    "There is mild pulmonary vascular congestion without overt edema.",
    "No displaced rib fracture is seen.",
    "Low lung volumes accentuate the bronchovascular markings.",
    "Interval increase of the moderate right pleural effusion with adjacent\n atelectasis.",
    "The left hemidiaphragm is elevated, as before.",
    "Degenerative changes of the thoracic spine are noted.",
)


def _report(dice: random.Random) -> str:
    findings = "  ".join(dice.choices(_SENTENCES, k=dice.randint(3, 9)))
    impression = "\n \n ".join(f"{n}.  {s}" for n, s in enumerate(dice.choices(_SENTENCES, k=dice.randint(1, 3)), 1))
    return (
        "                                 FINAL REPORT\n EXAMINATION:  CHEST (PORTABLE AP)\n \n"
        " INDICATION:  ___ year old man with shortness of breath  // eval for pneumonia\n \n"
        f" TECHNIQUE:  Portable AP\n \n COMPARISON:  ___\n \n FINDINGS: \n \n {findings}\n \n"
        f" IMPRESSION: \n \n {impression}\n"
    )


def _studies() -> Iterator[tuple[int, int, datetime]]:
    """Patient, study and time, always the same: most have few studies, some many, as in MIMIC-CXR (170 at most)."""
    dice = random.Random(1)  # noqa: S311 - repeatable on purpose
    counts = [1] * PATIENTS
    for _ in range(STUDIES - PATIENTS):
        counts[int(PATIENTS * dice.random() ** 1.6)] += 1
    study = 50_000_000
    for patient, count in enumerate(counts):
        time_ = _START + timedelta(days=dice.randint(0, 20_000))
        for _ in range(count):
            study += 1
            time_ += timedelta(seconds=dice.randint(1, 200 * 86_400))
            yield 10_000_000 + patient, study, time_


def store_step(options: Options) -> dict[str, Any]:
    """The big store, made anew."""
    from wardround.corpora.patients import Study, read_report
    from wardround.corpora.patients.writing import StoreWriter

    dice = random.Random(5)  # noqa: S311 - as above
    path = options.work / _STORE
    path.unlink(missing_ok=True)
    ready = [read_report(_report(dice)) for _ in range(500)]
    started = time.perf_counter()
    with StoreWriter(path, source="mimic-cxr", folder=options.work) as writer:
        for patient, study, time_ in _studies():
            one = Study(id=f"s{study}", patient_id=f"p{patient}", time=time_, source="mimic-cxr")
            writer.add_study(one, dice.choice(ready))
    return {"seconds": time.perf_counter() - started, "mb": path.stat().st_size / 1e6}


def query_step(options: Options) -> dict[str, Any]:
    """The tool's work for random studies: regional, global and both."""
    from wardround.corpora.patients import OWNER, HistoryQuery, PatientStore, Region, Scope, history, issue
    from wardround.tools.patient_history import history_text

    dice = random.Random(2)  # noqa: S311 - as above
    store = PatientStore(options.work / _STORE)
    studies = [(f"p{p}", f"s{s}") for p, s, _ in _studies()]
    asked: list[tuple[Any, HistoryQuery]] = []
    for patient, study in dice.sample(studies, QUERIES):
        query = HistoryQuery(scope=dice.choice(list(Scope)), regions=(dice.choice(list(Region)),))
        asked.append((issue(store, OWNER, patient=patient, study=study), query))
    found = [0]

    def call(one: tuple[Any, HistoryQuery]) -> None:
        found[0] += len(history_text(history(store, *one)))

    return {**timed(call, asked).as_json(), "chars": found[0] / QUERIES}


def import_step(options: Options) -> dict[str, Any]:
    """An import of `REPORTS` reports beside metadata of full length, and the same again."""
    from wardround.corpora.patients.importing import import_patients

    root, out = options.work / "mimic_tree", options.work / "imported.sqlite"
    shutil.rmtree(root, ignore_errors=True)
    out.unlink(missing_ok=True)
    _tree(root)
    started = time.process_time()
    import_patients("mimic", root, out)
    first = time.process_time()
    done = import_patients("mimic", root, out)
    return {"studies": done.same, "first_s": first - started, "again_s": time.process_time() - first}


def tagging_step(options: Options) -> dict[str, Any]:  # noqa: ARG001 - called as the others
    """What splitting and tagging takes by itself."""
    from wardround.corpora.patients import read_report
    from wardround.corpora.patients.terms import mentions

    dice = random.Random(3)  # noqa: S311 - as above
    reports = [_report(dice) for _ in range(REPORTS)]

    def call(text: str) -> None:
        mentions.cache_clear()  # real reports repeat sentences less than invented ones
        read_report(text)

    return timed(call, reports).as_json()


def _tree(root: Path) -> None:
    dice = random.Random(4)  # noqa: S311 - as above
    root.mkdir(parents=True)
    columns = (
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime"
    )
    with (root / "mimic-cxr-2.0.0-metadata.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns.split(","))
        films = 0
        for n, (patient, study, time_) in enumerate(_studies()):
            for _ in range(1 + (n * FILMS // STUDIES != (n + 1) * FILMS // STUDIES and films < FILMS - STUDIES)):
                films += 1
                dicom = "-".join(f"{dice.getrandbits(32):08x}" for _ in range(5))
                clock = time_.strftime("%H%M%S.%f")[:-3]
                rows.writerow([dicom, patient, study, "CHEST", "AP", 3056, 2544, time_.strftime("%Y%m%d"), clock])
            if n < REPORTS:
                folder = root / "files" / f"p{str(patient)[:2]}" / f"p{patient}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"s{study}.txt").write_text(_report(dice))


def measure(options: Options) -> Result:
    """All figures."""
    options.work.mkdir(parents=True, exist_ok=True)
    made = in_fresh_process("patients.py", "store", options)
    queried = in_fresh_process("patients.py", "query", options)
    tagged = in_fresh_process("patients.py", "tagging", options)
    imported = in_fresh_process("patients.py", "import", options)
    without = imported["first_s"] - REPORTS / tagged["cpu_per_s"]
    return Result(
        "patient records",
        (
            Figure("patient_history, 95th percentile", queried["p95_ms"], "ms", 5, f"{QUERIES:,} queries"),
            Figure("patient_history, 95th percentile of work", queried["cpu_p95_ms"], "ms", 5, "CPU time"),
            Figure("patient_history, median", queried["p50_ms"], "ms"),
            Figure("patient_history, memory", queried["peak_mb"], "MB"),
            Figure("reports split and tagged", tagged["cpu_per_s"], "/s", 200, "one core, CPU time"),
            Figure("import: all but the reports, 227,000 studies", without, "s", note="metadata, films, database"),
            Figure("import: the same again", imported["again_s"], "s", note="nothing changed"),
            Figure("import: memory", imported["peak_mb"], "MB", note="377,110 rows of metadata"),
            Figure("store of 227,000 studies", made["mb"], "MB"),
        ),
    )


if __name__ == "__main__":
    run_alone(
        measure, __doc__, {"store": store_step, "query": query_step, "import": import_step, "tagging": tagging_step}
    )
