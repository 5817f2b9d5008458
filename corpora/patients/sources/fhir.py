"""FHIR R4 bundles (http://hl7.org/fhir/R4/): Patient, ImagingStudy, DiagnosticReport, Observation, Condition.

Kept are radiographs of the chest. A study is an ImagingStudy, or a radiology DiagnosticReport that names none; its time
is `started`, else `effective[x]`, as precise as it is given. A report's text is, in this order: its attached plain
text or HTML (`presentedForm`), its result Observations and `conclusion`, its narrative (`text.div`). What isn't final
is left out. `issued` goes with the report: what was signed after another study is not shown there.

Films are files `<SOP instance UID>.dcm` in the folder of the bundle or below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from pydantic import ValidationError

from ....errors import UserError
from ...sources.problems import Problems, RowError
from ...sources.rows import opened
from ..moments import parse_moment
from ..records import Condition, Image, SectionName, Study
from ..writing import Written
from .fhir_text import attached_text, narrative_text
from .found import Found, why_invalid

NAME: Final = "fhir"
_CHEST: Final = re.compile(r"\b(?:chest|thora\w+|lungs?|cxr|pulmonary)\b", re.IGNORECASE)
_CHEST_CODES: Final = frozenset(
    {"51185008", "39607008", "302551006", "43799004"}
)  # SNOMED CT: thoracic structure, lung
_FILM: Final = frozenset({"CR", "DX", "RG", "DR"})  # DICOM modalities of projection radiography
_RADIOLOGY: Final = frozenset({"RAD", "RX", "LP29684-5"})  # HL7 v2-0074 and LOINC
_FINISHED: Final = frozenset({"final", "amended", "corrected", "appended"})
_CHANGED: Final = frozenset({"amended", "corrected", "appended"})
_MAX_BYTES: Final = 2**30

Resource = Mapping[str, Any]


def read(path: Path, problems: Problems) -> Iterator[Found]:
    """The chest films of all patients in a bundle, or in the bundles of a folder (`.json`, `.json.gz`).

    Raises:
        UserError: no bundle there.
    """
    files = sorted(f for f in path.rglob("*") if f.name.endswith((".json", ".json.gz"))) if path.is_dir() else [path]
    if not files:
        raise UserError(f"no file in `{path}` ends with `.json` or `.json.gz`")
    root = path if path.is_dir() else path.parent
    films = {f.stem: f.relative_to(root).as_posix() for f in root.rglob("*.dcm")}
    for file in files:
        bundle = _bundle(file, problems)
        if bundle is not None:
            yield from _Bundle(file, bundle, films, problems).found()


def _bundle(file: Path, problems: Problems) -> Resource | None:
    with opened(file, problems) as stream:
        data = stream.read(_MAX_BYTES)
    try:
        bundle: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        problems.add(file, 0, f"not JSON: {error}")
        return None
    if not isinstance(bundle, dict) or cast("Resource", bundle).get("resourceType") != "Bundle":
        problems.add(file, 0, "not a FHIR bundle")
        return None
    return cast("Resource", bundle)


class _Bundle:
    """One bundle: its resources by what refers to them."""

    def __init__(self, file: Path, bundle: Resource, films: Mapping[str, str], problems: Problems) -> None:
        self._file, self._films, self._problems = file, films, problems
        self._by_url: dict[str, Resource] = {}
        self._by_type: dict[str, list[Resource]] = {}
        for entry in _list(bundle, "entry"):
            resource = entry.get("resource")
            if isinstance(resource, dict):
                self._enter(str(entry.get("fullUrl", "")), cast("Resource", resource))

    def _enter(self, url: str, resource: Resource) -> None:
        kind, own = str(resource.get("resourceType")), str(resource.get("id"))
        self._by_type.setdefault(kind, []).append(resource)
        for name in (url, f"{kind}/{own}"):
            if name:
                self._by_url[name] = resource

    def found(self) -> Iterator[Found]:
        """What concerns a chest film, with its reports, then the conditions."""
        reports = self._reports_by_study()
        for study in self._by_type.get("ImagingStudy", []):
            own = reports.pop(_key(study), [])
            if _is_chest_film(study):
                yield from self._guarded(study, own)
            elif any(_is_chest_report(r) for r in own):
                self._problem(study, "a report of the chest on an imaging study that is no chest film")
        for report in reports.pop("", []):
            if _is_chest_report(report) and report.get("status") in _FINISHED:
                yield from self._guarded(report, [report])
        for patient in self._by_type.get("Patient", []):
            yield from self._conditions(patient)

    def _reports_by_study(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for report in self._by_type.get("DiagnosticReport", []):
            named = [self._get(r, report) for r in _list(report, "imagingStudy")]
            studies = [s for s in named if s is not None and s.get("resourceType") == "ImagingStudy"]
            for key in [_key(s) for s in studies] or [""]:
                found.setdefault(key, []).append(report)
        return found

    def _guarded(self, resource: Resource, reports: list[Resource]) -> Iterator[Found]:
        try:
            yield self._study(resource, reports)
        except RowError as error:
            self._problem(resource, str(error))
        except ValidationError as error:
            self._problem(resource, why_invalid(error))

    def _study(self, resource: Resource, reports: list[Resource]) -> Found:
        patient = self._patient_of(resource)
        for report in reports:
            if self._patient_of(report) is not patient:
                raise RowError("a report of another patient: neither is trusted, both are left out")
        time = resource.get("started") or next((t for t in map(_effective, [resource, *reports]) if t), None)
        if time is None:
            raise RowError("no time")
        study = Study.model_validate(
            {
                "id": str(resource.get("id")),
                "patient_id": str(patient.get("id")),
                "time": str(time),
                "images": self._images(resource),
                "source": NAME,
            }
        )
        sex, year = patient.get("gender"), str(patient.get("birthDate", ""))[:4]
        return Found(
            file=self._file,
            study=study,
            report=self._written(reports, patient),
            sex=str(sex) if sex else None,
            birth_year=int(year) if year.isdigit() else None,
        )

    def _images(self, resource: Resource) -> tuple[Image, ...]:
        found: list[Image] = []
        for series in _list(resource, "series"):
            for instance in _list(series, "instance"):
                uid = str(instance.get("uid", "")).removeprefix("urn:oid:")
                if path := self._films.get(uid):
                    found.append(Image(id=uid, path=path, view=_view(series, instance)))
        return tuple(found)

    def _written(self, reports: list[Resource], patient: Resource) -> Written | None:
        """The text of the finished reports, and when the last of them was signed."""
        finished = [r for r in reports if r.get("status") in _FINISHED]
        texts: list[str | Mapping[SectionName, str]] = []
        issued: list[str] = []
        for report in finished:
            signed = report.get("issued")
            if signed is None and report.get("status") in _CHANGED:
                signed = _dict(report, "meta").get("lastUpdated")
                if signed is None:
                    self._problem(report, "a changed report that does not say when: left out")
                    continue
            text = self._text(report, patient)
            if text:
                texts.append(text)
                issued += [str(signed)] if signed else []
        if not texts:
            return None
        latest = max((_last_moment(i) for i in issued), key=lambda t: t.timestamp(), default=None)
        if len(texts) == 1:
            return Written(texts[0], issued=latest)
        return Written("\n\n".join(t if isinstance(t, str) else _headed(t) for t in texts), issued=latest)

    def _text(self, report: Resource, patient: Resource) -> str | Mapping[SectionName, str]:
        attached = attached_text(_list(report, "presentedForm"))
        if attached:
            return attached
        parts: dict[SectionName, str] = {}
        for reference in _list(report, "result"):
            result = self._get(reference, report)
            said = result.get("valueString") if result else None
            if result is None or not isinstance(said, str):
                continue
            if "subject" in result and self._patient_of(result) is not patient:
                raise RowError("a result of another patient in a report: the study is left out")
            name = _section(_words(result.get("code")))
            parts[name] = f"{parts[name]} {said}" if name in parts else said
        conclusion = report.get("conclusion")
        if isinstance(conclusion, str) and conclusion.strip():
            parts.setdefault(SectionName.IMPRESSION, conclusion)
        return parts or narrative_text(str(_dict(report, "text").get("div", "")))

    def _conditions(self, patient: Resource) -> Iterator[Found]:
        found: list[Condition] = []
        for condition in self._by_type.get("Condition", []):
            if self._get(_dict(condition, "subject"), condition) is not patient:
                continue
            onset = condition.get("onsetDateTime") or _dict(condition, "onsetPeriod").get("start")
            time = onset or condition.get("recordedDate")
            words = _words(condition.get("code"))
            if time and words:
                try:
                    first, last = parse_moment(str(time))
                    found.append(Condition(id=str(condition.get("id")), text=words, time=first, until=last))
                except (ValidationError, ValueError):
                    self._problem(condition, "a condition without a proper id or time")
        yield Found(file=self._file, patient=str(patient.get("id")), conditions=tuple(found))

    def _patient_of(self, resource: Resource) -> Resource:
        patient = self._get(_dict(resource, "subject"), resource)
        if patient is None or patient.get("resourceType") != "Patient":
            raise RowError("its patient is not in the bundle")
        return patient

    def _get(self, reference: Resource, source: Resource) -> Resource | None:
        """What a reference means: a resource of the bundle, or one contained in `source`."""
        name = str(reference.get("reference", ""))
        if name.startswith("#"):
            return next((c for c in _list(source, "contained") if c.get("id") == name[1:]), None)
        return self._by_url.get(name) or self._by_url.get("/".join(name.split("/")[-2:]))

    def _problem(self, resource: Resource, reason: str) -> None:
        self._problems.add(self._file, 0, f"{reason}: {resource.get('resourceType')}/{resource.get('id')}")


def _is_chest_film(study: Resource) -> bool:
    series = _list(study, "series")
    modalities = {str(m.get("code")) for m in (*_list(study, "modality"), *(_dict(s, "modality") for s in series))}
    words = [str(study.get("description", "")), *(_words(c) for c in _list(study, "procedureCode"))]
    words += [str(s.get("description", "")) for s in series]
    sites = [_dict(s, "bodySite") for s in series]
    words += [str(s.get("display", "")) for s in sites]
    there = any(_CHEST.search(w) for w in words) or any(str(s.get("code")) in _CHEST_CODES for s in sites)
    return bool(modalities & _FILM) and there


def _is_chest_report(report: Resource) -> bool:
    codes = {str(c.get("code")) for each in _list(report, "category") for c in _list(each, "coding")}
    return bool(codes & _RADIOLOGY) and bool(_CHEST.search(_words(report.get("code"))))


def _effective(resource: Resource) -> str | None:
    time = resource.get("effectiveDateTime") or _dict(resource, "effectivePeriod").get("end")
    return str(time) if time else None


def _last_moment(time: str) -> Any:
    try:
        first, last = parse_moment(time)
    except ValueError:
        raise RowError(f"`issued` is no time: {time}") from None
    return last or first


def _section(words: str) -> SectionName:
    low = words.lower()
    for name in (SectionName.IMPRESSION, SectionName.COMPARISON, SectionName.INDICATION, SectionName.TECHNIQUE):
        if name.value in low:
            return name
    return SectionName.FINDINGS


def _headed(parts: Mapping[SectionName, str]) -> str:
    return "\n\n".join(f"{name.value.upper()}: {text}" for name, text in parts.items())


def _view(series: Resource, instance: Resource) -> str | None:
    title = f"{instance.get('title', '')} {series.get('description', '')}".upper()
    return next((v for v in ("LATERAL", "PA", "AP") if re.search(rf"\b{v}\b", title)), None)


def _words(concept: object) -> str:
    """A CodeableConcept in words: its text, else the first display."""
    if not isinstance(concept, dict):
        return ""
    own = cast("Resource", concept)
    displays = [str(c["display"]) for c in _list(own, "coding") if c.get("display")]
    return str(own.get("text") or (displays[0] if displays else ""))


def _key(resource: Resource) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _list(resource: Resource, name: str) -> list[Resource]:
    value = resource.get(name)
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Resource", each) for each in listed if isinstance(each, dict)]


def _dict(resource: Resource, name: str) -> Resource:
    value = resource.get(name)
    return cast("Resource", value) if isinstance(value, dict) else {}
