"""The commands `wardround patients ...`: import records, look into them. Thin, as in `cli.py`.

Whoever can open the file may read it: at the terminal the rights of the file system decide, and the grant is issued to
the owner of the file.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UserError

if TYPE_CHECKING:
    from ..corpora.patients import History, Patient, PatientStore
    from ..corpora.patients.importing import Imported

patients_app = typer.Typer(no_args_is_help=True, help="Patient records: import them, look into them.")

_PROBLEMS_SHOWN = 5

StoreOption = Annotated[
    Path | None,
    typer.Option("--patients", "--records", help="The file that `patients import` made. Default: $WARDROUND_PATIENTS."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class SourceName(StrEnum):
    """Where records come from."""

    MIMIC = "mimic"
    FHIR = "fhir"
    JSONL = "jsonl"


class ScopeName(StrEnum):
    """As `Scope`; here because loading it takes time."""

    GLOBAL = "global"
    REGIONAL = "regional"
    BOTH = "both"


class ComparisonsName(StrEnum):
    """As `Comparisons`."""

    MARK = "mark"
    PLAIN = "plain"
    LEAVE_OUT = "leave_out"


@patients_app.command("import")
def patients_import(
    source: Annotated[SourceName, typer.Option(help="mimic (a MIMIC-CXR-JPG folder), fhir (R4 bundles) or jsonl.")],
    input_: Annotated[Path, typer.Option("--input", help="Its folder or file.")],
    out: Annotated[Path, typer.Option(help="The SQLite file; what is in it already is kept. Patient data.")],
    reports: Annotated[Path | None, typer.Option(help="mimic: the folder with the reports, if another.")] = None,
    scene_graphs: Annotated[Path | None, typer.Option(help="mimic: the folder of Chest ImaGenome, if another.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read patients, studies and reports into one file. Doing it again changes nothing; a broken import goes on."""
    from ..corpora.patients.importing import import_patients
    from .terminal import counting, say

    with counting() as progress:
        done = import_patients(source.value, input_, out, reports=reports, scene_graphs=scene_graphs, progress=progress)
    if as_json:
        kept = [p.model_dump() for p in done.problems.kept]
        counts = {"new": done.new, "changed": done.changed, "same": done.same, "left_out": len(done.problems)}
        print(json.dumps({**counts, "problems": kept}, ensure_ascii=False, indent=2))  # noqa: T201
        return
    _say_problems(done)
    say(f"{out}: {done.new:,} studies new, {done.changed:,} changed, {done.same:,} as before")


@patients_app.command("info")
def patients_info(records: StoreOption = None, as_json: JsonOption = False) -> None:
    """What a file of records holds and where it came from."""
    from .terminal import clean, out

    with open_records(records) as store:
        counts, sources = store.counts(), store.sources()
        if as_json:
            listed = [{"source": name, "folder": folder, "studies": n} for name, folder, n in sources]
            print(json.dumps({"path": str(store.path), **counts, "sources": listed}, indent=2))  # noqa: T201
            return
        out().print(clean(str(store.path)))
        out().print("  " + ", ".join(f"{n:,} {name}" for name, n in counts.items()))
        for name, folder, n in sources:
            out().print(clean(f"  {name}: {folder}, {n:,} studies"))


@patients_app.command("show")
def patients_show(
    patient: Annotated[str | None, typer.Argument(help="A patient's id; none lists the first ids.")] = None,
    records: StoreOption = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Ids listed.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """One patient: every study with its date, films and report; or which patients there are."""
    from itertools import islice

    from .terminal import out

    with open_records(records) as store:
        if patient is None:
            ids = list(islice(store.patient_ids(), top))
            print(json.dumps(ids) if as_json else "\n".join(ids))  # noqa: T201
            return
        found = store.patient(patient)
    if found is None:
        raise UserError(f"there is no patient `{patient}`: `wardround patients show` lists ids")
    if as_json:
        print(found.model_dump_json(indent=2))  # noqa: T201
    else:
        for line in _patient_lines(found):
            out().print(line)


@patients_app.command("history")
def patients_history(
    patient: Annotated[str, typer.Option(help="The patient's id.")],
    study: Annotated[str, typer.Option(help="The current study: only what is earlier is shown.")],
    region: Annotated[str | None, typer.Option(help="The region asked about, in words: `left base`.")] = None,
    scope: Annotated[ScopeName | None, typer.Option(help="Default: regional with a region, else global.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Earlier studies at most.")] = 3,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of text at most, roughly.")] = 1500,
    comparisons: Annotated[
        ComparisonsName, typer.Option(help="Sentences that compare with a still earlier film: mark, plain, leave_out.")
    ] = ComparisonsName.MARK,
    records: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a model is shown of the time before a study."""
    from ..corpora.patients import OWNER, Comparisons, HistoryQuery, Scope, asked_regions, history, issue

    regions = asked_regions(region) if region else ()
    if region and not regions:
        raise UserError(f"no region of the chest in `{region}`: say it as in `left lower lung zone`")
    wanted = Scope(scope.value) if scope else Scope.REGIONAL if regions else Scope.GLOBAL
    query = HistoryQuery(
        scope=wanted, regions=regions, limit=limit, tokens=tokens, comparisons=Comparisons(comparisons.value)
    )
    with open_records(records) as store:
        found = history(store, issue(store, OWNER, patient=patient, study=study), query)
    if as_json:
        print(found.model_dump_json(indent=2))  # noqa: T201
    else:
        _show_history(found)


def open_records(path: Path | None) -> PatientStore:
    """The store at `path`, else the one that the settings name.

    Raises:
        UserError: there is none.
    """
    from ..corpora.patients import PatientStore
    from ..settings import get_settings

    path = path or get_settings().patients
    if path is None:
        raise UserError("no patient records were named: give `--records FILE`, or set WARDROUND_PATIENTS")
    return PatientStore(path)


def _say_problems(done: Imported) -> None:
    from .terminal import say

    for problem in done.problems.kept[:_PROBLEMS_SHOWN]:
        say(f"left out {problem.file}{f':{problem.line}' if problem.line else ''}: {problem.reason}")
    if len(done.problems) > _PROBLEMS_SHOWN:
        say(f"{len(done.problems):,} were left out in all; `--json` lists the first 1,000")


def _patient_lines(patient: Patient) -> list[object]:
    from .terminal import clean

    about = [patient.sex, f"born {patient.birth_year}" if patient.birth_year else None]
    lines: list[object] = [clean(", ".join([patient.id, *filter(None, about)]))]
    lines += [clean(f"  {c.time.date()}  {c.text}") for c in patient.conditions]
    for study in patient.studies:
        when = study.time.date().isoformat() if study.until else study.time.isoformat(sep=" ", timespec="seconds")
        films = ", ".join(i.view or "film" for i in study.images) or "no films"
        lines.append(clean(f"\n{when}  {study.id}  {films}"))
        if study.report is None:
            lines.append("  no report")
            continue
        for sentence in study.report.sentences:
            flags = [n for n in ("compares", "negated", "uncertain") if getattr(sentence, n)]
            tags = "; ".join([*(r.value for r in sentence.regions), *(f.upper() for f in flags)])
            lines.append(clean(f"  {sentence.section.value}: {' '.join(sentence.text.split())}"))
            lines += [clean(f"      {tags}")] if tags else []
    return lines


def _show_history(found: History) -> None:
    from .terminal import clean, out

    console = out()
    if not found.records:
        console.print(clean(f"no earlier record: {found.empty_because}"))
    for record in found.records:
        ago = "earlier the same day" if record.days_before == 0 else f"{record.days_before} days before"
        console.print(clean(f"{record.date}  {ago}  {record.study_id}  {record.scope.value}"))
        for sentence in record.sentences:
            mark = "  ~ " if sentence.compares else "    "
            console.print(clean(f"{mark}{sentence.section.value}: {' '.join(sentence.text.split())}"))
    notes = [
        "~ compares with a still earlier film" if any(r.compares for r in found.records) else "",
        f"{found.comparing_left_out} sentences that compare were left out" if found.comparing_left_out else "",
        f"{found.unclear_order} studies were left out: not provably earlier" if found.unclear_order else "",
        "there is more: raise `--limit` or `--tokens`" if found.more else "",
    ]
    for note in filter(None, notes):
        console.print(clean(note), style="dim")
