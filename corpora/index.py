"""A corpus index on disk: how one is built of medicines, and changed.

    DIR/<generation>/        manifest.json, corpus.sqlite, bm25/, spelling/, *.npy

Passages are numbered in the order of their ids, so a medicine's passages are neighbours and ties in score, broken by
row, are broken by passage id. How a generation becomes the current one: `generations.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from pydantic_core import PydanticSerializationError

from ..errors import CorpusError
from .aliases import all_names, further_names
from .bm25 import PostingsBuilder
from .generations import (
    CURRENT,
    FORMAT,
    MANIFEST,
    Manifest,
    SourceUsed,
    alone,
    current_folder,
    fingerprint,
    generation,
    read_manifest,
    verify,
)
from .medicines import Attribute, Medicine, Passage
from .names import NameKind, core, is_oral, names_of
from .passages import passage_id, spans
from .spelling import write_spelling
from .store import Store, StoreWriter
from .words import fold, has_chinese, terms, word_runs

__all__ = [
    "ATTRIBUTES",
    "CURRENT",
    "FORMAT",
    "Manifest",
    "Progress",
    "SourceUsed",
    "change_index",
    "current_folder",
    "read_manifest",
    "search_terms",
    "verify",
    "write_index",
]

ATTRIBUTES: Final = tuple(Attribute)
_ORAL_WORTH: Final = 0.1
Progress = Callable[[str, int], None]
"""Told what is being done and how many are done so far."""


def write_index(
    directory: Path,
    medicines: Iterable[Medicine],
    *,
    sources: Callable[[], tuple[SourceUsed, ...]] = tuple,
    progress: Progress | None = None,
) -> Manifest:
    """Build an index of `medicines` and make it the current one of `directory`, which need not exist.

    `sources` is asked after the last medicine was read. Of two medicines with one id the later one counts. Another
    writer of the same directory is waited for.

    Raises:
        CorpusError: there is no medicine, one holds half a character, or the directory can't be written. What was there
            before stays.
    """
    progress = progress or _silent
    with alone(directory, lambda: progress("waiting for another writer", 0)):
        return _replace(directory, medicines, sources, progress)


def _replace(
    directory: Path,
    medicines: Iterable[Medicine],
    sources: Callable[[], tuple[SourceUsed, ...]],
    progress: Progress,
) -> Manifest:
    with generation(directory) as folder:
        manifest = _write(folder, medicines, sources, progress)
        if not manifest.medicines:
            raise CorpusError(f"no medicine was read, so no index was written to `{directory}`: check the inputs")
    return manifest


def _silent(_what: str, _done: int) -> None:
    return None


def _write(
    folder: Path,
    medicines: Iterable[Medicine],
    sources: Callable[[], tuple[SourceUsed, ...]],
    progress: Progress,
) -> Manifest:
    spool = _spool(folder / "spool.jsonl", medicines, progress)
    used = sources()
    store = StoreWriter(folder / "corpus.sqlite")
    postings = PostingsBuilder()
    first_passage, attributes, prior = [0], bytearray(), list[float]()
    vocabulary: set[str] = set()
    content = hashlib.sha256()
    done = 0
    for row, medicine in enumerate(_read_spool(folder / "spool.jsonl", spool)):
        names = all_names(medicine, names_of(medicine))
        store.add_medicine(row, medicine, names)
        vocabulary.update(_words_of_names(medicine))
        header = _header(medicine)
        pieces = sorted(
            (passage_id(medicine.id, attribute, part), attribute, start, end)
            for attribute, text in medicine.texts.items()
            for part, (start, end) in enumerate(spans(text))
        )
        store.add_passages(
            (done + i, pid, row, attribute, start, end) for i, (pid, attribute, start, end) in enumerate(pieces)
        )
        for pid, attribute, start, end in pieces:
            text = medicine.texts[attribute][start:end]
            content.update(f"{pid}\0{text}\0".encode())
            postings.add([*header, *terms(_label(medicine, attribute)), *terms(text)])
            attributes.append(ATTRIBUTES.index(attribute))
        done += len(pieces)
        first_passage.append(done)
        prior.append(_ORAL_WORTH if is_oral(medicine) else 0.0)
        if row % 200 == 0:
            progress("indexing passages", done)
    store.close()
    progress("writing the index", done)
    (folder / "spool.jsonl").unlink()
    (folder / "bm25").mkdir()
    postings.write(folder / "bm25")
    (folder / "spelling").mkdir()
    write_spelling(vocabulary, folder / "spelling")
    np.save(folder / "first_passage.npy", np.array(first_passage, dtype=np.int64))
    np.save(folder / "prior.npy", np.array(prior))
    np.save(folder / "attribute.npy", np.frombuffer(bytes(attributes), dtype=np.uint8))
    manifest = Manifest(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        sources=used,
        medicines=len(spool),
        passages=done,
        content_sha256=content.hexdigest(),
        files={str(p.relative_to(folder)): fingerprint(p) for p in sorted(folder.rglob("*")) if p.is_file()},
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2))
    return manifest


def _spool(path: Path, medicines: Iterable[Medicine], progress: Progress) -> list[tuple[int, int]]:
    """Write medicines to a file; return (offset, bytes) of each, by id. Keeps memory flat, whatever the order."""
    where: dict[str, tuple[int, int]] = {}
    with path.open("wb") as file:
        for number, medicine in enumerate(medicines):
            try:
                line = medicine.model_dump_json(exclude_defaults=True).encode()
            except PydanticSerializationError as error:  # half of a surrogate pair in a name or text
                raise CorpusError(f"the medicine {medicine.id!a} cannot be stored ({error}): clean it") from error
            where[medicine.id] = (file.tell(), len(line))
            file.write(line)
            if number % 200 == 0:
                progress("reading medicines", number)
    # Sorted as the passage ids will be, which continue with "#": so rows and ids have one order.
    return [where[i] for i in sorted(where, key=lambda i: i + "#")]


def _read_spool(path: Path, where: list[tuple[int, int]]) -> Iterator[Medicine]:
    with path.open("rb") as file:
        for offset, size in where:
            file.seek(offset)
            yield Medicine.model_validate_json(file.read(size))


def search_terms(passage: Passage, medicine: Medicine) -> list[str]:
    """What full-text search knows of a passage: its medicine's names, its attribute's label, its text."""
    return [*_header(medicine), *terms(_label(medicine, passage.attribute)), *terms(passage.text)]


def _header(medicine: Medicine) -> list[str]:
    names = dict.fromkeys(fold(n) for n in (medicine.names.display, *medicine.names.generic[:3]))
    return terms(" ".join(names))


def _label(medicine: Medicine, attribute: Attribute) -> str:
    return attribute.label_zh if has_chinese(medicine.names.display) else attribute.label


def _words_of_names(medicine: Medicine) -> Iterator[str]:
    names = medicine.names
    own = (names.display, *names.generic, *names.substances, *names.brands, *names.aliases)
    further = [n for n, kind in further_names(medicine).items() if kind is not NameKind.MISSPELLING]
    for name in (*own, *further):
        for word, _, _ in word_runs(core(name)):
            if word.isascii() and word.isalpha():
                yield word


def change_index(
    directory: Path,
    *,
    add: Iterable[Medicine] = (),
    remove: frozenset[str] = frozenset(),
    sources: Callable[[], tuple[SourceUsed, ...]] = tuple,
    progress: Progress | None = None,
) -> Manifest:
    """Add or replace medicines (by id) and remove others. Statistics are over the whole, so all is written anew.

    Raises:
        CorpusError: no such index, or an id in `remove` that it does not hold.
    """
    progress = progress or _silent
    current_folder(directory)
    with alone(directory, lambda: progress("waiting for another writer", 0)):
        folder, manifest = read_manifest(directory)
        store = Store(folder / "corpus.sqlite")
        try:
            for medicine_id in sorted(remove):
                if store.medicine_row(medicine_id) is None:
                    raise CorpusError(f"`{directory}` holds no medicine `{medicine_id}`: see `wardround corpus search`")
            kept = (m for m in store.all_medicines() if m.id not in remove)
            return _replace(directory, chain(kept, add), lambda: (*manifest.sources, *sources()), progress)
        finally:
            store.close()
