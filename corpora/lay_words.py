"""What people say and what leaflets say: "blood thinner" and anticoagulant, "fridge" and refrigerator.

The gap between the two vocabularies is the oldest trouble of consumer health search; lexical ranking cannot cross it by
itself. A short list written for this, English only: Chinese leaflets use everyday words more.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from .words import fold

_PAIRS: Final = """
wine|beer|vodka|whisky|whiskey|booze|drink|drinking|drinks|cocktail|cocktails|drunk|hangover=alcohol alcoholic ethanol
heart attack=myocardial infarction
stroke=cerebrovascular
high blood pressure|blood pressure pill|blood pressure pills=hypertension antihypertensive
low blood pressure=hypotension
blood thinner|blood thinners=anticoagulant anticoagulants
water pill|water pills=diuretic diuretics
painkiller|painkillers|pain killer|pain killers=analgesic nsaids pain
kidney|kidneys|dialysis=renal
liver=hepatic
sugar|high sugar=glucose hyperglycemia
low sugar|sugar low|hypo=hypoglycemia
sleepy|sleepiness|drowsy|knocked out|tired|fatigue=somnolence drowsiness sedation
throw up|throwing up|threw up|puke|puking|vomit|being sick=vomiting emesis
queasy|sick to my stomach=nausea
the runs|loose stools|diarrhoea|poop=diarrhea
constipated|can't go=constipation
stomach|tummy|belly|gut=gastrointestinal abdominal
heartburn|acid=reflux dyspepsia
itchy|itching|itch=pruritus
hives=urticaria
rash|spots|breaking out=rash dermatitis skin
swelling|swollen|swell|puffy|swells=edema swelling
hair loss|losing hair|losing my hair|hair falling|bald=alopecia
weight gain|gaining weight|put on weight|getting fat=weight increased
lose weight|losing weight|lost weight=weight decreased
dizzy|dizziness|lightheaded|light headed|spinning=dizziness vertigo
shaky|shaking|shakes|trembling=tremor
heart racing|pounding heart|palpitations|heart pounding=tachycardia palpitations
can't sleep|cant sleep|trouble sleeping|sleepless|awake all night=insomnia
fits|fit|seizures=seizure convulsions
sex drive|libido|erection|impotent=sexual dysfunction
period|periods=menstrual menstruation
the pill|birth control=contraceptive contraceptives
pregnant|expecting|pregnancy=pregnancy pregnant
nursing|breastfeed|breast feed|breastfeeding|breast milk=lactation breastfed breastfeeding
baby|babies|infant|newborn=infants pediatric neonates
kid|kids|child|children|toddler|toddlers|teenager|teen|year old|yr old=pediatric children
old people|elderly|seniors|older people|grandma|grandpa|grandmother|grandfather=geriatric elderly
fridge|cold|cool=refrigerator refrigerate store
freezer|frozen|froze=freeze
expired|out of date|expiry=expiration discard
crush|crushed|split|cut|cut in half|chew=crush chew divide swallow whole
max|maximum|most=maximum exceed recommended
missed|forgot|forgotten|skip|skipped=missed dose
quit|stop|stopping|stopped|come off|coming off|get off|wean=discontinuation discontinue withdrawal abrupt
suddenly|cold turkey=abrupt abruptly
too much|too many|double dose=overdose overdosage
milk|cheese|yogurt|dairy=dairy calcium
sun|sunlight|sunburn|tan|tanning=photosensitivity sunlight
drive|driving|car=driving machinery
eyes|eyesight|vision=visual ophthalmic
blurry=blurred vision
muscle pain|muscle aches|sore muscles=myalgia myopathy
joint pain|joints=arthralgia arthritis
mood|suicidal|depressed=depression suicidal
flu=influenza
dye|contrast dye|ct scan=contrast iodinated radiocontrast
allergic reaction|throat closing|closing up=hypersensitivity anaphylaxis
hay fever=allergic rhinitis
uti|bladder infection|water infection=urinary tract infection
chest infection=pneumonia bronchitis respiratory
shingles=herpes zoster
cold sore|cold sores=herpes labialis
yeast infection|thrush=candidiasis
period pain|period pains|cramps=dysmenorrhea
heart failure=cardiac failure
irregular heartbeat|afib=atrial fibrillation arrhythmia
clot|clots|blood clot|blood clots=thrombosis thromboembolism embolism
low blood count|anemic=anemia
high cholesterol=hyperlipidemia cholesterol ldl
underactive thyroid=hypothyroidism
overactive thyroid=hyperthyroidism
nose bleed|nosebleed|bleeding=hemorrhage bleeding
bruise|bruises|bruising=bruising hemorrhage
"""


@cache
def _table() -> tuple[re.Pattern[str], dict[str, str]]:
    words: dict[str, str] = {}
    for line in _PAIRS.strip().splitlines():
        said, written = line.split("=")
        words.update(dict.fromkeys(said.split("|"), written))
    longest_first = sorted(words, key=lambda w: (-len(w), w))
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b"), words


def label_words(text: str) -> str:
    """The words that leaflets use for what `text` says in everyday words, each once; empty when there are none."""
    pattern, words = _table()
    said = dict.fromkeys(m.group() for m in pattern.finditer(fold(text).replace("’", "'")))
    return " ".join(dict.fromkeys(w for phrase in said for w in words[phrase].split()))
