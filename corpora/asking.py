"""Which attribute does a question ask about? By the words people use, English and Chinese; no model."""

from __future__ import annotations

import re
from typing import Final

from .medicines import Attribute
from .words import fold

A = Attribute
# How long it stays or how soon it acts is pharmacology; without these words "how long" asks for how long to take it.
_ACTS: Final = (
    r"(?:stay|remain|last|leave (?:my|your|the) |show|work|kick|effect|improv|result|out of|"
    r"in (?:my|your|the|a) (?:system|body|blood|urine))"
)
# The order breaks ties: the narrower attribute comes first. A medicine's name may have been cut out of a question, so
# what stands between two cue words may be nothing but spaces.
_CUES: Final[dict[Attribute, tuple[str, ...]]] = {
    A.BOXED_WARNING: (r"boxed warning|black box|警示语|黑框",),
    A.OVERDOSE: (
        r"over ?dos\w*|too (?:much|many)\b|doubled? (?:(?:the |my |a )?dose|does)\b|poison\w*",
        r"by (?:mistake|accident)|accidentally|\btook\b.{0,30}\btwice\b|过量|中毒|(?:吃|服|用|喝)多了",
    ),
    A.PREGNANCY_LACTATION: (
        r"pregnan\w*|breast ?-?fe\w*|(?<!in )breast ?milk|nursing (?:mother|my|a |the |while)|while nursing|lactat\w*",
        r"trying to conceive|fetus|foetus|unborn|birth defects?|trimester",
        r"(?<!避)孕(?![酮激])|哺乳|喂奶|妊娠|胎儿|母乳",
    ),
    A.CHILDREN: (
        r"child\w*|kids?\b|infants?|bab(?:y|ies)|toddlers?|pa?ediatric\w*|newborns?|teen\w*|my (?:son|daughter)",
        r"year[- ]old (?:son|daughter|boy|girl)|儿童|小孩|孩子|婴|幼儿|宝宝|小儿|新生儿|小朋友",
    ),
    A.ELDERLY: (r"elderly|geriatric|older (?:people|adults?|patients?)|seniors?\b|old age|老年|老人",),
    A.INTERACTIONS: (
        r"interact\w*|combos?\b|alongside|on top of|go (?:well )?together|(?:together|along|mix\w*) with",
        r"mix(?:ed|ing)?\b|combin\w+|at the same time|same time as",
        r"mix(?:ed|ing)?\b|combin\w+|at the same time|same time as",
        r"\b(?:take|taken|taking|use|used|have)\b[\w' -]{0,40}?\b(?:with|and)\b"
        r"(?! (?:or without|food|meals?|water|milk|breakfast|dinner|lunch)\b)",
        r"(?:before|after) (?:starting|a (?:drink|cocktail))|drink(?:ing|s)?\b|alcohol|beer|wine|cocktail|grapefruit",
        r"(?:while|when) (?:on|taking|using)\b",
        r"合用|同服|相互作用|喝酒|饮酒|酒后|配伍|一块|一起(?:吃|服|用|喝)|同时.{0,6}(?:吃|服|用|喝)",
    ),
    A.STORAGE: (
        r"\bstor(?:e|ed|ing|age)\b|keep in|refrigerat\w*|fridge|room temperature|expir\w*|shelf life|out of date",
        r"\bleft\b.{0,20}\b(?:out|in)\b|\bheat\b|freez\w*|dispos\w*|throw away",
        r"贮藏|保存|存放|储存|冰箱|冷藏|有效期|过期|保质期",
    ),
    A.CONTRAINDICATIONS: (
        r"contra-?indicat\w*|who (?:should|must|can)(?: not|n.?t) |should(?: not|n.?t) (?:take|use)|must not",
        r"not be (?:taken|used)|allerg\w+ to|\bsafe(?:ly)?\b(?! dos)",
        r"禁忌|禁用|不宜|不能(?:吃|用|服|喝)|(?:能不能|可不可以)(?:吃|用|服|喝)|可以(?:吃|用|服|喝)(?!什么|哪|几|多|来)",
    ),
    A.ADVERSE_REACTIONS: (
        r"side[- ]?effects?|adverse|reactions?|caus(?:e|es|ed|ing)\b|induces?\b|mak(?:e|es|ing) (?:me|you)|made me",
        r"harm\w*|danger\w*|\brisks?\b|addict\w*|habit[- ]forming|(?:weight|hair) (?:gain|loss)",
        r"rash|itch\w*|dizz\w*|drows\w*|sleepy|nausea|diarrh\w*|constipat\w*|swelling|bruis\w*|bleed\w*",
        r"insomnia|redness",
        r"long[- ]term|what happens? (?:when|if|after)|(?:will|do|does|did) .{0,20}\bfeel\b",
        r"\ba?e?ffects? (?:my|your|the|me|of|on)\b",
        r"不良反应|副作用|危害|伤害|损害|伤肝|伤肾|导致|引起|后遗症|上瘾|依赖|有影响",
    ),
    A.DOSAGE: (
        rf"dos(?:e|es|age|ages|ing)\b|how (?:many|often)|how much(?! (?:time|pain))|how long(?!.{{0,60}}\b{_ACTS})",
        r"how (?:to|do (?:i|you|we)|should (?:i|we)|can i|is|are)\b.{0,30}"
        r"\b(?:take|taken|use|used(?! (?:for|to treat))|apply|applied|give|given|inject|dilute|administer|prep)\b",
        r"times? (?:a|per) day|what time|bed ?time|before bed|infusion (?:time|rate)|reconstitut\w*|dilut\w*",
        r"admini\w*|(?:take|taken|taking|apply|use|inject\w*) (?:it |them )?"
        r"(?:before|after|with food|at night|in the morning|daily|twice)",
        r"before (?:a |my )?meals?|after (?:a |my )?(?:meals?|dinner|breakfast|lunch)|(?:with|without) food",
        r"empty stomach|maximum|missed|skip|(?<!\d)(?<!\d )(?:mgs?|milligrams?)\b|titrat\w*|crush\w*|split\w*|cutting",
        r"taper\w*|\bwe[ae]n(?:ing)?\b|(?:come|coming|get|getting) off|quit\w*|stop(?:ping)?\b",
        r"discontinu\w*|withdrawals?",
        r"用法|用量|剂量|疗程|(?:怎么|如何|怎样)(?:吃|用|服|喝|停)|(?:吃|用|服|喝)多少|几次|几片|几粒|多久(?!.{0,6}(?:效|代谢|排))|多长时间",
        r"饭前|饭后|一天|(?:吃|服|喝)几|什么时候(?:吃|用|服|喝)|停药|漏服|空腹",
    ),
    A.INDICATIONS: (
        r"(?<!contra)(?<!contra-)indicat\w*|used? (?:for|to treat|in)\b|treat?ments?|treat(?:s|ed|ing)?\b|cures?\b",
        r"helps?\b|good for|what (?:is|are|does|do)\b.{0,40}\b(?:for|do|uses?)\b|relie\w+|works? (?:for|on)",
        r"prescribed for|recommend\w*|\bwhy\b.{0,40}\b(?:take|taking|give|given|prescribed|prescribe|need|use|used)\b",
        r"reason for|(?:which|what) (?:medicine|drug|medication|pill)s?\b",
        r"what (?:can|should|do) (?:i|you) take for|how (?:to )?reduce",
        r"适应症|适应证|适用|治疗|治什么|怎么治|作用(?!于)|功效|主治|管用|效果|有用",
        r"为什么(?:要|给|让)?.{0,4}(?:吃|用|服|开)|(?:吃|用|服|擦|涂|买)(?:什么|啥|哪种|哪些).{0,3}(?:药|膏)|什么药|哪种药|啥药|常用药|推荐",
    ),
    A.COMPOSITION: (
        r"ingredients?|contain\w*|made (?:of|from)|gluten|lactose|\bdyes?\b|compos\w+|strengths?",
        r"available (?:in|as)|what(?:'s| is| are) in\b|how much\s+in\b|comes? in\b|how supplied|looks? like",
        r"colou?r|imprint|what (?:size|shape)",
        r"成分|成份|含有|规格|剂型",
    ),
    A.PHARMACOLOGY: (
        r"how\b.{0,40}\bworks?\b|mechanism|\baction of|half[- ]?life|metaboli\w+|absor\w+|onset",
        r"stay in|takes? effect|kick in",
        rf"how (?:long|much time|fast|quickly|soon)\b.{{0,60}}\b{_ACTS}",
        r"药理|机制|原理|半衰期|起效|见效|代谢",
    ),
    A.PRECAUTIONS: (
        r"warnings?|precautions?|careful|driv(?:e|ing)|kidney|renal|liver|hepatic",
        r"注意|警告|肝功能|肾功能|开车|驾驶|忌口",
    ),
    A.DESCRIPTION: (r"appearance|性状|外观",),
}
RELATED: Final = {
    Attribute.INTERACTIONS: (Attribute.PRECAUTIONS, Attribute.CONTRAINDICATIONS),
    Attribute.ADVERSE_REACTIONS: (Attribute.PRECAUTIONS, Attribute.BOXED_WARNING),
    Attribute.CONTRAINDICATIONS: (Attribute.PRECAUTIONS, Attribute.BOXED_WARNING),
    Attribute.PREGNANCY_LACTATION: (Attribute.PRECAUTIONS, Attribute.CONTRAINDICATIONS),
    Attribute.CHILDREN: (Attribute.DOSAGE, Attribute.PRECAUTIONS),
    Attribute.ELDERLY: (Attribute.DOSAGE, Attribute.PRECAUTIONS),
    Attribute.OVERDOSE: (Attribute.PRECAUTIONS,),
    Attribute.STORAGE: (Attribute.COMPOSITION,),
    Attribute.PHARMACOLOGY: (Attribute.DESCRIPTION,),
    Attribute.DESCRIPTION: (Attribute.COMPOSITION,),
    Attribute.COMPOSITION: (Attribute.DESCRIPTION,),
}
"""Where a leaflet without the asked attribute may say it all the same: short ones put much under precautions."""

_PATTERNS: Final = tuple((attribute, re.compile("|".join(cues))) for attribute, cues in _CUES.items())


def asked_attributes(text: str) -> list[Attribute]:
    """The attributes that a text asks about, by the number of different cue words, most first; empty when none is told.

    Names of medicines should be taken out of `text` before ("Plan B" is no plan).
    """
    folded = fold(text)
    counted: list[tuple[int, int, Attribute]] = []
    for order, (attribute, pattern) in enumerate(_PATTERNS):
        cues = {m.group() for m in pattern.finditer(folded)}
        if cues:
            counted.append((-len(cues), order, attribute))
    return [attribute for _, _, attribute in sorted(counted)]


def without_cues(text: str, attribute: Attribute) -> str:
    """The folded text without the words that ask for `attribute`: of "what can I take for hay fever", the hay fever."""
    folded = fold(text)
    for candidate, pattern in _PATTERNS:
        if candidate is attribute:
            folded = pattern.sub(" ", folded)
    return folded
