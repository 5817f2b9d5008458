"""The shipped recipe from end to end: dialogues, their check against benchmarks, training, export."""

from __future__ import annotations

import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from ..corpora import open_corpus
from ..corpora.medicines import Medicine
from ..corpora.names import core
from ..errors import UserError
from ..evals.medicineqa_open.items import FOLDER
from ..evals.reading import read_rows
from ..models.adapter import Adapter
from ..models.encoders import Encoder, load_encoder
from ..settings import Settings
from .config import TrainingConfig
from .data import SftRow, write_rows
from .data.distillation import cases, row_of
from .data.names import usable_names
from .data.overlap import OverlapReport, without_overlap
from .export import export_adapter
from .run import train

RECIPE: Final = "distiller-135m-cpu"
ROLE: Final = "distiller"
ROWS: Final = 9600
SEED: Final = 7
_HELD_OUT: Final = 0.04
"""The share of medicines, and of rows without one, that training never sees."""
_OWN_BENCHMARKS: Final = ("dev.jsonl", "test.jsonl")
Say = Callable[[str], None]


class DataReport(BaseModel):
    """What training data was made of; written beside it as `report.json`."""

    model_config = ConfigDict(frozen=True)

    seed: int
    corpus_sha256: str
    names: int
    """Medicines whose names are used."""
    names_left_out: int
    """Medicines left out because a benchmark asks about one that shares a name with them."""
    kinds: dict[str, int]
    train: int
    heldout: int
    invented: int
    """Rows about an invented medicine."""
    overlap: OverlapReport


class Data(NamedTuple):
    """Where the rows are."""

    train: Path
    heldout: Path
    report: DataReport


def make_data(
    folder: Path,
    *,
    settings: Settings,
    corpus: Path | None = None,
    count: int = ROWS,
    seed: int = SEED,
    benchmarks: Sequence[Path] = (),
    chinese: float = 0.0,
    say: Say = lambda _: None,
) -> Data:
    """Write `train.jsonl`, `heldout.jsonl` and `report.json` into `folder`, the same for the same arguments.

    Args:
        folder: gets the files.
        settings: where a pulled encoder lies; without `bge-small`, nearness in meaning is not checked, and the report
            says so.
        corpus: a corpus index whose medicines are talked about; None takes the shipped one. Medicines of
            MedicineQA-Open and of `benchmarks` are left out; invented ones fill their places.
        count: rows to compose; what overlaps with a benchmark is refused.
        seed: of the generator.
        benchmarks: further files that must not be learned from.
        chinese: the share of dialogues in Chinese.
        say: told the news.

    Raises:
        UserError: corpus or benchmark can't be read, or no room.
    """
    opened = open_corpus(corpus)
    files = [*(FOLDER / name for name in _OWN_BENCHMARKS), *benchmarks]
    medicines = list(opened.all_medicines())
    taken = _asked_about(medicines, benchmarks)
    names = usable_names(medicines, held_out=taken)
    left_out = len(usable_names(medicines, held_out=())) - len(names)
    say(f"{len(names)} medicines by name, others invented; {left_out} that a benchmark asks about are left out")
    source = {"generator": "distillation", "seed": str(seed), "corpus": opened.manifest.content_sha256[:16]}
    kinds: Counter[str] = Counter()
    invented = 0
    rows: list[SftRow] = []
    for number, (kind, case) in enumerate(cases(names, count=count, seed=seed, chinese=chinese)):
        kinds[kind] += 1
        invented += bool(case.medicines and case.medicines[0].invented)
        rows.append(row_of(case, row_id=f"distill-{seed}-{number}", source={**source, "kind": kind}))
    kept, overlap = without_overlap(rows, files, encoder=_encoder(settings))
    held = [row for row in kept if _is_held_out(row)]
    learned = [row for row in kept if not _is_held_out(row)]
    if not learned or not held:
        raise UserError(f"{count} rows are too few to train on and to hold some out: ask for at least 100")
    report = DataReport(
        seed=seed,
        corpus_sha256=opened.manifest.content_sha256,
        names=len(names),
        names_left_out=left_out,
        kinds=dict(sorted(kinds.items())),
        train=len(learned),
        heldout=len(held),
        invented=invented,
        overlap=overlap,
    )
    data = Data(folder / "train.jsonl", folder / "heldout.jsonl", report)
    write_rows(learned, data.train)
    write_rows(held, data.heldout)
    (folder / "report.json").write_text(json.dumps(report.model_dump(), indent=2) + "\n", encoding="utf-8")
    near = f"nearest cosine {overlap.nearest:.2f}" if overlap.nearest is not None else "meaning not compared"
    say(f"{len(learned)} rows to learn from, {len(held)} held out; {len(overlap.refused)} refused, {near}")
    return data


def _encoder(settings: Settings) -> Encoder | None:
    try:
        return load_encoder("bge-small", settings=settings)
    except UserError:  # not pulled
        return None


def _asked_about(medicines: Iterable[Medicine], benchmarks: Sequence[Path]) -> set[str]:
    """The names (core) of the medicines that MedicineQA-Open and the benchmarks are about."""
    labels = [row.data for row in read_rows(FOLDER / "labels.jsonl")]
    told = {core(name) for label in labels for name in (*label["names"], *label["substances"])}
    for path in benchmarks:
        for row in read_rows(path):
            for name in (row.data.get("medicine"), *(e.get("medicine") for e in row.data.get("evidence", ()))):
                if isinstance(name, str):
                    told.add(core(name))
    sets = {label["set_id"] for label in labels}
    for medicine in medicines:
        names = medicine.names
        if medicine.source.id in sets:
            told |= {core(n) for n in (names.display, *names.brands, *names.generic, *names.substances)}
    return told


def _is_held_out(row: SftRow) -> bool:
    return zlib.crc32((row.entity or row.id).encode()) % 1000 < 1000 * _HELD_OUT


class Made(NamedTuple):
    """What `make_distiller` came to."""

    adapter: Adapter
    data: Data
    seconds: float


def make_distiller(
    folder: Path,
    *,
    settings: Settings,
    config: TrainingConfig,
    corpus: Path | None = None,
    count: int = ROWS,
    seed: int = SEED,
    benchmarks: Sequence[Path] = (),
    chinese: float = 0.0,
    say: Say = lambda _: None,
) -> Made:
    """Data, training and export in one. The same call goes on with one that was cut off.

    Args:
        folder: gets `data/`, `run/` (see `training/folder.py`) and `adapters/NAME-HASH`.
        settings: where pulled models lie.
        config: the recipe; its rows are replaced by those made here.
        corpus: as for `make_data`, with `count`, `seed`, `benchmarks` and `chinese`.
        say: told the news.

    Raises:
        UserError: as `make_data`, `train` and `export_adapter`.
    """
    began = time.perf_counter()
    data = make_data(
        folder / "data",
        settings=settings,
        corpus=corpus,
        count=count,
        seed=seed,
        benchmarks=benchmarks,
        chinese=chinese,
        say=say,
    )
    told = config.model_copy(update={"train": data.train, "heldout": data.heldout})
    manifest = train(told, folder / "run", settings=settings, say=say)
    if manifest.outcome is None:
        raise UserError(f"`{folder / 'run'}` is not done: run the same command to go on")
    adapter = export_adapter(
        folder / "run" / manifest.outcome.saved,
        folder / "adapters",
        name=f"{ROLE}-{Path(config.base).name}",
        base=config.base,
        role=ROLE,
    )
    return Made(adapter, data, time.perf_counter() - began)
