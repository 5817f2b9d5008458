"""Which sentences of an answer may stand without a citation.

Questions, headings, pure referrals ("Ask your doctor.") and statements that nothing was found. Every one is
recognised by what it may consist of and not by what it contains, so that a claim cannot ride along ("Ask your
doctor, but stopping is fine."). None may hold a quantity; the caller sees to that.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..corpora.words import fold, has_chinese
from .sentences import CITATION_MARK

_HEADING_WORDS = 10
_HEADING_CHARACTERS = 24
_NOTHING_WORDS = 28
_NOTHING_CHARACTERS = 50

# A line that ends with a colon and advises something is no heading.
_ADVICE = re.compile(
    r"\b(?:take|taking|stop|stopping|use|give|avoid|safe|safely|fine|ok|okay|can|may|should|must|need|double|skip|"
    r"increase|reduce|harmless|never|always|no|not|is|are)\b|可以|应该|应当|不要|不可|不能|不得|不用|能|必须|停|安全|服用|吃|加倍|无需|没有|是"
)
_ASKING = re.compile(r"(?:how|what|when|why|who|where|which|if)\b|如何|怎么|什么|何时|为什么")
_TAG = re.compile(
    r"(?:,\s*(?:right|ok(?:ay)?|yes|no|correct|eh|isn'?t it|aren'?t you|don'?t you|won'?t you)|"
    r"对吧|是吧|好吗|行吧|好吧)\s*[?？]"
)
# A question that only wraps an assertion or a suggestion.
_LOADED = re.compile(r"\b(?:did|do) you know\b|\bwhy (?:not|don'?t)\b|你知道|何不|为何不|为什么不")

_REFERRAL_VERB = re.compile(
    r"\b(?:ask|call|contact|see|speak|talk|consult|check|tell|seek|get|go|phone|ring|dial|discuss)\b"
)
_REFERRAL_TARGET = re.compile(
    r"\b(?:doctors?|pharmacists?|nurse|physician|midwife|gp|vet|professional|provider|emergency|ambulance|"
    r"medical|hospital|poison|"
    r"911|999|112|000|111|dentist|prescriber|clinic|team)\b"
)
_WHETHER = re.compile(
    r"\b(?:if|whether) (?:it|this|that|they)(?: medicine| medicines| combination)? (?:is|are|would be) "
    r"(?:safe|right|suitable|appropriate|ok|okay)(?: for you| in your case)?\b"
)
# Occasions for a referral; taken out whole, since their words alone could make up advice.
_OCCASION = re.compile(
    r"\b(?:have|has|had|notice|experience|develop|get) (?:any |other |more |further |new |these |such |severe )*"
    r"(?:questions?|concerns?|doubts?|symptoms?)\b|\bsymptoms? (?:get|gets|become|becomes|persists?|"
    r"continues?|worsens?)"
    r"(?: worse)?\b|\b(?:more|further) (?:information|advice|help|guidance)\b|"
    r"\b(?:before|after|while|when|about) (?:you (?:take|start|use) |taking |starting |using |combining )"
)
_REFERRAL_WORDS = frozenset(
    "please always ask asking call calling contact see speak talk consult check tell seek get go phone ring dial "
    "discuss with to at in of or and for from about before after if when while as your you you're are is a an the "
    "this that it its these them doctor doctors doctor's pharmacist nurse physician midwife gp prescriber dentist "
    "healthcare health care professional provider team clinic hospital emergency ambulance medical department room "
    "services service number local nearest poison control centre center help advice attention guidance information "
    "immediately right away now urgently straight soon possible first also any questions question concerns unsure "
    "worried symptoms medicine medicines medication medications combination pregnant breastfeeding own "
    "911 999 112 000 111".split()
)
_UNSURE = re.compile(r"\b(?:are|you're) not sure\b")

_REFERRAL_ZH = re.compile(
    r"(?:请|建议|务必|最好|应当?|您|你|如果?|若|仍|还|如有|有|任何|其他|疑问|问题|疑虑|不适|不清楚|不确定|症状|加重|持续|"
    r"出现|咨询|询问|联系|告诉|告知|请教|医生|医师|药师|药剂师|护士|专业|人员|医务|医疗|机构|意见|帮助|或者?|和|及|"
    r"及时|立即|立刻|马上|尽快|就医|就诊|看|前往|去|到|附近|最近|的|医院|急诊|科|拨打|急救|电话|当地|中毒|控制|"
    r"中心|120|110|(?:在)?(?:用药|服药|服用|使用)(?:之?[前后]|时|期间)|时|并|也|向|以|获取|寻求|进一步|了解|具体|情况|自己|先|您的|主治|"
    r"[\s，。,.！!；;、：:])+"
)
_REFERRAL_ZH_CORE = re.compile(r"医生|医师|药师|药剂师|就医|就诊|医院|急诊|急救|120|中毒|医务")

_NOTHING = (
    r"(?:sorry,? |unfortunately,? )?(?:i|we) (?:have )?found (?:nothing|no (?:information|passages?|text|"
    r"entry|sources?))",
    r"(?:sorry,? |unfortunately,? )?(?:i|we) (?:could not|couldn't|did not|didn't|was not able to|cannot) find "
    r"(?:anything|any (?:information|passages?|text|entry|sources?)|information|this|that|it)",
    r"(?:nothing|no (?:information|passages?|text|entry|sources?)) (?:was|were) found",
    r"the (?:passages?|evidence|sources?|database)(?: (?:given|shown|found|provided))? (?:does not|do not|"
    r"doesn't|don't) "
    r"(?:say|mention|cover|answer|contain|give|include|address)",
    r"(?:抱歉|对不起|很遗憾)?[，, ]*(?:我|目前)?(?:在?(?:现有)?(?:资料|证据|数据库)(?:中|里)?)?"
    r"(?:没有|未能|未|没能?|暂未)(?:找到|检索到|查到|查询到|搜到)",
    r"(?:现有|所给|提供的)?(?:资料|证据)(?:中|里)?(?:没有|未)(?:提及|说明|提到|涉及|包含|记载)",
)
# What turns "nothing was found" into advice or reassurance.
_BUT = re.compile(
    r"\b(?:but|so|however|therefore|thus|hence|because|means?|meaning|take|stop|safe|safely|fine|harm|harmful|danger|"
    r"dangerous|against|risks?|wrong|problems?|limits?|maximum|usually|generally|instead|should|avoid|you can|"
    r"you may)\b|"
    r"但|所以|因此|不过|可以|放心|安全|危险|风险|故|建议|应|通常|一般|上限|[;；:：—]"
)


def needs_no_citation(sentence: str, *, names: Collection[str] = ()) -> bool:
    """Whether a sentence without quantities may stand uncited. `names` may be spoken of in a referral."""
    text = fold(CITATION_MARK.sub(" ", sentence)).replace("’", "'")
    text = re.sub(r"\s+", " ", text).strip(" \"'“”*_>-")
    bare = re.sub(r"^(?:[(（]?(?:\d{1,3}|[a-z])[.)、）]|[•*-])\s*", "", text)
    if not re.search(r"\w", bare):
        return True
    return _is_heading(bare) or _is_question(bare) or _is_referral(bare, names) or _is_nothing_found(bare)


def _is_heading(text: str) -> bool:
    if text.startswith("#"):
        text = text.lstrip("# ").rstrip(":： ") + ":"
    if not text.endswith((":", "：")):
        return False
    short = len(text) <= _HEADING_CHARACTERS if has_chinese(text) else len(text.split()) <= _HEADING_WORDS
    return short and (bool(_ASKING.match(text)) or not _ADVICE.search(text))


def _is_question(text: str) -> bool:
    return text.endswith(("?", "？")) and not _TAG.search(text) and not _LOADED.search(text)


def _is_referral(text: str, names: Collection[str]) -> bool:
    if has_chinese(text):
        return bool(_REFERRAL_ZH.fullmatch(text) and _REFERRAL_ZH_CORE.search(text))
    text = _OCCASION.sub(" ", _UNSURE.sub("are unsure", _WHETHER.sub(" ", text)))
    if not (_REFERRAL_VERB.search(text) and _REFERRAL_TARGET.search(text)):
        return False
    spoken_of = {word for name in names for word in re.findall(r"[\w']+", fold(name))}
    return all(word in _REFERRAL_WORDS or word in spoken_of for word in re.findall(r"[\w']+", text))


def _is_nothing_found(text: str) -> bool:
    too_long = len(text) > _NOTHING_CHARACTERS if has_chinese(text) else len(text.split()) > _NOTHING_WORDS
    if too_long:
        return False
    for pattern in _NOTHING:
        found = re.match(pattern + r"(?![a-z])", text)
        if found:
            return not _BUT.search(text, found.end())
    return False
