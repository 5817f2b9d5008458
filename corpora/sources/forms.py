"""Dosage forms: read off the end of a Chinese name, or off the words and routes of an English label."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Forms as they end a name. Where one ends with another, the longer is meant.
_CHINESE = (
    *("口腔崩解片", "肠溶缓释片", "分散片", "肠溶片", "缓释片", "控释片", "咀嚼片", "泡腾片", "薄膜衣片", "舌下片"),
    *("含片", "颊片", "阴道片", "阴道泡腾片", "糖衣片", "片", "滴丸", "胶丸", "蜜丸", "浓缩丸", "水丸", "微丸", "丸"),
    *("肠溶软胶囊", "缓释胶囊", "控释胶囊", "肠溶胶囊", "阴道软胶囊", "软胶囊", "硬胶囊", "胶囊"),
    *("缓释颗粒", "肠溶颗粒", "泡腾颗粒", "颗粒", "冲剂", "干混悬剂", "口服混悬液", "混悬剂", "混悬液", "茶剂"),
    *("口服溶液", "口服乳剂", "口服乳", "口服液", "糖浆", "合剂", "酏剂", "滴剂", "酊", "酒剂", "流浸膏", "袋泡剂"),
    *("滴眼液", "眼用凝胶", "眼膏", "滴鼻液", "滴耳液", "鼻喷雾剂", "吸入粉雾剂", "吸入气雾剂", "吸入溶液"),
    *("粉吸入剂", "雾化吸入液", "粉雾剂", "气雾剂", "喷雾剂", "吸入剂", "注射液", "注射剂", "粉针剂", "针剂", "输液"),
    *("乳膏", "软膏", "凝胶", "贴膏", "橡胶膏", "煎膏", "膏滋", "硬膏", "透皮贴剂", "贴剂", "贴片", "搽剂", "擦剂"),
    *("洗剂", "含漱液", "漱口液", "灌肠液", "灌肠剂", "涂剂", "涂膜剂", "阴道栓", "栓", "膜剂", "散", "粉剂", "植入剂"),
    *("霜剂", "油剂", "胶剂", "曲剂", "乳剂", "溶液"),
)
_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】]*[)）\]】]$")
# `片剂：0.2g。` and `2.注射剂(粉)：20mg`: a monograph's list of forms and strengths.
_LISTED = re.compile(
    r"(?:^|[。；;\n])\s*(?:[(（]?\d{1,2}[)）.、．]\s*)?([\u4e00-\u9fff]{1,9}?[剂片丸散膏栓液水浆囊粒针贴露酊雾霜胶])"
    r"(?:[(（][^)）]{0,12}[)）])?\s*(?=[：:，,。]|\d|$)"
)


def form_of_chinese_name(name: str) -> str | None:
    """The dosage form that ends a Chinese name, brackets behind it ignored: `碳酸钙D3咀嚼片(II)` -> `咀嚼片`.
    `注射用...` is an injection. None where the name tells nothing."""
    bare = name.strip()
    while (match := _BRACKETS.search(bare)) and match.start() > 0:
        bare = bare[: match.start()].strip()
    form = _ending(bare)
    if form and len(bare.removesuffix("剂")) > len(form):
        return form
    return "注射剂" if bare.startswith("注射用") else None


def _ending(text: str) -> str | None:
    # `片剂` and `片`, `糖浆剂` and `糖浆` are one form.
    endings = [form for form in _CHINESE if text.endswith((form, form + "剂"))]
    return max(endings, key=len, default=None)


def forms_listed(text: str) -> tuple[str, ...]:
    """The dosage forms of a Chinese list of forms and strengths: `1.片剂：10mg。2.注射剂(粉)：20mg` -> 片, 注射剂."""
    found = [_ending(str(match)) for match in _LISTED.findall(text)]
    return tuple(dict.fromkeys(form for form in found if form))


_INJECTED = frozenset(
    {
        *("INTRAVENOUS", "SUBCUTANEOUS", "INTRAMUSCULAR", "INTRAVITREAL", "INTRATHECAL", "INTRAVASCULAR"),
        *("INTRADERMAL", "INTRAPERITONEAL", "INTRA-ARTERIAL", "INTRA-ARTICULAR", "INTRALESIONAL", "EPIDURAL"),
        *("INFILTRATION", "PERINEURAL", "INTRACAUDAL", "SOFT TISSUE", "RETROBULBAR", "INTRAPLEURAL"),
        *("INTRACAVERNOUS", "SUBMUCOSAL", "INTRACAMERAL", "INTRALYMPHATIC", "INTRACARDIAC", "PARENTERAL"),
        *("INTRACAVITARY", "INTRABURSAL", "INTRASYNOVIAL", "SUBARACHNOID", "INTRASPINAL", "INTRAVENTRICULAR"),
    }
)
_ER = r"(?:extended|prolonged|sustained|controlled)[- ]release"
_DR = r"(?:delayed[- ]release|enteric[- ]coated)"
_TABLET, _CAPSULE = r"(?:\w+[- ]coated )?tablets?\b", r"(?:\w+[- ](?:filled|gelatin) )?capsules?\b"
# (what the label says, the form, routes that allow it; no routes: any). At equal places the first one holds.
_ENGLISH: tuple[tuple[str, str, frozenset[str]], ...] = tuple(
    (pattern, form, frozenset(routes.split("|")) if routes else frozenset[str]())
    for pattern, form, routes in (
        (rf"{_ER} {_TABLET}|tablets?,? (?:\w+[- ]coated,? )?{_ER}", "extended-release tablet", "ORAL"),
        (rf"{_DR} {_TABLET}|tablets?,? {_DR}", "delayed-release tablet", "ORAL"),
        (rf"{_ER} {_CAPSULE}|capsules?,? {_ER}", "extended-release capsule", "ORAL"),
        (rf"{_DR} {_CAPSULE}|capsules?,? {_DR}", "delayed-release capsule", "ORAL"),
        (r"orally[- ]disintegrating tablets?|\bodt\b", "orally disintegrating tablet", "ORAL"),
        (r"chewable tablets?|tablets?,? chewable", "chewable tablet", "ORAL"),
        (r"sublingual tablets?", "sublingual tablet", "SUBLINGUAL"),
        (r"(?:vaginal )?(?:tablets?|inserts?)\b", "vaginal insert", "VAGINAL"),
        (_TABLET, "tablet", "ORAL|SUBLINGUAL|BUCCAL"),
        (r"soft ?gels?\b|liqui-?gels?\b|" + _CAPSULE, "capsule", "ORAL"),
        (r"caplets?\b", "tablet", "ORAL"),
        (r"lozenges?\b|troches?\b", "lozenge", "ORAL|BUCCAL|OROPHARYNGEAL"),
        (r"oral suspension|suspension,? (?:for )?oral|^[^.]{,60}\bsuspension\b", "oral suspension", "ORAL"),
        (r"\bsyrup\b", "syrup", "ORAL"),
        (r"\belixir\b", "elixir", "ORAL"),
        (
            r"oral (?:solution|liquid|drops|concentrate)|solution,? (?:for )?oral|^[^.]{,60}\bsolution\b",
            "oral solution",
            "ORAL",
        ),
        (r"\bgranules?\b", "granules", "ORAL"),
        (r"\bpellets?\b", "pellets", "ORAL"),
        (r"(?:sublingual|buccal|oral) (?:soluble )?films?\b", "film", "ORAL|SUBLINGUAL|BUCCAL"),
        (r"oral powder|powder for oral|\bpackets?\b", "oral powder", "ORAL"),
        (r"ophthalmic ointment|\bointment\b", "eye ointment", "OPHTHALMIC"),
        (r"ophthalmic gel|\bgel\b", "eye gel", "OPHTHALMIC"),
        (r"\b(?:solution|suspension|emulsion|drops?)\b", "eye drops", "OPHTHALMIC"),
        (r"\b(?:solution|suspension|drops?)\b", "ear drops", "AURICULAR (OTIC)"),
        (r"nasal (?:spray|solution|gel)|\bspray\b|\bpump\b", "nasal spray", "NASAL"),
        (r"inhalation (?:solution|suspension)|nebuli[sz]", "nebuliser solution", "RESPIRATORY (INHALATION)"),
        (
            r"inhalation (?:aerosol|powder|spray)|inhaler|aerosol|diskus|respimat|handihaler|ellipta",
            "inhaler",
            "RESPIRATORY (INHALATION)",
        ),
        (r"\bgas\b|\binhalation\b", "inhalation", "RESPIRATORY (INHALATION)"),
        (r"transdermal (?:system|patch)|\bpatch(?:es)?\b", "patch", "TRANSDERMAL|TOPICAL|PERCUTANEOUS"),
        (r"suppositor(?:y|ies)", "suppository", "RECTAL|VAGINAL|URETHRAL"),
        (r"\benema\b", "enema", "RECTAL"),
        (r"\bcream\b", "cream", "TOPICAL|VAGINAL|RECTAL|PERCUTANEOUS"),
        (r"\bointment\b", "ointment", "TOPICAL|NASAL|RECTAL|PERCUTANEOUS"),
        (r"\blotion\b", "lotion", "TOPICAL"),
        (r"\bgel\b", "gel", "TOPICAL|VAGINAL|TRANSDERMAL|BUCCAL|DENTAL|PERIODONTAL|RECTAL"),
        (r"\bshampoo\b", "shampoo", "TOPICAL"),
        (r"\bfoam\b", "foam", "TOPICAL|RECTAL"),
        (r"\bswabs?\b|\bcloths?\b|\bpads?\b", "swab", "TOPICAL"),
        (r"topical spray|\bspray\b", "spray", "TOPICAL|ORAL|SUBLINGUAL|OROPHARYNGEAL|TRANSDERMAL"),
        (r"\bring\b", "vaginal ring", "VAGINAL"),
        (r"topical (?:solution|suspension)|\b(?:solution|liquid)\b", "topical solution", "TOPICAL|PERCUTANEOUS"),
        (r"\bimplants?\b", "implant", "SUBCUTANEOUS|INTRAVITREAL|INTRACAMERAL"),
        (r"intrauterine (?:system|device)", "intrauterine system", "INTRAUTERINE"),
        (r"\bkit\b", "kit", "NONE STATED"),
        (r"\binjections?\b|single-dose vials?|prefilled syringes?", "injection", "NONE STATED"),
        (_TABLET, "tablet", "NONE STATED"),
        (_CAPSULE, "capsule", "NONE STATED"),
        (r"\bcream\b", "cream", "NONE STATED"),
        (r"\bointment\b", "ointment", "NONE STATED"),
    )
)


def form_of_label(routes: Iterable[str], texts: Iterable[str]) -> str | None:
    """The dosage form of an English label, None where it names several or none.

    `routes` are openFDA's (`ORAL`); `texts` are read in turn (names, then forms and strengths, then
    description) until one holds a word for a form that such a route allows; the earliest word counts.
    """
    wanted = {route.upper() for route in routes} or {"NONE STATED"}
    if wanted <= _INJECTED:
        return "injection"
    for text in texts:
        found = [
            (match.start(), rank, form)
            for rank, (pattern, form, allowed) in enumerate(_ENGLISH)
            if allowed & wanted and (match := re.search(pattern, text, re.IGNORECASE))
        ]
        if found:
            return min(found)[2]
    return None
