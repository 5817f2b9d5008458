"""Names that a source does not carry itself: brands on a generic label, British on an American one, Chinese on either.

Taken from the names of the shipped corpus and from the short table below, by substance. So "paracetamol", "Tylenol" and
"对乙酰氨基酚" all find a US label that only says acetaminophen.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from .medicines import Medicine
from .names import NameKind, core, key
from .sources.essential import read_essential
from .words import fold, word_runs

_ELSEWHERE = """
acetaminophen=paracetamol,apap|albuterol=salbutamol|epinephrine=adrenaline|norepinephrine=noradrenaline
cyanocobalamin=vitamin b12,cobalamin|hydroxocobalamin=vitamin b12,cobalamin|ascorbic acid=vitamin c
cholecalciferol=vitamin d,vitamin d3|ergocalciferol=vitamin d,vitamin d2|thiamine=vitamin b1|pyridoxine=vitamin b6
riboflavin=vitamin b2|niacin=vitamin b3,nicotinic acid|folic acid=folate,vitamin b9|phytonadione=vitamin k,vitamin k1
furosemide=frusemide|meperidine=pethidine|glyburide=glibenclamide|rifampin=rifampicin|lidocaine=lignocaine
isoproterenol=isoprenaline|cyclosporine=ciclosporin,cyclosporin|mesalamine=mesalazine|acyclovir=aciclovir
estradiol=oestradiol|levothyroxine=thyroxine,levothyroxine,t4|liothyronine=t3|hydroxyurea=hydroxycarbamide
methimazole=thiamazole|nitroglycerin=glyceryl trinitrate,gtn|aspirin=acetylsalicylic acid,asa|diphenhydramine=benadryl
hydrochlorothiazide=hctz|trimethoprim=tmp|divalproex=valproate,valproic acid|valproic acid=valproate,divalproex
ethinyl estradiol=ethinylestradiol|clomiphene=clomifene|dextroamphetamine=dexamphetamine,dexamfetamine
methylphenidate=ritalin|cephalexin=cefalexin|cefuroxime=cefuroxim|tacrolimus=fk506|sulfasalazine=sulphasalazine
amphetamine=amfetamine|phenobarbital=phenobarbitone|chlorpheniramine=chlorphenamine|pseudoephedrine=sudafed
bisacodyl=dulcolax|polyethylene glycol 3350=miralax,macrogol|psyllium=metamucil,ispaghula|naloxone=narcan
botulinum toxin=botox|etonogestrel=nexplanon|medroxyprogesterone=depo provera,depo|semaglutide=ozempic,wegovy,rybelsus
tirzepatide=mounjaro,zepbound|adalimumab=humira|etanercept=enbrel|insulin aspart=novolog|insulin lispro=humalog
sildenafil=viagra|tadalafil=cialis|finasteride=propecia,proscar|clonazepam=klonopin|alprazolam=xanax|diazepam=valium
bupropion=wellbutrin,zyban|venlafaxine=effexor|duloxetine=cymbalta|paroxetine=paxil|citalopram=celexa|trazodone=desyrel
aripiprazole=abilify|olanzapine=zyprexa|ziprasidone=geodon|topiramate=topamax|oxcarbazepine=trileptal
rosuvastatin=crestor|pravastatin=pravachol|simvastatin=zocor|ezetimibe=zetia|valsartan=diovan|carvedilol=coreg
propranolol=inderal|atenolol=tenormin|clonidine=catapres|rivaroxaban=xarelto|dabigatran=pradaxa|enoxaparin=lovenox
glipizide=glucotrol|glimepiride=amaryl|sitagliptin=januvia|empagliflozin=jardiance|dapagliflozin=farxiga
pantoprazole=protonix|esomeprazole=nexium|lansoprazole=prevacid|famotidine=pepcid|ranitidine=zantac
meloxicam=mobic|celecoxib=celebrex|cyclobenzaprine=flexeril|methocarbamol=robaxin|tizanidine=zanaflex|baclofen=lioresal
oxycodone=oxycontin|hydromorphone=dilaudid|fentanyl=duragesic|buprenorphine=subutex|methadone=dolophine
montelukast=singulair|fluticasone=flonase,flovent|budesonide=pulmicort|tiotropium=spiriva|fexofenadine=allegra
levofloxacin=levaquin|clarithromycin=biaxin|minocycline=minocin|cefdinir=omnicef|terbinafine=lamisil
ivermectin=stromectol|permethrin=elimite|alendronate=fosamax|ibandronate=boniva|raloxifene=evista|tamoxifen=nolvadex
letrozole=femara|anastrozole=arimidex|tamsulosin=flomax|oxybutynin=ditropan|solifenacin=vesicare|phentermine=adipex
dextromethorphan=delsym|guaifenesin=mucinex|loperamide=imodium|bismuth subsalicylate=pepto bismol|ondansetron=zofran
"""


@lru_cache(maxsize=1)
def _by_substance() -> Mapping[str, Mapping[str, NameKind]]:
    """The core name of a substance -> further names."""
    table: dict[str, dict[str, NameKind]] = {}
    for entry in _ELSEWHERE.strip().replace("\n", "|").split("|"):
        substance, others = entry.split("=")
        table.setdefault(core(substance), {}).update(dict.fromkeys(others.split(","), NameKind.ALIAS))
    for medicine in read_essential():
        names = medicine.names
        if len(names.substances) > 1:
            continue
        further = dict.fromkeys((*names.brands, *names.aliases), NameKind.ALIAS)
        further.update(dict.fromkeys(names.misspellings, NameKind.MISSPELLING))
        for substance in (*names.generic, *names.substances):
            table.setdefault(core(substance), {}).update(further)
    return MappingProxyType(table)


@lru_cache(maxsize=1)
def words_elsewhere() -> frozenset[str]:
    """The words, folded, of all substances and names in the table: of whatever corpus, they are names of medicines."""
    names = [name for substance, others in _by_substance().items() for name in (substance, *others)]
    return frozenset(word for name in names for word, _, _ in word_runs(fold(name)))


def further_names(medicine: Medicine) -> dict[str, NameKind]:
    """Names of a single-substance medicine known from elsewhere, as people write them."""
    names = medicine.names
    if len(names.substances) > 1:
        return {}
    found: dict[str, NameKind] = {}
    for substance in {core(n) for n in (*names.generic, *names.substances)}:
        found.update(_by_substance().get(substance, {}))
    return found


def all_names(medicine: Medicine, own: Mapping[str, NameKind]) -> dict[str, NameKind]:
    """The keys of a medicine's `own` names and of those known from elsewhere; its own come first."""
    found = {key(form): kind for name, kind in further_names(medicine).items() for form in (core(name), name)}
    return {**{k: kind for k, kind in found.items() if len(k) > 1}, **own}
