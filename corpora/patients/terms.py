"""The words of chest radiology: what names a place, what names a finding, what says right or left.

`mentions` reads a sentence into them, once; `region_words.py` makes regions of it, `assertions.py` what is asserted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Kind(Enum):
    """What a word does."""

    PLACE = "place"
    """Names one or more parts of the chest."""
    FINDING = "finding"
    """Something abnormal or a device; its `parts` are where it lies if no place is said."""
    SIDE = "side"
    EXAMINATION = "examination"
    """The name of an examination, which says nothing of the place in it."""


@dataclass(frozen=True)
class Mention:
    """A word or phrase of a sentence. `parts` are names of Chest ImaGenome without their side."""

    kind: Kind
    parts: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class _Term:
    kind: Kind
    parts: tuple[str, ...]
    pattern: str


def _place(parts: str, pattern: str) -> _Term:
    return _Term(Kind.PLACE, tuple(parts.split("+")), pattern)


def _finding(parts: str, pattern: str) -> _Term:
    return _Term(Kind.FINDING, tuple(filter(None, parts.split("+"))), pattern)


def _side(side: str, pattern: str) -> _Term:
    return _Term(Kind.SIDE, (side,), pattern)


_ZONE = r"[\s-]+(?:lung[\s-]+)?(?:lobes?|lobar|lungs?|zones?|fields?|thirds?)"
_ZONE_LATER = (  # "upper and left lower lobes": the noun comes once
    r"(?=(?:[\s,/-]+(?:and|or|to|right|left|upper|mid|middle|lower|apical|lingular))+(?:[\s-]+lung)?[\s-]+(?:lobes?|lungs?|zones?|fields?))"
)
_EXAMINATION = r"ct|cta|mri|ultrasound|sonograph\w*|radiographs?|films?|x-?rays?|series|echocardiogra\w*|scan"

# The first that fits at a word wins: what is longer or more special comes first.
_TERMS: tuple[_Term, ...] = (
    _Term(
        Kind.EXAMINATION,
        (),
        rf"(?:abdominal|abdomen|cardiac|spine|pulmonary|thoracic|coronary)(?: and pelvi[cs])?[\s-]+(?:{_EXAMINATION})\b"
        rf"|(?:{_EXAMINATION}) of the (?:\w+ )?(?:abdomen|spine|chest)(?:(?:,| and|/)+ ?(?:abdomen|pelvis))*"
        r"|(?:right|left)[\s-]+(?:lateral|anterior|posterior)[\s-]+(?:decubitus|oblique)\w*|left lateral (?:view|film|projection)",
    ),
    # Sides.
    _side("both", r"bilateral(?:ly)?|both|right and left|left and right|right (?:or|and/or) left|left (?:or|and/or) right"),
    _side("both", r"(?:right|left) (?:\w+ )?(?:greater|worse|more|larger|less)(?: \w+)? than (?:the )?(?:left|right)"),
    # What holds a word of another region.
    _finding("cardiac silhouette+lung", r"(?:congestive )?heart failure|chf|congestive failure|congestive changes"),
    _place("cardiac silhouette+lung", r"(?:cardio|cardiac )[\s-]?pulmonary"),
    _place("cardiac silhouette+mediastinum", r"cardio[\s-]?mediastin\w*|mediastinal and cardiac|heart and mediastin\w*"),
    _place("cardiac silhouette", r"aortic valv\w*|(?:mitral|tricuspid)(?: \w+)?|valv(?:e|es|ular)"),
    _finding("cardiac silhouette", r"pericardial effusions?"),
    _place("cavoatrial junction", r"(?:ca?vo|atrio)[\s/-]?(?:atrial|caval)(?: junction)?|(?:svc|superior vena cava)[\s/-]+(?:ra|right atri(?:um|al))(?: junction)?"),
    _place("right atrium", r"right atri(?:um|al)"),
    _place("svc", r"svc|superior vena cava\w*"),
    _place("mediastinum", r"aort(?:ic)?o?[\s-]?pulmonary(?: window)?|ap window"),
    _place("upper mediastinum", r"(?:upper|superior) mediastin\w*|(?:right )?paratracheal|thoracic inlet"),
    _finding("mediastinum", r"hiat(?:al|us) hernias?|(?:median )?sternotom\w+|(?:lymph)?adenopathy"),
    _finding("hemidiaphragm", r"(?:bochdalek|morgagni|diaphragmatic)(?: \w+)? hernias?|eventration"),
    _finding("abdomen", r"(?:intraperitoneal|subdiaphragmatic|infradiaphragmatic|abdominal|peritoneal) (?:free )?(?:air|gas)|free (?:\w+ )?air|pneumoperitoneum|(?:bowel|mechanical) obstruction"),
    _finding("abdomen", r"(?:naso|oro|esophago)gastric(?: tubes?)?|(?:ng|og|feeding|enteric|enteral|gastrostomy|gastric|dobbhoff)[\s-]+tubes?|dobbhoff|cholecystectomy"),
    _place("abdomen+hemidiaphragm", r"(?:below|beneath|under) the diaphragms?"),
    _place("abdomen", r"abdom\w*|bowel|colon\w*|stomach|gastric|gallbladder|upper quadrants?|sub-?diaphragmatic|infra-?diaphragmatic|liver|hepatic|splee?n\w*"),
    _finding("trachea", r"tracheostom\w+(?: (?:tube|cannula))?|endotracheal(?: tubes?)?|et tubes?|ett"),
    _finding("lung", r"small airways?|reactive airways?"),
    _place("trachea", r"trachea\w*|(?:central )?airways?"),
    _place("carina", r"carina\w*|(?:sub|infra)carinal"),
    # Parts with a side.
    _place("lower lung zone@left", r"retrocardiac"),
    _place("apical zone", r"(?:lung |pulmonary )?ap(?:ex|exes|ices|ical)(?: (?:zone|lung)s?)?"),
    _place("apical zone@both", r"bi[\s-]?apical"),
    _place("lower lung zone@both", r"bi[\s-]?bas(?:ilar|al)"),
    _place("hilar structures@both", r"bi[\s-]?hilar"),
    _place("upper lung zone", rf"upper{_ZONE}|upper{_ZONE_LATER}"),
    _place("mid lung zone", rf"(?:mid(?:dle)?){_ZONE}|mid(?:dle)?{_ZONE_LATER}|midlungs?|lingul\w+|(?:minor|horizontal) fissures?|mid ?zones?"),
    _place("lower lung zone", rf"lower{_ZONE}|lower{_ZONE_LATER}|(?:lungs? |pulmonary )?(?:bases?|basal|basilar)|cardio[\s-]?phrenic|infrahilar bas\w+"),
    _place("hilar structures", r"hil(?:um|a|us|ar|i)|(?:peri|supra|infra|para)[\s-]?hilar"),
    _place("costophrenic angle", r"(?:costo[\s-]?phrenic|cp)(?: (?:angles?|sulc(?:us|i)|recess\w*))?|sulc(?:us|i)"),
    _place("hemidiaphragm", r"(?:hemi)?[\s-]?diaphragm\w*"),
    _place("clavicle", r"clavic\w+|acromio[\s-]?clavicular|ac joints?"),
    _finding("costophrenic angle", r"(?:pleural )?effusions?|pleural fluid|blunt\w+"),
    _finding("lung", r"pneumothora\w+|hydropneumothora\w+|pleural (?:air|thicken\w+|calcif\w+|plaques?|reaction|capping|disease|scar\w*|based \w+|parenchymal \w+)"),
    _finding("lung@whole", r"(?:low|decreased|diminished|reduced|small) (?:lung |pulmonary )?volumes?|lung volumes? (?:is|are|remains?|appears?) (?:\w+ )?(?:low|decreased|diminished|reduced|small)|(?:hypo|hyper)[\s-]?(?:inflat|expan|aerat|lucen)\w+"),
    _finding("lung", r"volume loss|hypoventilat\w+"),
    _finding("lung", r"(?:chronic )?obstructive (?:pulmonary|lung|airways?)(?: disease)?|copd|emphysem\w+|tubercul\w+|tb"),
    _finding("lung", r"(?:pulmonary |lung )?(?:edema|nodules?|nodular\w*|mass|masses|cancers?|carcinoma\w*|malignan\w+|fibro(?:sis|tic)|infarct\w*|embol\w+)(?! (?:of|to) the)"),
    _place("lung", r"lungs?|pulmonary|hemi[\s-]?thora(?:x|ces)|pleura\w*|intrapulmonary"),
    # Parts in the middle.
    _place("mediastinum", r"(?:para)?mediastin\w*"),
    _finding("cardiac silhouette", r"cardiomegaly|cabg|coronary artery bypass\w*|pacemakers?|pacer\w*|(?:a?icd)s?|defibrillators?"),
    _place("cardiac silhouette", r"hearts?|cardiac|pericard\w+|ventric\w+|left atri(?:um|al)|atri(?:a|um|al)|coronary|myocard\w+"),
    _place("aortic arch", r"aort(?:a|ic|as)"),
    _finding("spine", r"scolio\w*|(?:dextro|levo)\w*|kypho\w*|spondyl\w+|compression (?:fractures?|deformit\w+)"),
    _place("spine", r"spin(?:e|al|es)|vertebra\w*|dis[ck]s?|end-?plates?|paraspinal|thoracolumbar"),
    # Findings that lie in the lung where no place is said.
    _finding("lung", r"consolidat\w+|infiltrat\w+|opaci\w+|air[\s-]?spaces?(?: \w*)?|pneumoni\w+|bronchopneumonia|atelecta\w+|granulom\w+|interstiti\w+|bronch\w+|peribronch\w+|vascular (?:congestion|redistribution|crowding|prominence|markings)|bronchovascular\w*|vascularit\w+|vasculatures?|lobectom\w+|parenchym\w+"),
    _finding("lung", r"scar(?:s|ring|red)?|reticul\w+|cavit\w+|bleb\w*|bulla\w*|bullous"),
    # Abnormal without a place of its own.
    _finding("", r"abnormal\w*|diseases?|process(?:es)?|fractures?|lesions?|calcifi\w+|tortuo\w+|ectas\w+|ectatic|aneurysm\w*|enlarge\w*|elevat\w+|eleva\w+"),
    _finding("", r"degenerative|arthrit\w+|arthropath\w+|osteoph\w+|osteopeni\w+|osteopor\w+|hernias?|clips?|post-?surgical|post-?operative|surgical|surgery|tubes?|catheters?|lines?(?= )|picc|port-?a-?cath|ports?|leads?|wires?|hardware|devices?|stents?|prosthe\w+|filters?"),
    _finding("", r"deform\w+|thicken\w+|chronic|atheroscl\w+|metasta\w+|densit(?:y|ies)|lucenc\w+|congest\w+|prominen\w+|increased|decreased|flatten\w+|widen\w+|shift\w*|deviat\w+|hemorrhage|infection|infectious|injur\w+|dislocat\w+|sclero\w+|fluid|air|collapse\w*|lymph nodes?|malignan\w+|tumou?rs?|neoplasm\w*|cancers?|carcinoma\w*|eleva\w+|trauma\w*|foreign bod\w+|erosion\w*|crowding|fusion|markings|rotated|distort\w+|displace\w+|findings?|artifact\w*|streaky|patchy|mild(?:ly)?|borderline"),
    _side("right", r"right(?:[\s-]?sided)?|rt"),
    _side("left", r"left(?:[\s-]?sided)?|lt"),
)  # fmt: skip
_SCAN = re.compile(
    r"\b(?:" + "|".join(f"(?P<t{n}>(?:{t.pattern})\\b)" for n, t in enumerate(_TERMS)) + ")", re.IGNORECASE
)
_BY_GROUP = {f"t{n}": t for n, t in enumerate(_TERMS)}


@lru_cache(maxsize=4096)
def mentions(sentence: str) -> tuple[Mention, ...]:
    """What a sentence mentions, in its order, without overlaps."""
    found: list[Mention] = []
    for match in _SCAN.finditer(sentence):
        term = _BY_GROUP[str(match.lastgroup)]
        found.append(Mention(term.kind, term.parts, match.start(), match.end()))
    return tuple(found)
