"""What a sentence asserts: a comparison with an earlier film, only denials, or something uncertain.

The idea is that of NegEx and ConText (Chapman et al. 2001, 2009): cue words with a scope. Here the cues are those of
chest radiology, and what they act on are the findings of `terms.py`. The rules are those of the gold's card
(`evals/region_gold/CARD.md`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .terms import Kind, Mention, mentions

_I = re.IGNORECASE


@dataclass(frozen=True)
class Assertions:
    """As the fields of the same names in `Sentence`."""

    compares: bool
    negated: bool
    uncertain: bool


_COMPARES = re.compile(
    r"""\b(?:
      stable|unchanged|again|persist\w*|continu(?:ed|es|ing)|remain(?:s|ed|ing(?!\s+(?:\w+\s+)?(?:osseous|bony|bones|structures|lungs?|ribs|soft|visualized)))?|interval|interim|re-?demonstrat\w+
    | improv(?:ed|ing|es|ement)|worsen\w*|decreasing|increasing|progress(?:ed|ion|ing|ive(?:ly)?)|enlarging
    | resolved|resolution|clear(?:ed|ing)\s+of|cleared|partial\ clearing|as\ before|no\ longer|previously|unaltered
    | (?:in|de)creased?\s+(?:(?:in|since|from|when|as|compared|slightly|somewhat)\s+)(?:size\s+)?(?:compared|since|from|the\ (?:prior|previous|interval)|prior|previous|most\ recent)
    | (?:slightly|mildly|significantly|markedly)\s+(?:in|de)creased\s+(?:from|since|compared|when)
    | (?:in|de)creased\s+(?:\w+\s+){0,3}(?:effusions?|pneumothora\w+|edema|consolidations?|atelectasis|congestion)
    | (?:in|de)creased\s+(?:from|since|compared)|(?:smaller|larger|greater|less|more)\s+(?:\w+\s+){0,3}(?:than|compared)\s+(?:on|in|to|with|the|prior|previous|seen|before)
    | compared?\s+(?:to|with)|(?:in|by|on)\ comparison|comparison\ (?:to|with|is\ made)|as\ compared
    | since\s+(?:the\s+)?(?:prior|previous|last|most|study|exam|xxxx|\d)
    | not\s+(?:present|seen)\s+on\ (?:the\s+)?(?:\w+\s+)?(?:prior|previous)|similar[\s-]+(?:to|in|as|appear\w*|size|position|configuration|pattern|degree|compared)|(?:grossly|overall|appears?|not)\s+similar|same\s+(?:\w+\s+)?as|as\ seen\ (?:on|previously)
    | new(?:ly)?(?=\s+(?:\w+\s+){0,4}(?:opacit|infiltrat|consolid|effusion|pneumo|nodul|mass|lesion|fractur|airspace|air|atelect|edema|line|cathet|abnormal|finding|focal|since|from|compared|left|right|bi|area|tip|placement|deviat))|is\ new|are\ new
    | (?:no|not|without|any|significant(?:ly)?|little)\s+(?:(?:significant|interval|appreciable|definite|acute|substantial|gross|obvious|detrimental)(?:ly)?\s+)*(?:change[ds]?(?!s?\s+of)|differen\w+)
    | (?:has|have)\s+(?:now\s+)?been\s+(?:\w+\s+)?(?:placed|removed|exchanged|replaced|inserted|extubated|withdrawn|advanced|repositioned|retracted|pulled)
    | (?:has|have)\s+(?:(?:also|since|now|not|slightly|significantly)\s+)*(?:developed|increased|decreased|improved|cleared|changed|progressed|appeared|enlarged|grown|moved)
    | (?:placement|removal|exchange|repositioning)\s+of|status\ post\ (?:removal|placement)\ of\ (?:the|a)|unchanging|longstanding\ and\ stable
    | old\ and\ stable
    )\b""",
    _I | re.VERBOSE,
)
_NAMED_ONLY = re.compile(  # a comparison that is wished for, missed or only said to have been made
    r"""\b(?:
      (?:no|not|without|lack\ of|unavailable|absence\ of)\s+(?:(?:a|any|the|prior|previous|relevant|available|other|recent|old|more)\s+)*(?:comparison|priors?|previous)\b(?!\s+(?:(?:pulmonary|pleural|opacit|effusion|pneumo)))
    | (?:stud(?:y|ies)|exam\w*|images?|films?|radiographs?|priors?)\s+(?:\w+\s+){0,3}(?:not\ |un)available
    | available\ for\ comparison|(?:not|un)\s*available
    | comparison\ (?:with|to)\b[^.;]*\b(?:could|would|may|might|should|if)
    | (?:recommend\w*|suggest|consider|advise\w*|correlat\w+|could|would|should|may\ be|if|obtain\w*)\b[^.;]*\b(?:comparison|compared?|prior|previous|stability|stable|document|follow|change|resolution|resolved|improve\w*|clearing)
    | to\s+(?:document|ensure|confirm|assess|evaluate|establish)\s+(?:for\s+)?(?:\w+\s+)?(?:stability|resolution|clearing|change|progression|improvement)
    | (?:until|to|ensure|follow\w*)\s+(?:\w+\s+)?(?:resolution|clearing)
    | improved?\s+(?:inspirat\w+|visuali\w+|evaluat\w+|assess\w+|detail|penetration|characteri\w+)
    )""",
    _I | re.VERBOSE,
)

_DENIES = re.compile(
    r"\b(?:no|without|negative for|(?:free|clear|devoid) of|absen(?:ce of|t)|not|nor|neither|never|den(?:y|ies)|resolution of"
    r"|lack of|rather than|non(?=e\b)e of|cleared of|unremarkable for|fails? to|resolution in|resolved)\b",
    _I,
)
_NO_DENIAL = re.compile(  # looks like a denial and is none
    r"\b(?:(?:can\s?not|can't|not|never|difficult to|hard to) (?:be )?(?:\w+ )?(?:exclu\w+|rul\w+)"
    r"|(?:no|not|without) (?:\w+ )?(?:(?:significant|interval|appreciable|substantial|definite|gross|detrimental|other)(?:ly)? )*(?:chang\w+|differen\w+)"
    r"|no longer|not (?:well|clearly|fully|completely|adequately|optimally|entirely|included|available|certain|present on (?:the )?(?:\w+ )?(?:prior|previous))"
    r"|not (?:\w+ )?(?:seen|visuali[sz]ed|appreciated|identified|evident|present|locali[sz]ed|demonstrated) (?:\w+ ){0,2}on (?:the )?(?:lateral|frontal|pa|ap)\b"
    r"|no (?:prior|comparison|previous|relevant|available|old)|not only|not necessarily|no increase|without (?:oblique|lateral|contrast))\b",
    _I,
)
_DENIED_BEFORE = re.compile(  # "the effusion has resolved", "effusion is not seen"
    r"\b(?:(?:ha(?:s|ve) |completely |now )+(?:resolved|cleared)|(?:is|are|was|were) (?:no longer|not|absent|negative|excluded)\b|no longer|resolved\b(?=\W*$))",
    _I,
)
_STOPS = re.compile(
    r";|:|\.(?=\s)|\b(?:but|however|although|though|except|other than|apart from|aside from|with the exception of|otherwise"
    r"|(?:there|which) (?:is|are)|(?:is|are) (?:present|noted|seen)(?= with| and there)|superimposed on|in the setting of|status post"
    r"|(?:,|and) (?:there|the) |with(?! (?:evidence|suggestion|typical|regard|respect))\b)",
    _I,
)
_SEEN_THEN = re.compile(
    r"(?:seen|identified|noted|present|demonstrated|visuali[sz]ed|evident|appreciated|detected)\s*,", _I
)
_NOT_PRESENT = frozenset(  # normal, or no finding by itself
    "findings finding process processes markings vasculature vasculatures vascularity vascularities parenchyma parenchymal disease"
    " interstitium air airspace airspaces fluid prominence ports mild mildly borderline streaky patchy increased decreased"
    " interstitial density densities bronchovascular bronchial".split()
)
_ABNORMAL_NEAR = re.compile(
    r"\b(?:abnormal|prominent|increased|coarse\w*|mild\w*|chronic|decreased|diffuse\w*|streaky|patchy|congest\w+|cephali[sz]\w+|engorge\w+|crowd\w+"
    r"|thicken\w*|small|large|moderate|focal|bilateral|left|right|disease|changes|opacit\w+|underlying|granulomatous|lung disease|loculated|borderline|mass\w*)\b",
    _I,
)
_NORMAL_NEAR = re.compile(
    r"\b(?:normal|clear|unremarkable|within|intact|maintained|symmetric|preserved|free|not)\b|\blimits\b", _I
)

_HEDGES = re.compile(
    r"\b(?:may(?! (?:be )?(?:helpful|benefit|useful|better|consider))|might|could(?! (?:not|be helpful|help|confirm|better|further|be performed|be obtained))|possib\w+|probab\w+|likely|suggest(?:s|ed|ing|ive|ion)?\b(?! (?:clinical|correlation|follow|comparison|ct|further|repeat|dedicated|pa |upright|short))"
    r"|suspect\w*|suspicious for|suspicion (?:of|for)|concern\w* (?:for|of|about)|worrisome for|can\s?not (?:be )?(?:\w+ )?(?:exclu\w+|rul\w+)|can't (?:be )?exclu\w+|(?:not|difficult to) (?:be )?(?:\w+ )?(?:exclu\w+|rul\w+)|cannot be"
    r"|versus|vs\.?|most (?:consistent|compatible|suggestive|in keeping|typical|likely)|favou?r\w*|question(?:able|ed)?|equivocal|indeterminate|uncertain|unclear|unknown|presum\w+|perhaps|potential\w*|differential|conceivabl\w+|apparent(?:ly)?(?= (?:nodul|opaci|mass|densit))|raises?|thought to|felt to|believed to|ill-defined (?:or|versus))(?!\w)",
    _I,
)
_READ_TWO_WAYS = re.compile(
    r"\b(?:scar\w*|atelecta\w+|infiltrat\w*|pneumonia\w*|consolidat\w+|fibrosis|edema|thicken\w+|effusions?|airspace disease|granuloma|nodule|mass|fluid|infection|nipple shadow|vessel|aspiration|contusion|hemorrhage|artifact|pleural fluid|crowding)"
    r"(?: \w+)? (?:or|and/or) (?:(?:early|developing|mild|chronic|underlying|focal|subsegmental|small|pleural|linear|possibly|parenchymal|interstitial|basilar|superimposed|a|an|vascular) )*"
    r"(?:scar\w*|atelecta\w+|infiltrat\w*|pneumonia\w*|consolidat\w+|fibrosis|edema|thicken\w+|effusions?|airspace disease|granuloma|nodule|mass|fluid|infection|vessel|aspiration|contusion|hemorrhage|artifact|crowding)\b",
    _I,
)


def assertions(sentence: str) -> Assertions:
    """What a sentence asserts, by its words."""
    denied = _denied_spans(sentence)
    findings = [m for m in mentions(sentence) if m.kind is Kind.FINDING]
    absent = [m for m in findings if _inside(m.start, denied)]
    present = [m for m in findings if not _inside(m.start, denied) and _is_present(m, sentence)]
    return Assertions(
        compares=_compares(sentence),
        negated=bool(absent) and not present,
        uncertain=_hedged(sentence, denied),
    )


def _compares(sentence: str) -> bool:
    wished = [m.span() for m in _NAMED_ONLY.finditer(sentence)]
    return any(not any(a <= m.start() < b for a, b in wished) for m in _COMPARES.finditer(sentence))


def _denied_spans(sentence: str) -> list[tuple[int, int]]:
    """The stretches of a sentence whose findings are denied."""
    spurious = [m.span() for m in _NO_DENIAL.finditer(sentence)]
    spans: list[tuple[int, int]] = []
    for cue in _DENIES.finditer(sentence):
        if _inside(cue.start(), spurious):
            continue
        stop = _STOPS.search(sentence, cue.end())
        then = _SEEN_THEN.search(sentence, cue.end())
        ends = [m.start() if m is stop else m.end() for m in (stop, then) if m]
        spans.append((cue.start(), min(ends, default=len(sentence))))
    no_denial = [span for span in spurious if "longer" not in sentence[slice(*span)].lower()]
    for cue in _DENIED_BEFORE.finditer(sentence):
        if not any(cue.start() < end and start < cue.end() for start, end in no_denial):
            start = max((m.end() for m in _STOPS.finditer(sentence, 0, cue.start())), default=0)
            spans.append((start, cue.start()))
    return spans


def _is_present(mention: Mention, sentence: str) -> bool:
    """Whether a word that names a finding does so here: "vascularity" does only beside a word such as "increased"."""
    word = sentence[mention.start : mention.end].lower()
    if word not in _NOT_PRESENT:
        return True
    near = sentence[max(0, mention.start - 40) : mention.end + 25]
    return bool(_ABNORMAL_NEAR.search(near)) and not _NORMAL_NEAR.search(near)


def _hedged(sentence: str, denied: list[tuple[int, int]]) -> bool:
    cues = [*_HEDGES.finditer(sentence), *_READ_TWO_WAYS.finditer(sentence)]
    return any(not _inside(cue.start(), denied) for cue in cues)


def _inside(position: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)
