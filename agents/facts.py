"""What a person says about themselves or the patient that bears on a medicine, by rule, English and Chinese.

Negations do not count ("not pregnant", 没有怀孕), nor do questions in general ("is it safe in pregnancy?"). Third
persons do: "my wife is pregnant", "my 3 year old". Made for precision: each fact starts a search of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from ..corpora.medicines import Attribute
from ..corpora.words import fold

_OLD = 65
_GROWN_UP = 18


class FactKind(StrEnum):
    """The closed list."""

    PREGNANT = "pregnant"
    BREASTFEEDING = "breastfeeding"
    TRYING_TO_CONCEIVE = "trying_to_conceive"
    CHILD = "child"
    OLDER_PERSON = "older_person"
    KIDNEY_DISEASE = "kidney_disease"
    LIVER_DISEASE = "liver_disease"
    ALLERGY = "allergy"
    OTHER_MEDICINE = "other_medicine"
    ALCOHOL = "alcohol"
    DRIVING = "driving"
    ASTHMA = "asthma"
    DIABETES = "diabetes"
    HEART_FAILURE = "heart_failure"
    HIGH_BLOOD_PRESSURE = "high_blood_pressure"
    EPILEPSY = "epilepsy"
    G6PD = "g6pd"
    GLAUCOMA = "glaucoma"
    STOMACH_ULCER = "stomach_ulcer"
    BLEEDING_DISORDER = "bleeding_disorder"
    GOUT = "gout"


class Fact(BaseModel):
    """One stated fact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FactKind
    detail: str | None = None
    """The age ("3 years"), what the allergy is to, or the words that name the other medicine (not resolved here)."""
    quote: str
    """The words that state it, folded to lower case."""


def stated_facts(dialogue_user_texts: Sequence[str]) -> list[Fact]:
    """The facts stated in a person's turns, in order, each kind and detail once."""
    found: dict[tuple[FactKind, str | None], Fact] = {}
    for text in dialogue_user_texts:
        for clause in _CLAUSES.split(fold(text).replace("’", "'")):
            for fact in _facts_in(clause.strip()):
                found.setdefault((fact.kind, fact.detail), fact)
    return list(found.values())


def attribute_for(fact: Fact) -> tuple[Attribute, str]:
    """Where the text on a fact stands: the attribute and the keywords to search for."""
    attribute, keywords = _LOOK_UP[fact.kind]
    if fact.kind in {FactKind.OTHER_MEDICINE, FactKind.ALLERGY}:
        return attribute, f"{fact.detail or ''} {keywords}".strip()
    return attribute, keywords


_LOOK_UP: dict[FactKind, tuple[Attribute, str]] = {
    FactKind.PREGNANT: (Attribute.PREGNANCY_LACTATION, "pregnancy"),
    FactKind.BREASTFEEDING: (Attribute.PREGNANCY_LACTATION, "breastfeeding lactation"),
    FactKind.TRYING_TO_CONCEIVE: (Attribute.PREGNANCY_LACTATION, "pregnancy fertility contraception"),
    FactKind.CHILD: (Attribute.CHILDREN, "children pediatric"),
    FactKind.OLDER_PERSON: (Attribute.ELDERLY, "elderly geriatric"),
    FactKind.KIDNEY_DISEASE: (Attribute.PRECAUTIONS, "renal impairment kidney"),
    FactKind.LIVER_DISEASE: (Attribute.PRECAUTIONS, "hepatic impairment liver"),
    FactKind.ALLERGY: (Attribute.CONTRAINDICATIONS, "allergy hypersensitivity"),
    FactKind.OTHER_MEDICINE: (Attribute.INTERACTIONS, ""),
    FactKind.ALCOHOL: (Attribute.INTERACTIONS, "alcohol"),
    FactKind.DRIVING: (Attribute.PRECAUTIONS, "driving operating machinery drowsiness"),
    FactKind.ASTHMA: (Attribute.PRECAUTIONS, "asthma bronchospasm"),
    FactKind.DIABETES: (Attribute.PRECAUTIONS, "diabetes blood glucose"),
    FactKind.HEART_FAILURE: (Attribute.PRECAUTIONS, "heart failure"),
    FactKind.HIGH_BLOOD_PRESSURE: (Attribute.PRECAUTIONS, "hypertension blood pressure"),
    FactKind.EPILEPSY: (Attribute.PRECAUTIONS, "seizures epilepsy"),
    FactKind.G6PD: (Attribute.CONTRAINDICATIONS, "G6PD deficiency hemolysis"),
    FactKind.GLAUCOMA: (Attribute.PRECAUTIONS, "glaucoma"),
    FactKind.STOMACH_ULCER: (Attribute.PRECAUTIONS, "peptic ulcer gastrointestinal bleeding"),
    FactKind.BLEEDING_DISORDER: (Attribute.PRECAUTIONS, "bleeding disorder"),
    FactKind.GOUT: (Attribute.PRECAUTIONS, "gout uric acid"),
}

_CLAUSES = re.compile(r"[.!?。！？;；\n]+(?!\d)|,(?!\d)|，|\b(?:but|however)\b|但是?|不过")

_PERSON = (
    r"(?:(?:my|our) (?:\w+ ){0,2}?(?:wife|husband|partner|girlfriend|daughter|son|kid|child|baby|toddler|"
    r"infant|mother|"
    r"mom|mum|father|dad|grandmother|grandma|grandfather|grandpa|gran|sister|brother|friend|aunt|uncle|patient)|"
    r"i|we|he|she|the (?:baby|child|patient))"
)
_BE = rf"\b{_PERSON}(?:'m|'s|'re| am| is| are|m)? (?:also |currently |now |just |about |already |still )*"
_HAVE = (
    rf"\b(?:{_PERSON}(?:'ve|'s|'m|'re)? (?:also |currently |already |only |just |both )*(?:(?:have|has|got|had|"
    r"suffer\w* from|am|is|was diagnosed with|were diagnosed with|been diagnosed with|have been diagnosed with|"
    r"live with|lives with|on) )?|(?:with|because of|due to|history of|hx of|diagnosed with|suffering from|having) )"
)
_FEW = r"(?:(?!trying|planning|hoping|want|get|become|can|could|should)[\w%-]+ ){0,3}?"

_NEGATED = re.compile(
    r"\b(?:not|no|never|don't|dont|doesn't|isn't|aren't|without|nor|neither|stopped|quit|used to|finished|"
    r"wasn't|haven't|"
    r"hasn't|came off|allergic to no)\b|没有?(?!多久)|不是|并非|未|无|否认|停了|不(?=怀|喝|开|过敏|哺|备|在|太?会)"
)
_NEGATION_REACH = 28
# Asking in general, or whether; "I am pregnant, is it safe?" lies in another clause.
_IN_GENERAL = re.compile(
    r"\b(?:(?:if|when|in case) (?:i|you|one|someone|she|he|we)(?:'m|'re|'s| am| are| is| were| have| get|"
    r" become|)\b|am i|is it|could i be|might i be|"
    r"can (?:you|one|people|pregnant|diabetics|children|kids)|are (?:pregnant|breastfeeding|there)|"
    r"how do i know|test)|"
    r"(?:孕妇|儿童|小孩|老人|哺乳期|糖尿病人?|患者|肾病患者)(?:能|可以|可不可以|能不能|是否|吃|用)|是不是怀孕|会不会怀孕|如果|假如|是否怀孕|怀孕了吗|怀孕试|怀孕吗"
)
_CONDITIONS: dict[FactKind, str] = {
    FactKind.KIDNEY_DISEASE: (
        r"(?:chronic |severe |mild |moderate |end[- ]stage |stage \w+ |bad |weak |failing |one |"
        r"my )*(?:kidney (?:disease|failure|problems?|issues?|transplant|impairment|trouble|damage)|"
        r"renal (?:failure|impairment|insufficiency|disease)|ckd|esrd|kidneys?|dialysis|hemodialysis|"
        r"nephr(?:itis|otic syndrome))"
    ),
    FactKind.LIVER_DISEASE: (
        r"(?:chronic |severe |mild |moderate |alcoholic |fatty |bad |my )*(?:liver (?:disease|failure|"
        r"problems?|issues?|cirrhosis|impairment|damage|transplant)|hepatic (?:impairment|failure)|cirrhosis|"
        r"hepatitis(?: [abc])?|fatty liver|bad liver|nafld)"
    ),
    FactKind.ASTHMA: r"(?:\w+ )?asthma(?:tic)?",
    FactKind.DIABETES: r"(?:type (?:1|2|one|two|i|ii) )?(?:a )?diabet(?:es|ic)|t[12]dm",
    FactKind.HEART_FAILURE: r"(?:congestive )?(?:heart failure|chf|weak heart)",
    FactKind.HIGH_BLOOD_PRESSURE: r"(?:high blood pressure|hypertension|high bp)",
    FactKind.EPILEPSY: r"(?:epilep(?:sy|tic)|(?:a )?seizure disorder)",
    FactKind.G6PD: r"g-?6-?pd(?: deficien(?:cy|t))?|favism",
    FactKind.GLAUCOMA: r"(?:\w+[- ]angle )?glaucoma",
    FactKind.STOMACH_ULCER: r"(?:a |an |bleeding |peptic |stomach |gastric |duodenal )*ulcers?(?! cream)",
    FactKind.BLEEDING_DISORDER: (
        r"(?:a )?(?:bleeding disorder|h(?:a)?emophilia|von willebrand\w*(?: disease)?|low platelets)"
    ),
    FactKind.GOUT: r"gout",
}
_ENGLISH: dict[FactKind, re.Pattern[str]] = {
    kind: re.compile(rf"{_HAVE}{_FEW}(?:{words})\b(?! (?:test|function|prevention|safe))")
    for kind, words in _CONDITIONS.items()
} | {
    FactKind.PREGNANT: re.compile(
        rf"{_BE}{_FEW}(?:pregnant|expecting(?: a baby)?|\d+ (?:weeks?|months?|wks?) (?:along|gone|preggers))\b|"
        r"\b\d+ (?:weeks?|wks?|months?) pregnant\b|\b(?:in|during) my (?:\w+ )?(?:pregnancy|trimester)\b|"
        r"\bmy pregnancy\b|"
        r"^pregnant(?:$| (?:and|with|woman here|lady here))"
    ),
    FactKind.BREASTFEEDING: re.compile(
        rf"{_BE}{_FEW}(?:breast-?\s?feeding|nursing(?! home| school| student)|lactating|pumping)\b|\b(?:i|"
        rf"she) (?:still )?breast-?\s?feeds?\b|"
        r"^(?:breast-?feeding|nursing) (?:mom|mum|mother)|\bwhile i'?m? (?:am )?(?:breast-?feeding|nursing)\b"
    ),
    FactKind.TRYING_TO_CONCEIVE: re.compile(
        rf"{_BE}(?:actively )?(?:trying|planning|hoping|want\w*) (?:to )?(?:conceive|get pregnant|for a baby|"
        rf"have a baby|become pregnant|ttc|a pregnancy)\b|"
        r"\bttc\b|\b(?:doing|going through|on) (?:an )?ivf\b"
    ),
    FactKind.ALCOHOL: re.compile(
        rf"\b{_PERSON}(?:'m|'ve|'s)? (?:\w+ ){{0,2}}?(?:drink|drinks|drank|drunk|had|have|having|"
        rf"drinking) (?:\w+ ){{0,4}}?(?:alcohol|beers?|wine|whisk(?:e)?y|vodka|"
        r"cocktails?|drinks?(?: (?:a|per|every|each) (?:day|night|week)| last night| tonight)|heavily|daily|"
        r"every (?:day|night)|socially)\b|"
        rf"{_BE}(?:an? )?(?:\w+ )?(?:alcoholic|heavy drinker|drunk|hung ?over)\b"
    ),
    FactKind.DRIVING: re.compile(
        rf"{_BE}(?:an? )?(?:\w+ )?(?:(?:truck|bus|taxi|cab|lorry|delivery|train|uber) driver|pilot|"
        rf"driving (?:tomorrow|today|tonight|to|home|for)|operat\w+ (?:heavy )?machine\w*)\b|"
        rf"\b{_PERSON} (?:have to |need to |must |will |also |usually |often |work and )*(?:drive|"
        rf"operate (?:heavy )?machine\w*)\b(?! (?:me|him|her))"
    ),
}
_CHINESE: dict[FactKind, re.Pattern[str]] = {
    FactKind.PREGNANT: re.compile(
        r"怀孕(?!期用药|期间能|试|的症状)(?:了|\d|[一二三四五六七八九十两]|中|期|初期|早期|晚期|$)|有(?:了)?身孕|孕(?:期|早期|中期|晚期)?(?:\d+|"
        r"[一二三四五六七八九十]+)(?:多)?(?:周|个月|天|月)|我是孕妇|孕妇一枚|已经?怀上"
    ),
    FactKind.BREASTFEEDING: re.compile(
        r"(?:在|还在|正在|处于|是|我)?(?:哺乳期(?!用药|能|可以|妇女)|母乳喂养(?!的)|喂母乳|喂奶|哺乳(?:中|妈妈)|奶孩子)"
    ),
    FactKind.TRYING_TO_CONCEIVE: re.compile(r"备孕|准备(?:怀孕|要孩子|要宝宝)|打算(?:怀孕|要孩子)|想怀孕|试管"),
    FactKind.KIDNEY_DISEASE: re.compile(
        r"肾(?:功能)?(?:不全|不好|衰竭?|病|炎|移植|功能差)|尿毒症|透析|血透|肾功能(?:受损|减退|下降|异常)|肌酐(?:高|偏高)"
    ),
    FactKind.LIVER_DISEASE: re.compile(
        r"肝(?:功能)?(?:不全|不好|硬化|衰竭?|病|炎|移植|损伤|功能差)|乙肝|丙肝|大三阳|小三阳|脂肪肝|转氨酶(?:高|偏高)|肝功能(?:受损|异常)"
    ),
    FactKind.ASTHMA: re.compile(r"哮喘"),
    FactKind.DIABETES: re.compile(r"糖尿病|血糖(?:高|偏高)"),
    FactKind.HEART_FAILURE: re.compile(r"心衰|心力衰竭|心功能不全"),
    FactKind.HIGH_BLOOD_PRESSURE: re.compile(r"高血压|血压(?:高|偏高)"),
    FactKind.EPILEPSY: re.compile(r"癫痫"),
    FactKind.G6PD: re.compile(r"蚕豆病|g-?6-?pd"),
    FactKind.GLAUCOMA: re.compile(r"青光眼"),
    FactKind.STOMACH_ULCER: re.compile(r"胃溃疡|十二指肠溃疡|消化性?溃疡"),
    FactKind.BLEEDING_DISORDER: re.compile(r"血友病|血小板(?:低|减少|少)|凝血功能(?:障碍|不好)"),
    FactKind.GOUT: re.compile(r"痛风|尿酸(?:高|偏高)"),
    FactKind.ALCOHOL: re.compile(
        r"(?:喝|饮)(?:了|过)?(?:点|些|很多|\d+[杯瓶两]|[一二两三半几][杯瓶两斤])?(?:了)?(?:白|啤|红|黄|药)?酒(?!精过敏)|喝醉|酗酒|宿醉"
    ),
    FactKind.DRIVING: re.compile(
        r"(?:要|得|需要|经常|每天|明天|马上|等会儿?|是|会)(?:去)?开车|(?:是|当)(?:个)?(?:司机|驾驶员)|高空作业|操作机器"
    ),
}
# A condition named in what the medicine is for: "for asthma", 治哮喘.
_ASKED = re.compile(
    r"\b(?:can|could|should|may|do|did|does|must|would|will|if|when|how|might|shall|before|after|long|often|much|why|[a-z]+n't)[\"']?\s*\Z"
)
_FOR_IT = re.compile(
    r"\b(?:treat\w*|cures?|help\w*|used|good|medicines?|medications?|drugs?|prescribed|works?) (?:for |"
    r"with )?(?:my )?\Z|(?:治疗?|预防|引起|导致|会得)(?:我的)?\Z"
)

_AGE = re.compile(
    r"\b(?P<n>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)[ -]?(?P<u>years?|yrs?|yo|y/o|y\.o|"
    r"months?|mos?|m/o|weeks?|wks?|days?)(?:[ -]?(?:old|olds|of age))(?!\w)|"
    r"\b(?P<n2>\d{1,3})[ -]?(?P<u2>yo|y/o|yr old|m/o)\b|\b(?:i'?m|i am|he is|he's|she is|she's|is|aged?|age:|"
    r"turned|turning) (?:now |about |only |almost )?(?P<n3>\d{1,3})(?! ?(?:mg|weeks|months|wks|days|hours|mcg|"
    r"ml|%|kg|lbs?|pounds|times|pills|tablets|cm|units|minutes|years (?:on|post|clean|sober|since|"
    r"into))\b)(?= ?(?:$|and|with|years|yrs|male|female|m\b|f\b|now|who|[a-z]))|"
    r"(?P<n4>\d{1,3}|[一二两三四五六七八九十]{1,3})个?(?P<u4>周岁|岁|个月大|月龄|个多?月(?=的?(?:宝宝|婴儿|孩子|娃))|月(?=的?(?:宝宝|婴儿|孩子|娃)))"
)
_CHILD_WORD = re.compile(
    r"\bmy (?:\w+ ){0,2}?(?:toddler|infant|newborn|baby(?! (?:is due|bump))|kid|little (?:one|boy|girl)|"
    r"preschooler)\b|"
    r"(?:我(?:家)?的?|给|家里)(?:小)?(?:宝宝|婴儿|孩子|小孩|宝贝|娃)"
)
_GROWN_CHILD = re.compile(r"\b(?:pregnan\w+|breast|expecting|trying)|怀|孕|哺乳|要孩子|要宝宝|奶孩子")
_OLD_WORD = re.compile(
    r"\b(?:i'?m|i am|he is|she is|my \w+ is) (?:an? )?(?:elderly|senior|old age pensioner)\b|\bmy elderly \w+|"
    r"(?:老人家?|老年人)(?=.{0,6}(?:今年|有|得|患|\d))"
)
_NUMBERS = {w: i for i, w in enumerate("zero one two three four five six seven eight nine ten".split())}

_ALLERGY = re.compile(
    r"\b(?:allerg(?:ic|y|ies)|hypersensitiv\w+|intoleran\w+) (?:reactions? )?(?:to|against) (?P<a>(?!it\b|"
    r"this\b|that\b|them\b|anything)[\w' /-]{3,40})|"
    rf"\b{_PERSON} (?:have|has|had|got) an? (?P<b>(?!allerg)[\w-]+) allergy\b|\b(?P<e>penicillin|sulfa|aspirin|"
    rf"nsaid|codeine|latex|egg|peanut) allergy\b|"
    r"对(?P<c>[\u4e00-\u9fffa-z]{1,10}?)(?:药物?)?(?:都|严重|会|有)?过敏|(?P<d>青霉素|头孢|磺胺|阿司匹林|酒精|花粉|鸡蛋|海鲜)过敏"
)
_MEDICINE_WORDS = (
    r"(?P<m>(?!(?:it|this|that|them|the (?:pill|medicine|drug|medication)s?|a (?:diet|trip|plane|break|bus)|"
    r"my (?:period|own|way|back|side)|holiday|vacation|care|dialysis|ivf|antibiotics? before|day|week|"
    r"the (?:road|way|bus|phone)|your|about|over|off|part|place|\d+ (?:weeks|months)|how|what|which|any|too|"
    r"more|one|two)\b)[\w' /-]{3,60})"
)
_OTHER = re.compile(
    rf"\b(?:{_PERSON}(?:'m|'ve been| am| is| have been| has been|'s|m)? (?:also |currently |"
    rf"already |now |still |regularly |just )*(?:taking|on|using|prescribed|put on|started on)|"
    rf"{_PERSON} (?:also |currently |already |now |still |regularly |just )*(?:take|takes|use|uses|"
    rf"started|got put on)|already (?:on|taking)|currently (?:on|taking)|^(?:taking|on)) "
    rf"(?:a |an |some |my |the |\d+ ?(?:mg|mcg|g) (?:of )?|daily |low[- ]dose )*{_MEDICINE_WORDS}|"
    r"(?:(?:在|正在|一直|平时|每天|长期|同时|目前|现在|最近|也在|还在|已经)(?:在)?(?:吃|服用?|用|口服|注射|打)(?:着|了)?)(?P<z>(?!药|饭|什么|哪|这|它|吗|的|"
    r"过|水|奶|母乳|东西|点|一点|手|力|完|不|几|了)[\u4e00-\u9fffa-z0-9]{2,14})|"
    r"(?:吃|服用?|用)着(?P<y>(?!药|饭|什么|哪|这|它)[\u4e00-\u9fffa-z0-9]{2,14})"
)
_CUT = re.compile(
    r" (?:and (?:i|my|he|she|was|want|have|need|now|is|am|can|would|it|feel|wonder)|for (?:my|the|high|a |"
    r"\w+)|can|could|is|are|should|will|may|every|each|daily|once|twice|because|since|as|so|to|but|which|that|"
    r"at|in the|right|now|already|when|while|if|today|tonight|with|before|after|do|does|what|how|a day|"
    r"per day|three|\d+ (?:times|x)|from|after|wondering|what|would|prescribed|by|during|until|was|who|"
    r"\d+ ?(?:mg|mcg|g|ml|units|tablets?|pills?))\b.*\Z|"
    r"(?:能|可以|还能|需要|是否|会|一起|的话|片(?=能)|每天|可不可以|降压|有).*\Z"
)
_NO_MEDICINE = re.compile(
    r"^(?:medication|medications|medicines?|meds|drugs?|pills?|anything|something|nothing|nothing else|"
    r"other (?:medication|medicine|med|drug)s?|several (?:medication|med|drug)s|"
    r"a lot.*|birth|treatment|home|time|same|board|own|top|track|call|sick leave|shift|night shift|period|药物?|"
    r"中|时|后|期间?)$"
)


def _facts_in(clause: str) -> list[Fact]:
    facts: list[Fact] = []
    general = bool(_IN_GENERAL.search(clause))
    for patterns in (_ENGLISH, _CHINESE):
        for kind, pattern in patterns.items():
            found = pattern.search(clause)
            if found and not general and not _is_negated(clause, found) and not _FOR_IT.search(clause[: found.start()]):
                facts.append(Fact(kind=kind, quote=clause))
    facts += _age_facts(clause, general=general)
    facts += _named_facts(clause, FactKind.ALLERGY, _ALLERGY, general=general)
    facts += _named_facts(clause, FactKind.OTHER_MEDICINE, _OTHER, general=general)
    return facts


def _is_negated(clause: str, found: re.Match[str]) -> bool:
    """Whether a negation stands shortly before the end of what was found, or a verb of asking right before it."""
    before = clause[: found.start()]
    return bool(_ASKED.search(before) or _NEGATED.search(clause[max(0, len(before) - _NEGATION_REACH) : found.end()]))


def _age_facts(clause: str, *, general: bool) -> list[Fact]:
    found = _AGE.search(clause)
    if found and not general:
        number = next(g for g in (found["n"], found["n2"], found["n3"], found["n4"]) if g)
        unit = found["u"] or found["u2"] or found["u4"] or "years"
        years = unit.startswith("y") or unit in {"岁", "周岁", "yo"}
        count = int(number) if number.isdigit() else _NUMBERS.get(number, 0) or _chinese_number(number)
        spelled = "years" if years else "months" if unit[0] in "m个月" else "weeks" if unit[0] == "w" else "days"
        if not years or count < _GROWN_UP:
            return [Fact(kind=FactKind.CHILD, detail=f"{count} {spelled}", quote=clause)]
        return [Fact(kind=FactKind.OLDER_PERSON, detail=f"{count} years", quote=clause)] if count >= _OLD else []
    if (
        not general
        and (child := _CHILD_WORD.search(clause))
        and not _GROWN_CHILD.search(clause)
        and not _is_negated(clause, child)
    ):
        return [Fact(kind=FactKind.CHILD, quote=clause)]
    if not general and _OLD_WORD.search(clause):
        return [Fact(kind=FactKind.OLDER_PERSON, quote=clause)]
    return []


def _chinese_number(numeral: str) -> int:
    digits = "零一二三四五六七八九"
    tens, ten, ones = numeral.replace("两", "二").rpartition("十")
    value = max(digits.find(ones), 0) if ones else 0
    return value + (10 * (max(digits.find(tens), 1) if tens else 1) if ten else 0)


def _named_facts(clause: str, kind: FactKind, pattern: re.Pattern[str], *, general: bool) -> list[Fact]:
    facts: list[Fact] = []
    if general:
        return facts
    for found in pattern.finditer(clause):
        before = clause[max(0, found.start() - _NEGATION_REACH) : found.end()]
        named = next((g for g in found.groups() if g), "")
        detail = _CUT.sub("", named).strip(" '-/")
        if (
            _ASKED.search(clause[: found.start()])
            or _NEGATED.search(before[: len(before) - len(named)])
            or not detail
            or _NO_MEDICINE.match(detail)
        ):
            continue
        facts.append(Fact(kind=kind, detail=detail, quote=clause))
    return facts
