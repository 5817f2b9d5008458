"""How reports and questions name the regions: "left base", "right CP angle", "cardiomediastinal silhouette"."""

from __future__ import annotations

import re

from .regions import Region

_SIDED: dict[str, str] = {
    "lung": r"(?:hemi)?thorax|lungs?|pulmonary",
    "upper lung zone": r"upper (?:lung )?(?:zones?|lobes?|lungs?|fields?)|suprahilar",
    "mid lung zone": r"(?:mid(?:dle)?[- ]?)(?:lung )?(?:zones?|lobes?|lungs?|fields?)|midlung|lingula[r]?|perihilar",
    "lower lung zone": r"lower (?:lung )?(?:zones?|lobes?|lungs?|fields?)|(?:lung )?bas(?:es?|al|ilar)|retrocardiac",
    "hilar structures": r"hil(?:um|a|us|ar)",
    "apical zone": r"ap(?:ex|ices|ical)",
    "costophrenic angle": r"(?:costophrenic|CP) (?:angles?|sulc(?:us|i))|sulc(?:us|i)",
    "hemidiaphragm": r"(?:hemi)?diaphragms?",
    "clavicle": r"clavic(?:les?|ular)",
}
_MIDDLE: dict[Region, str] = {
    Region.TRACHEA: r"trachea[l]?",
    Region.SPINE: r"(?:thoracic |lumbar )?spine|spinal|vertebra[el]?|scoliosis|kyphosis|dextroscoliosis|levoscoliosis",
    Region.AORTIC_ARCH: r"aort(?:a|ic)(?: arch| knob)?",
    Region.MEDIASTINUM: r"(?:cardio)?mediastin(?:um|al)",
    Region.UPPER_MEDIASTINUM: r"(?:upper|superior) mediastin(?:um|al)",
    Region.SVC: r"SVC|superior vena cava",
    Region.CARDIAC_SILHOUETTE: r"card(?:iac|iomegaly|iomediastinal)|heart",
    Region.CAVOATRIAL_JUNCTION: r"ca?vo-?atrial junction",
    Region.RIGHT_ATRIUM: r"right atri(?:um|al)",
    Region.CARINA: r"carinal?",
    Region.ABDOMEN: r"abdom(?:en|inal)|bowel|stomach|gastric|diaphragmatic free air|upper quadrant",
}


def regions_in(text: str) -> tuple[Region, ...]:
    """The regions that a sentence names, in the order of `Region`; both sides where it names none."""
    found: set[Region] = set()
    for region, words in _MIDDLE.items():
        if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE):
            found.add(region)
    for part, words in _SIDED.items():
        if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE):
            sides = [s for s in ("right", "left") if re.search(rf"\b{s}\b", text, re.IGNORECASE)] or ["right", "left"]
            found.update(Region(f"{side} {part}") for side in sides)
    return tuple(r for r in Region if r in found)


def asked_regions(question: str) -> tuple[Region, ...]:
    """The regions that a question asks about, the most precise ones only; empty where it names none."""
    found = regions_in(question)
    return tuple(r for r in found if not any(r in other.ancestors for other in found))
