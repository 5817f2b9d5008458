"""Names of medicines made comparable: case, punctuation, salts, dosage forms and strengths."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from .medicines import Medicine
from .words import fold, has_chinese, plain_word, word_runs


class NameKind(IntEnum):
    """How a name belongs to its medicine, best first. The order ranks medicines that share a name."""

    DISPLAY = 0
    BRAND = 1
    GENERIC = 2
    ALIAS = 3
    CORE = 4
    """A name without its salt, form and strength."""
    COMPONENT = 5
    """One substance of several."""
    MISSPELLING = 6


SALTS: Final = frozenset(
    "hydrochloride hcl hydrobromide hbr dihydrochloride sodium disodium trisodium potassium calcium magnesium maleate "
    "tartrate bitartrate succinate fumarate hemifumarate besylate besilate mesylate mesilate dimesylate tosylate "
    "citrate acetate phosphate diphosphate sulfate sulphate bisulfate nitrate mononitrate dinitrate gluconate lactate "
    "malate oxalate "
    "pamoate palmitate propionate dipropionate valerate furoate benzoate salicylate stearate bromide chloride iodide "
    "carbonate bicarbonate monohydrate dihydrate trihydrate hemihydrate hydrate anhydrous medoxomil axetil proxetil "
    "disoproxil alafenamide etexilate mofetil tromethamine trometamol meglumine arginine erbumine ethylsuccinate "
    "aspartate orotate xinafoate hyclate cypionate enanthate decanoate edisylate camsylate esylate isethionate "
    "hydroxide oxide zinc dipotassium monosodium edetate saccharate lysine olamine pivoxil pivalate".split()
)
FORMS: Final = frozenset(
    "tablet tablets tab tabs caplet caplets capsule capsules cap caps softgel softgels gelcap gelcaps liquigel "
    "liquigels solution suspension syrup elixir liquid concentrate drops drop powder granules pellets packet "
    "packets injection injectable infusion vial ampule ampoule prefilled syringe pen pens autoinjector kwikpen "
    "flexpen flextouch solostar cream ointment gel lotion foam shampoo paste patch patches film transdermal "
    "topical suppository suppositories enema inhaler inhalation inhalant nebulizer nebules aerosol spray nasal "
    "ophthalmic otic eye ear oral orally sublingual buccal rectal vaginal intravenous intramuscular subcutaneous "
    "iv im sc chewable chewables effervescent dispersible disintegrating odt orodispersible lozenge lozenges gum "
    "troche implant insert system kit wafer strip extended release delayed immediate sustained controlled "
    "modified er xr sr dr ir cr xl la cd ec enteric coated 24hr 12hr 24 12 hour hr pack dose dosepak single use "
    "adult adults childrens children infants infant pediatric junior maximum extra regular strength usp nf bp for "
    "and with in actuated metered hfa diskus respimat ellipta mcg mg ml g percent medication medicine drug pill "
    "pills shot shots generic brand".split()
)
_AMOUNT: Final = re.compile(r"\d+(?:[.,]\d+)?(?:mg|mcg|ug|g|ml|iu|units?|%|hr|h)?")
_FORMS_ZH: Final = (
    "口腔崩解片|肠溶胶囊|肠溶片|缓释胶囊|缓释片|控释片|分散片|泡腾片|咀嚼片|含片|薄膜衣片|糖衣片|滴丸|软胶囊|胶囊剂|胶囊|片剂|片|"
    "口服混悬液|口服溶液|口服液|混悬液|干混悬剂|颗粒剂|颗粒|冲剂|糖浆剂|糖浆|合剂|注射用|注射液|注射剂|滴眼液|眼药水|眼膏|滴鼻液|滴耳液|"
    "鼻喷雾剂|喷雾剂|气雾剂|吸入剂|粉雾剂|乳膏剂|乳膏|软膏剂|软膏|凝胶剂|凝胶|搽剂|洗剂|贴剂|贴膏|贴片|栓剂|栓|丸剂|丸|散剂|散|酊|溶液"
)
_FORM_END_ZH: Final = re.compile(rf"(?:{_FORMS_ZH})$")
_FORM_START_ZH: Final = re.compile(r"^(?:注射用|口服|外用|复方(?=.{6,}))")
_SALT_END_ZH: Final = re.compile(r"(?<=[^酸化]{3})(?:钙|钠|钾|镁)$")
_SALT_ZH: Final = re.compile(
    r"^(?:盐酸|硫酸|马来酸|富马酸|酒石酸|枸橼酸|磷酸|醋酸|甲磺酸|苯磺酸|琥珀酸|氢溴酸|硝酸|乳酸)(?=.{2,})"
)
_APOSTROPHE: Final = re.compile("['’]")
_BRACKETED: Final = re.compile(r"[(（\[【].*?[)）\]】]")


def key(name: str) -> str:
    """The name as the index compares it: folded, letters and digits only, nothing between them, no possessive s."""
    return "".join(plain_word(run).replace(".", "") for run, _, _ in word_runs(fold(name)))


def core(name: str) -> str:
    """The name without salt, dosage form and strength, folded, words separated by one space.

    A name that is made of such words only ("sodium chloride", "calcium tablets") keeps all but the form; one of form
    words only is kept whole. Chinese names lose a bracketed remark, the salt and a trailing form,
    as long as three characters are left.
    """
    folded = fold(name)  # first: some ideographs are known as such only by their folded form
    if has_chinese(folded):
        return _core_chinese(folded)
    words = [word for run, _, _ in word_runs(folded) if (word := plain_word(run))]
    named = [w for w in words if not is_form(w) and not _AMOUNT.fullmatch(w)]
    return " ".join([w for w in named if w not in SALTS] or named or words)


def is_form(word: str) -> bool:
    """Whether a folded word is one of `FORMS`, or the plural of one."""
    return word in FORMS or (len(word) > 4 and word[-1] == "s" and word[:-1] in FORMS)


def _core_chinese(folded: str) -> str:
    bare, before = folded.strip(), ""
    while bare != before:
        before = bare
        remark_gone = _BRACKETED.sub("", bare).strip()
        bare = remark_gone if key(remark_gone) else bare
        if not has_chinese(bare):
            return core(bare)
        for pattern in (_FORM_START_ZH, _FORM_END_ZH, _SALT_ZH, _SALT_END_ZH):
            cut = pattern.sub("", bare).strip()
            # Two characters may be left of a complaint ("感冒丸", pills for a cold), which names no medicine.
            bare = cut if len(cut) > 2 and has_chinese(cut) else bare
    return bare


def form_words(text: str) -> frozenset[str]:
    """The dosage-form words that stand in a text, singular, to tell entities of one substance apart."""
    folded = fold(text)
    singular = {w.removesuffix("s") for w, _, _ in word_runs(folded) if is_form(w)}
    words = {_IN_FULL.get(w, w) for w in singular} - _NO_FORM
    return frozenset(words | {m.group() for m in re.finditer(_FORMS_ZH, folded)})


_IN_FULL: Final = {"tab": "tablet", "cap": "capsule", "injectable": "injection", "inhalant": "inhalation"}
_NO_FORM: Final = frozenset(
    "for and with in mcg mg ml g usp nf bp 24 12 24hr 12hr hr hour percent medication medicine drug pill pills generic "
    "brand single use adult adults dose extra regular maximum strength pack kit".split()
)


def names_of(medicine: Medicine) -> dict[str, NameKind]:
    """Every key under which a medicine is found, with the best kind for each."""
    names = medicine.names
    found: dict[str, NameKind] = {}

    def put(name: str, kind: NameKind) -> None:
        # "Children's" is found as it stands, and as many write it: "childrens".
        for k in (key(name), key(_APOSTROPHE.sub("", name))):
            if len(k) > 1:
                found[k] = min(kind, found.get(k, kind))

    put(names.display, NameKind.DISPLAY)
    for kind, group in (
        (NameKind.BRAND, names.brands),
        (NameKind.GENERIC, names.generic),
        (NameKind.ALIAS, names.aliases),
        (NameKind.MISSPELLING, names.misspellings),
    ):
        for name in group:
            put(name, kind)
    combined = len(names.substances) > 1
    for substance in names.substances:
        kind = NameKind.COMPONENT if combined else NameKind.GENERIC
        put(substance, kind)
        put(core(substance), NameKind.COMPONENT if combined else NameKind.CORE)
    for name in (names.display, *names.generic, *names.brands, *names.aliases):
        put(core(name), NameKind.CORE)
    return found


def is_oral(medicine: Medicine) -> bool:
    """Whether a medicine is swallowed, by its route or its dosage form."""
    if medicine.route:
        return any(fold(route) in ("oral", "口服") for route in medicine.route)
    return _ORAL_FORMS.search(fold(medicine.form or medicine.names.display)) is not None


_ORAL_FORMS: Final = re.compile(r"tablet|capsule|caplet|syrup|oral|片|胶囊|颗粒|丸|糖浆|口服|合剂|冲剂|散")
