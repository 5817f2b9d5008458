"""MMXU: what changed between two chest X-rays? (arXiv 2502.11651)

The official test file names images of MIMIC-CXR, which need access of their own, and holds no reports. With the
development fields, or with a store of patient records, the earlier report goes before the question: whole, only what it
says of the asked region, or both (the paper's MedRecord-Augmented Generation). Questions about one patient are not
independent, so intervals are over patients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

from ...corpora.patients import Region, Scope, asked_regions
from ...corpora.patients.reading import ASSERTING, read_report
from ...corpora.patients.records import Sentence
from ...errors import UserError
from ..benchmark import Benchmark, Example
from ..choices import METRICS, example_of, prompt, score_choice
from ..reading import Row, read_rows, sha256_of, text_field

if TYPE_CHECKING:
    from ...corpora.patients.store import PatientStore

_PATIENT: Final = re.compile(r"(?:^|/)p(\d{8})(?:/|$)")
_STUDY: Final = re.compile(r"(?:^|/)s(\d+)(?:/|$)")
_GLOBAL: Final = "The report of the earlier film:\n{said}"
_REGIONAL: Final = "What the report of the earlier film says of the {region}:\n{said}"
_NOTHING: Final = "nothing"
_STILL_EARLIER: Final = " (this compares with a still earlier film)"
_FILMS: Final = "The first image is the earlier film, the second the current one."
_CROPS: Final = " Two more show the asked region of each, in the same order."
_SEEN: Final = "On the current film: {seen}."
Records = Literal["none", "global", "regional", "both"]
Comparing = Literal["mark", "plain", "leave_out"]
Current = Literal["image", "words"]


class _Choice(NamedTuple):
    """What a question is put with."""

    records: Records
    comparisons: Comparing
    images: Path | None
    crops: bool
    current: Current
    store: PatientStore | None


def load(
    data: Path,
    *,
    records: Records = "none",
    comparisons: Comparing = "mark",
    images: Path | None = None,
    crops: bool = False,
    current: Current = "image",
    store: PatientStore | None = None,
) -> Benchmark:
    """The benchmark over the official test or development file, or over those of a synthetic cohort.

    Args:
        data: JSONL with `question`, `options`, `answer`, `content_type` and two image paths.
        records: what of the earlier report stands before the question.
        comparisons: sentences in it that compare with a still earlier film: marked, plain as in the paper, or left out.
        images: the folder that the image paths start from; without it the questions are text only.
        crops: show the asked region of both films once more, cut out (needs the boxes of the development fields).
        current: `words` tells what the current film shows (`cur_seen`, a field of the synthetic cohort) instead of
            leaving it to the image: for models that see none.
        store: where the records come from, by the ids in the image paths; default: the file's `prior_report`.

    Raises:
        UserError: the file can't be read, or lacks what an option needs.
    """
    rows = read_rows(data)
    if crops and images is None:
        raise UserError("`--crops` cuts regions out of images: give `--images` too")
    choice = _Choice(records, comparisons, images, crops, current, store)
    found = [_example(row, choice) for row in rows]
    return Benchmark(
        name="mmxu",
        examples=[example for example, _ in found],
        metrics=METRICS,
        score=score_choice,
        options={
            "data": data.name,
            "data_sha256": sha256_of(data)[:16],
            "records": records,
            **({"comparisons": comparisons} if records != "none" else {}),
            **({"store": store.id} if store and records != "none" else {}),
            **({"crops": True} if crops else {}),
            **({"current": current} if current != "image" else {}),
            "images": images is not None,
            "prompt": prompt()[1],
        },
        notes=_notes(choice, [without for _, without in found]),
    )


def _notes(choice: _Choice, without: Sequence[bool]) -> list[str]:
    notes: list[str] = []
    if choice.images is None:
        notes.append("Text only: no images were given, so the films themselves were not shown.")
    if choice.current == "words":
        notes.append("What the current film shows was told in words: this measures reading records, not films.")
    if choice.records != "none" and any(without):
        notes.append(f"{sum(without)} of {len(without)} questions have no earlier record that concerns them.")
    if choice.records != "none" and all(without):
        raise UserError(
            f"no question has an earlier record ({choice.records}): check that the patient records are those of the "
            "questions, or use `--records none`"
        )
    return notes


def _example(row: Row, choice: _Choice) -> tuple[Example, bool]:
    """The example, and whether records were asked for and there are none."""
    options = row.data.get("options")
    answer = text_field(row, "answer")
    if not isinstance(options, dict) or answer not in options:
        raise UserError(f"{row.where}: `options` is no object with the answer `{answer}`")
    question = text_field(row, "question")
    current, prior = text_field(row, "cur_image_path"), _first(row.data.get("prior_image_path"))
    patient = _PATIENT.search(current)
    before: list[str] = []
    told = _told(row, question, current, choice)
    if told is not None:
        before.append(told[0])
    if choice.current == "words":
        before.append(_SEEN.format(seen=_field(row, "cur_seen", "use `--current image`")))
    shown = [choice.images / prior, choice.images / current] if choice.images else []
    if missing := next((path for path in shown if not path.is_file()), None):
        raise UserError(f"{row.where}: the image `{missing}` is not there: check `--images`, or leave it out")
    boxes = [None, None, *(_boxes(row) if choice.crops else ())] if shown else []
    if shown:
        before.insert(0, _FILMS + (_CROPS if choice.crops else ""))
    example = example_of(
        text_field(row, "id"),
        "\n\n".join([*before, question]),
        {str(letter): str(text) for letter, text in cast("Mapping[object, object]", options).items()},
        answer,
        groups=_groups(row),
        cluster=patient[1] if patient else None,
        images=[str(path) for path in (shown * 2 if choice.crops else shown)],
        boxes=boxes,
    )
    return example, told is not None and not told[1]


def _groups(row: Row) -> dict[str, list[str]]:
    """What figures are also given for: the type; of a synthetic cohort what the earlier report's comparison does."""
    groups = {"type": [text_field(row, "content_type")]}
    if isinstance(found := row.data.get("prior_comparison"), str):
        groups["prior comparison"] = [found]
    return groups


def _told(row: Row, question: str, path: str, choice: _Choice) -> tuple[str, bool] | None:
    """What stands before the question of records, and whether it is anything; None where none were asked for."""
    if choice.records == "none":
        return None
    regions = _regions(row, question)
    scopes = {"global": (Scope.GLOBAL,), "regional": (Scope.REGIONAL,), "both": (Scope.REGIONAL, Scope.GLOBAL)}
    said = _of_store(row, path, regions, choice) if choice.store else _of_file(row, regions, choice)
    named = " and ".join(region.value for region in regions) or "asked region"
    parts = [
        (_REGIONAL if scope is Scope.REGIONAL else _GLOBAL).format(region=named, said=said[scope] or _NOTHING)
        for scope in scopes[choice.records]
    ]
    return "\n\n".join(parts), any(said[scope] for scope in scopes[choice.records])


def _regions(row: Row, question: str) -> tuple[Region, ...]:
    """The asked region: the development file's field, else by rule."""
    named = row.data.get("related_region_name")
    try:
        return (Region(named.strip().lower()),) if isinstance(named, str) else asked_regions(question)
    except ValueError:
        return asked_regions(question)


def _of_file(row: Row, regions: Sequence[Region], choice: _Choice) -> dict[Scope, str]:
    report = row.data.get("prior_report")
    if isinstance(report, list):
        report = report[0] if report else None
    if not isinstance(report, str) or not report.strip():
        raise UserError(
            f"{row.where} has no `prior_report`: the official test file has none; give `--patients STORE`, or use "
            "`--records none`"
        )
    concerned = frozenset(one for region in regions for one in region.related)
    sentences = read_report(report).sentences
    if not any(sentence.section in ASSERTING for sentence in sentences):
        return {Scope.GLOBAL: report.strip(), Scope.REGIONAL: ""}
    local = [s for s in sentences if s.section in ASSERTING and concerned.intersection(s.regions)]
    return {Scope.GLOBAL: _joined(sentences, choice), Scope.REGIONAL: _joined(local, choice)}


def _of_store(row: Row, path: str, regions: Sequence[Region], choice: _Choice) -> dict[Scope, str]:
    from ...corpora.patients import OWNER, issue
    from ...corpora.patients.history import HistoryQuery, history

    assert choice.store is not None  # noqa: S101 - the caller has seen to it
    patient, study = _PATIENT.search(path), _STUDY.search(path)
    if patient is None or study is None:
        raise UserError(f"{row.where}: `{path}` names no patient and study: records are found by `pSUBJECT/sSTUDY`")
    nothing = {Scope.GLOBAL: "", Scope.REGIONAL: ""}
    if choice.store.study(study[1], of=patient[1]) is None:
        return nothing
    grant = issue(choice.store, OWNER, patient=patient[1], study=study[1])
    scope = Scope(choice.records) if regions else Scope.GLOBAL
    query = HistoryQuery(scope=scope, regions=regions, limit=1)
    found = dict(nothing)
    for record in history(choice.store, grant, query).records:
        days = f"{record.date}, {record.days_before} days before the current film"
        said = _joined(record.sentences, choice)
        found[record.scope] = f"({days})\n{said}" if said else ""
    return found


def _joined(sentences: Sequence[Sentence], choice: _Choice) -> str:
    """Sentences by section, those that compare treated as chosen."""
    parts: list[str] = []
    last = None
    for sentence in sentences:
        if sentence.compares and choice.comparisons == "leave_out":
            continue
        text = " ".join(sentence.text.split())
        if sentence.compares and choice.comparisons == "mark":
            text += _STILL_EARLIER
        if sentence.section is last:
            parts[-1] += f" {text}"
        else:
            parts.append(f"{sentence.section.value.capitalize()}: {text}")
        last = sentence.section
    return "\n".join(parts)


def _boxes(row: Row) -> tuple[list[int], list[int]]:
    """The asked region on the earlier and on the current film: left, top, right, bottom."""
    prior: Any = row.data.get("prior_image_bboxs")
    current: Any = row.data.get("cur_image_bboxs")
    try:
        found = ([int(n) for n in prior[0][0]], [int(n) for n in current[0]])
    except (TypeError, ValueError, IndexError, KeyError):
        found = ([], [])
    if [len(box) for box in found] != [4, 4]:
        raise UserError(
            f"{row.where} has no boxes in `prior_image_bboxs` and `cur_image_bboxs`: leave out `--crops`"
        ) from None
    return found


def _field(row: Row, name: str, remedy: str) -> str:
    value = row.data.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{row.where} has no `{name}`: only a synthetic cohort has; {remedy}")
    return value.strip()


def _first(value: object) -> str:
    """The development file gives a list of earlier images, the newest first."""
    return str(cast("list[object]", value)[0] if isinstance(value, list) and value else value)


def options_of_command(records: str, comparisons: str, current: str) -> tuple[Records, Comparing, Current]:
    """The words of the command line as options.

    Raises:
        UserError: one of them is none.
    """
    given: dict[str, tuple[str, Sequence[str]]] = {
        "--records": (records, ("none", "global", "regional", "both")),
        "--comparisons": (comparisons, ("mark", "plain", "leave_out")),
        "--current": (current, ("image", "words")),
    }
    for name, (value, known) in given.items():
        if value not in known:
            raise UserError(f"there is no `{name} {value}`: choose one of {', '.join(f'`{one}`' for one in known)}")
    return cast("Records", records), cast("Comparing", comparisons), cast("Current", current)
