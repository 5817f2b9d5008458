"""US drug labels from openFDA (https://open.fda.gov/apis/drug/label/), public domain (CC0).

Read are an answer of the API or a bulk file (`{"meta": ..., "results": [...]}`), the published
`drug-label-*.json.zip` as they are, and JSONL with one label a line, whose names stand at the top and whose
sections stand under `sections`. How sections map onto attributes: `attributes.OPENFDA`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

from ..medicines import Attribute, Codes, Medicine, Names, SourceRef
from .attributes import OPENFDA
from .cleaning import clean, clean_line, strings, unique
from .forms import form_of_label
from .problems import Problems, RowError
from .rows import json_rows, medicines

# Fields of a label that are no text: identifiers, and what repeats a text in another form.
_NOT_TEXT = frozenset(
    {"id", "set_id", "version", "effective_time", "openfda", "meta", "sections", "source", "query_name"}
    | {"brand_name", "generic_name", "substance_name", "manufacturer_name", "product_type", "rxcui", "unii"}
    | {"application_number", "route", "pharm_class_epc", "pharm_class_moa", "pharm_class_pe", "pharm_class_cs"}
    | {"spl_indexing_data_elements", "package_label_principal_display_panel"}
)
_CLASSES = ("pharm_class_epc", "pharm_class_moa", "pharm_class_pe", "pharm_class_cs")
# Shorter texts ("None.") stand in many places by chance.
_SHORTEST_REPEAT = 40


def read(path: Path, problems: Problems) -> Iterator[Medicine]:
    """The labels in `path`, one Medicine each, with id `openfda:<set_id>`. Rows without set id, name or text
    are reported."""
    return medicines(path, json_rows(path, problems), _medicine, problems)


def _medicine(row: dict[str, object]) -> Medicine:
    nested = row.get("openfda")
    about = cast("Mapping[str, object]", nested) if isinstance(nested, dict) and nested else row
    set_id = clean_line(str(row.get("set_id") or row.get("id") or ""))
    if not re.fullmatch(r"[^\s#]+", set_id):
        raise RowError("no `set_id`" if not set_id else f"`set_id` is not an id: {set_id[:60]}")
    sections = _sections(row)
    texts, labels = _texts(sections)
    if not texts:
        raise RowError("no text in any section")
    route = strings(about.get("route")) if isinstance(about.get("route"), list) else ()
    names, form = _names(about, route, sections)
    return Medicine(
        id=f"openfda:{set_id}",
        names=names,
        form=form,
        route=tuple(each.lower() for each in route),
        classes=unique(value for key in _CLASSES for value in strings(about.get(key))),
        codes=Codes(rxcui=strings(about.get("rxcui")), unii=strings(about.get("unii"))),
        source=SourceRef(
            name="openfda",
            id=set_id,
            version=next(iter(strings(row.get("version"))), None),
            date=iso_date(next(iter(strings(row.get("effective_time"))), "")),
        ),
        texts=texts,
        source_labels=labels,
    )


def iso_date(stamp: str) -> str | None:
    """`20260716` as `2026-07-16`; None for anything that is not a day of the calendar."""
    try:
        return datetime.strptime(stamp, "%Y%m%d").date().isoformat() if len(stamp) == 8 else None  # noqa: DTZ007
    except ValueError:
        return None


def _sections(row: Mapping[str, object]) -> dict[str, str]:
    """Section name -> clean text, in the order in which they are joined."""
    nested = row.get("sections")
    fields = cast("Mapping[str, object]", nested) if isinstance(nested, dict) else row
    found: dict[str, str] = {}
    for name in sorted(fields, key=_place):
        # `*_table` fields are HTML of what the plain field holds as text.
        if (fields is row and name in _NOT_TEXT) or name.endswith("_table"):
            continue
        value = fields[name]
        parts = cast("list[object]", value) if isinstance(value, list) else [value]
        text = "\n\n".join(clean(part) for part in parts if isinstance(part, str) and part.strip())
        if text:
            found[name] = text
    return found


_ORDER = {section: place for place, section in enumerate(OPENFDA)}


def _place(section: str) -> tuple[int, str]:
    return _ORDER.get(section, len(_ORDER)), section


def _texts(sections: Mapping[str, str]) -> tuple[dict[Attribute, str], dict[Attribute, str]]:
    parts: dict[Attribute, list[str]] = {}
    labels: dict[Attribute, list[str]] = {}
    for name, text in without_repeats(sections).items():
        attribute = OPENFDA.get(name, Attribute.OTHER)
        if name == "spl_product_data_elements" and attribute in parts:
            # Names and excipients in one run of capitals: only where the label says it nowhere better.
            continue
        parts.setdefault(attribute, []).append(without_heading(in_paragraphs(text)))
        labels.setdefault(attribute, []).append(name)
    return (
        {attribute: "\n\n".join(texts) for attribute, texts in parts.items()},
        {attribute: " + ".join(names) for attribute, names in labels.items()},
    )


def without_repeats(sections: Mapping[str, str]) -> dict[str, str]:
    """The sections with every text stored once.

    Labels repeat: `use_in_specific_populations` holds `pregnancy` and `pediatric_use` word for word, and
    `precautions` of older labels holds `drug_interactions`. A section that another one of the same attribute
    holds is dropped; a section that one of another attribute holds is cut out there, so that the longer one
    keeps what stands nowhere else.
    """
    kept = dict(sections)
    # From the longest: what holds others is cut out of what holds it before it is cut itself.
    for name in sorted(sections, key=lambda each: -len(sections[each])):
        text = sections[name]
        if len(text) < _SHORTEST_REPEAT or kept[name] != text:
            continue
        held = False
        for other, longer in list(kept.items()):
            if other == name or len(longer) < len(text) or text not in longer:
                continue
            if OPENFDA.get(other, Attribute.OTHER) is OPENFDA.get(name, Attribute.OTHER):
                held = True
            else:
                kept[other] = clean(longer.replace(text, "\n\n"))
        if held:
            del kept[name]
    return {name: text for name, text in kept.items() if _says_something(text)}


def _says_something(text: str) -> bool:
    return bool(re.search(r"\w", without_heading(text)))


# The headings that the Physician Labeling Rule prescribes (21 CFR 201.57), as they stand at the head of texts.
_HEADINGS = (
    *("INDICATIONS AND USAGE", "INDICATIONS & USAGE", "DOSAGE AND ADMINISTRATION", "DOSAGE & ADMINISTRATION"),
    *("DOSAGE FORMS AND STRENGTHS", "DOSAGE FORMS & STRENGTHS", "CONTRAINDICATIONS", "WARNINGS AND PRECAUTIONS"),
    *("WARNINGS", "PRECAUTIONS", "ADVERSE REACTIONS", "DRUG INTERACTIONS", "USE IN SPECIFIC POPULATIONS"),
    *("PREGNANCY", "LACTATION", "LABOR AND DELIVERY", "NURSING MOTHERS", "PEDIATRIC USE", "GERIATRIC USE"),
    *("FEMALES AND MALES OF REPRODUCTIVE POTENTIAL", "DRUG ABUSE AND DEPENDENCE", "CONTROLLED SUBSTANCE"),
    *("ABUSE", "DEPENDENCE", "OVERDOSAGE", "DESCRIPTION", "CLINICAL PHARMACOLOGY", "MECHANISM OF ACTION"),
    *("PHARMACODYNAMICS", "PHARMACOKINETICS", "PHARMACOGENOMICS", "MICROBIOLOGY", "NONCLINICAL TOXICOLOGY"),
    *("CARCINOGENESIS, MUTAGENESIS, IMPAIRMENT OF FERTILITY", "CARCINOGENESIS AND MUTAGENESIS AND IMPAIRMENT OF"),
    *("ANIMAL TOXICOLOGY AND/OR PHARMACOLOGY", "CLINICAL STUDIES", "HOW SUPPLIED/STORAGE AND HANDLING"),
    *("HOW SUPPLIED", "STORAGE AND HANDLING", "PATIENT COUNSELING INFORMATION"),
)
_HEADING = "(?:" + "|".join(map(re.escape, sorted(_HEADINGS, key=len, reverse=True))) + ")"
# With its number a heading is beyond doubt. Without, it must be in capitals and no further word in capitals may
# follow: "WARNINGS: SUICIDAL THOUGHTS" and "PREGNANCY EXPOSURE REGISTRY" are text.
_NUMBERED = re.compile(rf"\d{{1,2}}(?:\.\d{{1,2}})?\.? {_HEADING}\b[ :]*", re.IGNORECASE)
_CAPITALS = re.compile(rf"{_HEADING}:? (?![A-Z]{{2}}|[&/,(])")


def without_heading(text: str) -> str:
    """`text` without the section heading that openFDA repeats at its head (`1 INDICATIONS AND USAGE `)."""
    match = _NUMBERED.match(text) or _CAPITALS.match(text)
    return text[match.end() :].lstrip() if match else text


_SECTION_NUMBER = re.compile(r"(\d{1,2})(?:\.\d{1,2})? [A-Z]")


def in_paragraphs(text: str) -> str:
    """`text` with a paragraph break before each numbered subsection (`5.1 Hepatotoxicity`).

    openFDA runs a section together into one line. A number starts a paragraph where it belongs to the text's own
    section, comes in ascending order, stands before a capital letter and is no reference in brackets.
    """
    if not (section := _SECTION_NUMBER.match(text)):
        return text
    pieces: list[str] = []
    done, last = 0, 0
    for match in re.finditer(rf"(?<![(\[,]) (?={section[1]}\.(\d{{1,2}}) [A-Z])", text):
        number = int(match[1])
        if last < number <= last + 3:
            pieces.append(text[done : match.start()])
            done, last = match.end(), number
    return "\n\n".join([*pieces, text[done:]])


def _names(
    about: Mapping[str, object], route: tuple[str, ...], sections: Mapping[str, str]
) -> tuple[Names, str | None]:
    brands = tuple(_spelled(name) for name in strings(about.get("brand_name")))
    generic = tuple(name.lower() if name.isupper() else name for name in strings(about.get("generic_name")))
    substances = tuple(name.lower() for name in strings(about.get("substance_name")))
    if not (brands or generic or substances):
        brands, generic = _names_in(sections.get("spl_product_data_elements", ""))
    if not (brands or generic or substances):
        raise RowError("no name")
    form = form_of_label(route, _form_texts((*brands, *generic), sections))
    # Makers of generics give the substance as the brand: "Gemcitabine" for gemcitabine hydrochloride.
    known = " ".join((*generic, *substances)).casefold()
    common = [name for name in brands if name.casefold() in known]
    names = Names(
        display=_display(next(iter(brands), ""), next(iter(generic), "") or ", ".join(substances), form or ""),
        generic=unique((*generic, *common)),
        substances=substances or _substances(generic),
        brands=tuple(name for name in brands if name not in common),
    )
    return names, form


_LONGEST_BESIDE = 60


def _display(brand: str, generic: str, form: str) -> str:
    """`Maxalt (rizatriptan benzoate, tablet)`: what is already said by the brand is left out, and the
    generic name too where it is a list too long to read."""
    main = (brand or generic).casefold()
    told = main in generic.casefold() or generic.casefold() in main or len(generic) > _LONGEST_BESIDE
    beside = [generic] if generic and not told else []
    beside += [form] if form and form not in main else []
    return f"{brand or generic} ({', '.join(beside)})" if beside else brand or generic


# Where a label says its form, the surest first, and how many characters of it are read.
_FORM_SECTIONS = (
    ("dosage_forms_and_strengths", 600),
    ("how_supplied", 600),
    ("indications_and_usage", 600),
    ("description", 600),
    ("dosage_and_administration", 10_000),
    ("warnings_and_cautions", 10_000),
)


def _form_texts(names: tuple[str, ...], sections: Mapping[str, str]) -> Iterator[str]:
    yield " ".join(names)
    for section, length in _FORM_SECTIONS:
        yield sections.get(section, "")[:length]


def _substances(generic: tuple[str, ...]) -> tuple[str, ...]:
    """The active substances as the generic name lists them, where the label has no list of its own."""
    if len(generic) != 1 or re.search(r"\bkit\b|\bfor\b|\d", generic[0], re.IGNORECASE):
        return ()
    return strings([part.lower() for part in re.split(r",\s*(?:and\s)?|\s+and\s+|\s*/\s*", generic[0])])


_REPEATED = re.compile(
    r"(?P<brand>\S+(?: \S+){0,7}? )??(?P<generic>\S+(?: \S+){0,5}?) (?P=generic)(?= |$)", re.IGNORECASE
)


def _names_in(elements: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(brands, generic names) from the head of `spl_product_data_elements`: brand, generic name, then the
    substances in capitals (`EOVIST Gadoxetate Disodium GADOXETATE DISODIUM ...`), so the generic name is what
    stands twice. Both empty where nothing does."""
    match = _REPEATED.match(elements)
    if not match or len(match["generic"]) < 4:
        return (), ()
    brand, generic = (match["brand"] or "").strip(), match["generic"]
    return ((_spelled(brand),) if brand else ()), (generic.lower() if generic.isupper() else generic,)


def _spelled(name: str) -> str:
    """A name in capitals in ordinary spelling; other names as the label spells them."""
    if not name.isupper():
        return name
    return " ".join(word.capitalize() if len(word) > 3 and word.isalpha() else word for word in name.split())
