"""Words that must not wait: what a person writes when someone is in danger now, and the first words to answer.

Rules over the person's own recent turns, English and Chinese. They know common wordings only and miss others, so no
alarm never means no danger. A clause that asks in general
("what happens in case of overdose"), looks far back ("had a stroke in 2015"), speaks of prevention or denies
("no chest pain") is set aside. The first words name no medicine and no dose.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..corpora.words import fold


class UrgencyKind(StrEnum):
    """The closed list, the most pressing first: the first that matches is reported."""

    UNCONSCIOUS = "unconscious"
    SUICIDAL = "suicidal"
    ANAPHYLAXIS = "anaphylaxis"
    POISONING_CHILD = "poisoning_child"
    OVERDOSE = "overdose"
    BREATHING = "breathing"
    STROKE = "stroke"
    CHEST_PAIN = "chest_pain"
    SEIZURE = "seizure"
    BLEEDING = "bleeding"


class Urgency(BaseModel):
    """A sign of danger with the words that gave it away."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: UrgencyKind
    quote: str
    """The clause as it was matched: lower case, normalised width."""


def urgent(text: str) -> Urgency | None:
    """The most pressing sign of danger in what a person wrote in their recent turns; None where there is none."""
    clauses = [clause.strip() for clause in _CLAUSE.split(fold(text).replace("’", "'")) if clause.strip()]
    for kind, pattern in _SIGNS.items():
        for clause in clauses:
            found = pattern.search(clause)
            if not found or _denied(clause, found) or _elsewhere(kind, clause):
                continue
            if not _set_aside(clause, found):
                return Urgency(kind=kind, quote=clause)
    return None


def what_to_do(kind: UrgencyKind, language: Literal["en", "zh"]) -> str:
    """The first words of an answer: one to three sentences, what to do now. No medicine, no dose."""
    return _FIRST_WORDS[kind][0 if language == "en" else 1]


_CLAUSE = re.compile(r"[.!?。！？;；\n]+(?!\d)")

# Clauses about danger in general, in the past or to be prevented.
_GENERAL = re.compile(
    r"\bwhat (?:happens|would happen|will happen|(?:to do|should (?:i|you|one|we) do|do i do) (?:if|when|"
    r"in case)|are the (?:signs|"
    r"symptoms)|is an?)\b"
    r"(?!.*\b(?:i|he|she|just|already) (?:just |already |have |has )*(?:took|taken|swallowed|drank|ate))|"
    r"\bin (?:the )?(?:case|event) of\b|^(?:(?:so|and|hi|hello|why|how|when|what|which|[\w ]{0,30}:) )*(?:can|"
    r"could|does|do|will|would|is|are|may|might) (?!(?:someone|you|"
    r"anyone) help)[\w ,'-]{0,40}?"
    r"\b(?:cause|lead to|help|prevent|treat|increase|raise|trigger|possible|dangerous|used|prescribed|safe|"
    r"good|given|work|effective|relieve|reduce|stop)\b|"
    r"\b(?:prevent(?:ion|ing|s)?|prophyla\w+|risks? (?:of|for|factors?)|history of|side[- ]effects?|"
    r"symptoms? of|signs? of|causes? of|"
    r"treatment (?:of|for)|suicide risk|inhalers? for|doses? of|what causes|which (?:one|drugs?|antibiotics?|"
    r"medic\w+)|medicines? for|medications? for|drugs? for|used for|chances? of|likelihood|"
    r"how (?:much|many)\b.*\b(?:too|overdose|fatal|lethal)|"
    r"definition|meaning of|difference between|interaction|antidote|after (?:a|my|his|her|the) (?:stroke|"
    r"heart attack|seizures?)|"
    r"afraid of|scared of|worried about|at risk)\b|"
    r"会(?:不会)?(?:引起|导致|造成|出现|有|中毒)|(?:能|可以|可不可以|能不能)(?:治|预防|缓解|治疗|用于)|预防|病史|原因有|的原因|副作用|不良反应|的症状|有(?:什么|哪些)症状|怎么预防|"
    r"过量(?:会|后果|的表现|了会)|什么是|风险|用于治?|治疗.{0,8}(?:的药|药物)|适合|说明书"
)
_PAST = re.compile(
    r"\b(?:years?|months?|decades?|weeks?) (?:ago|back|earlier)\b|\blast (?:year|month|week|summer|winter|"
    r"spring)\b|\b(?:in|since) (?:19|20)\d\d\b|"
    r"\bas a (?:child|kid|teenager)\b|\bwhen i was (?:a|young|little|\d+)\b|\b(?:used to|previous(?:ly)?|"
    r"in the past|once had|long ago|survived|recovering from|"
    r"recovered from|post[- ]stroke|had an? (?:stroke|heart attack|seizure)(?! (?:just|now|today|this)))\b|"
    r"\d+ ?年前|[一二三四五几半两]+(?:个月|年)前|去年|前年|上个月|小时候|以前|曾经|既往|后遗症|恢复期"
)
_NOW = re.compile(
    r"\b(?:right now|just now|just|now|today|tonight|this (?:morning|afternoon|evening|minute)|minutes? ago|"
    r"hours? ago|suddenly|still|again)\b|现在|刚刚|刚才|刚|今天|突然|又"
)
_HYPOTHETIC = re.compile(
    r"^(?:so |and |but |hi,? |hello,? )*(?:what )?if (?:i|you|we|someone|somebody|a person|he|she|one|"
    r"my \w+)\b(?!.*\b(?:just|already)\b)|^(?:如果|万一|假如|要是)|"
    r"\b(?:can|could) (?:i|you|one|someone|people|we) (?:overdose|od|die)\b|\bis (?:it|overdose|"
    r"an overdose)\b.*\bpossible\b|\boverdose (?:on|of|with) [\w ]+\?*$"
    r"(?<!i overdose)(?<!took)(?<!taken)"
)


def _set_aside(clause: str, found: re.Match[str]) -> bool:
    """Whether the part between commas that holds the sign, or a question that opens the clause, is no alarm."""
    if _FIRM.search(clause):
        return False
    start, end = found.span()
    before = max((part.end() for part in _PART.finditer(clause, 0, start)), default=0)
    after = _PART.search(clause, end)
    part = clause[before : after.start() if after else len(clause)]
    opening = _GENERAL.match(clause)
    if opening or _HYPOTHETIC.search(clause) or _GENERAL.search(part):
        return True
    return bool(_PAST.search(part)) and not _NOW.search(part)


_PART = re.compile(r"[,，](?!\d)|\b(?:and|but) (?=(?:now |just )?(?:i|he|she|my|now)\b)")


# Said of oneself or one's own, happening: stands whatever else the clause says.
_FIRM = re.compile(
    r"\b(?:kill (?:myself|me)|killing myself|end (?:my life|it all)|want to die|wanna die|(?:i'm|i am|feel|"
    r"feeling) (?:so |very )?suicidal|"
    r"(?:i|he|she|they|baby|toddler|son|daughter|kid|child|husband|wife|mom|mum|dad|grandm\w+|grandp\w+|dog) "
    r"(?:just |has |have |had |already |accidentally |'ve )*(?:od'?d|overdosed|swallowed|ingested|drank|"
    r"ate) (?!.*\b(?:years?|months?|weeks?) ago)|"
    r"(?:just|accidentally|already) (?:took|taken|swallowed|ate|drank|overdosed|gave))\b|"
    r"(?:不想活|想死|(?<!导致)(?<!引起)(?<!造成)自杀|轻生)(?!的?(?:风险|倾向的?副作用|念头.{0,4}副作用))|(?:吃|喝|吞|服)(?:下|掉|进)?了(?:一整|整|半|"
    r"一大|一|两|几十|\d+)"
)
_DENIAL = re.compile(
    r"(?:\b(?:no|not|never|without|denies|don'?t have|doesn'?t have|didn'?t have|haven'?t had|isn'?t|wasn'?t|"
    r"nor|instead of)(?: (?:any|a|an|having|more|real|been|had|the))*\s*|"
    r"(?:没有|没|无|不是|未见?|并非|否认)(?:什么|任何|出现|过|明显)*)\Z"
)


def _denied(clause: str, found: re.Match[str]) -> bool:
    return bool(_DENIAL.search(clause[: found.start()]))


def _elsewhere(kind: UrgencyKind, clause: str) -> bool:
    """Words that take a kind out of play: ordinary dosing, a known stable illness, a test, a figure of speech."""
    checks: dict[UrgencyKind, str] = {
        UrgencyKind.POISONING_CHILD: (
            r"\b(?:ate|eaten|drank|drunk) (?:\w+ ){0,2}(?:breakfast|lunch|dinner|food|meal|milk|water|juice)"
        ),
        UrgencyKind.OVERDOSE: (
            r"\bhow (?:to|do|should|often|long)\b.*\btake\b|\b(?:can|may|should|could) (?:i|he|she|we)\b"
            r"(?! (?:do|go|call|see|get|vomit|throw up|be worried|worry|come|drive|wait)\b)"
        ),
        UrgencyKind.CHEST_PAIN: r"\b(?:angina|nitroglycerin|imdur) (?:used|for|dose)|\bcough\w*|咳",
        UrgencyKind.BLEEDING: (
            r"\b(?:gums?|iron|period|spotting|nose ?bleeds? sometimes|menstrua\w*|test)\b|月经|经期|例假|牙龈"
        ),
        UrgencyKind.BREATHING: r"\b(?:inhaler|copd|sleep apnea|exercise)\b.*\b(?:dose|refill|how)\b",
        UrgencyKind.STROKE: r"\bchest\b|\bgym\b|\b(?:heat|golf|breast) ?stroke|\bstroke order",
        UrgencyKind.UNCONSCIOUS: r"\bfaint (?:line|positive)|\banesthe|麻醉",
    }
    return kind in checks and bool(re.search(checks[kind], clause))


_WHO = (
    r"(?:he|she|they|baby|toddler|son|daughter|kid|child|husband|wife|mom|mum|mother|dad|father|brother|"
    r"sister|friend|partner|gran\w*)"
)
_CHILD = (
    r"(?:\b(?:baby|babies|toddler|infant|newborn|son|daughter|kid|child|grandson|granddaughter|niece|nephew|"
    r"little (?:one|boy|girl)|"
    r"(?:\d{1,2}|one|two|three|four|five|six|seven)[ -]?(?:yr|year|month|mo|yo|y/o|m/o)s?[ -]?(?:old|"
    r"olds)?)\b|宝宝|孩子|小孩|儿子|女儿|婴儿|宝贝|孙子|孙女|娃)"
)
_MANY = (
    r"(?:1[0-9]|[2-9]\d|\d{3,}|ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty|a hundred|dozens?|"
    r"a (?:whole |full |entire )?(?:ton|bottle|box|pack|packet|bunch|handful|load|lot)|(?:the|my|his|"
    r"her) (?:whole|entire|full)|all (?:of )?(?:my|the|his|her)|too (?:many|much)|whole bottle|handfuls?)"
)
_PILLS = (
    r"(?:pills?|tabs?|tablets?|caps?|capsules?|caplets?|paracetamols?|acetaminophen|tylenols?|panadols?|"
    r"advils?|ibuprofen|aspirins?|benadryls?|xanax|ambien|valium|klonopin|opioids?|oxy\w*|percocets?|insulin|"
    r"metformin|antidepressants?|sleeping|medication|medicines?|meds|dose|bottle|box|pack|it|them|of|my|his|"
    r"her|units?|\w+(?:pam|lam|pril|olol|ine|ol|in))"
)
_TOOK = (
    r"(?:took|taken|swallow(?:ed|ing)?|ate|eaten|drank|drunk|ingested|downed|popped|had|gave|"
    r"injected|inject)"
)

_SIGNS: dict[UrgencyKind, re.Pattern[str]] = {
    UrgencyKind.UNCONSCIOUS: re.compile(
        r"\b(?:isn't|isnt|is not|not|doesn't|won't|stopped) respond(?:ing)?\b(?! to)|"
        r"\b(?:unconscious|unresponsive|not responding|won'?t wake(?: up)?|wont wake|can'?t wake (?:him|her|"
        r"them|my)|cannot wake|cant wake|not waking up|"
        r"passed out|collapsed|blacked out|no pulse|not breathing|isn'?t breathing|stopped breathing|"
        r"fainted and|lost consciousness)\b|"
        r"昏迷|叫不醒|不省人事|失去意识|没有?呼吸(?:了|和心跳)?(?![\u4e00-\u9fff])|没有?意识|晕倒|昏过去|喊不醒|没反应了|昏倒"
    ),
    UrgencyKind.SUICIDAL: re.compile(
        r"\bcan'?t go on(?: any ?more| living| like this)?$|\b(?:cant|can't) take (?:it|this|life) any ?more\b|"
        r"\b(?:kill(?:ing)? (?:my|him|her)self|suicid(?:e|al)|end(?:ing)? (?:my (?:own )?life|it all)|(?:want|"
        r"wanna|wish|ready|going) (?:to |i (?:was|were) )?(?:die|dead)\b|"
        r"(?:don'?t|do not) (?:want to|wanna) (?:be here|live|be alive|wake up|exist|go on)(?: any ?more)?|"
        r"no (?:reason|point) (?:to live|in living|going on)|better off (?:dead|without me)|"
        r"take my (?:own )?life|(?:hurt|harm|cut)(?:ing)? myself|self[- ]harm|can'?t go on(?: any ?more|"
        r" living)|painless(?:ly)? (?:way )?to die|not worth living|never wake up|overdose on purpose)\b|"
        r"不想活|想死|自杀|轻生|活着没(?:有)?意思|活不下去|结束(?:自己的)?生命|了结自己|自残|割腕|不想(?:再)?活|死了算了|一了百了"
    ),
    UrgencyKind.ANAPHYLAXIS: re.compile(
        r"\b(?:anaphyla\w+|throat (?:is |feels |feels like it'?s |keeps |'?s )?(?:closing|swelling|swollen|"
        r"tightening|tight|closed)|(?:tongue|lips?|face|throat)(?: (?:and|&) (?:tongue|lips?|face|throat))*"
        r" (?:is |are |has |have |got |'?s |just )*(?:swell\w*|swollen|puff\w* up|blew up|ballooned)|"
        r"swelling (?:of|in) (?:my|the|his|her) (?:tongue|lips?|throat|face)|swollen (?:tongue|lips?|throat|face)|"
        r"hives (?:all over|and (?:can'?t|trouble|wheez\w+|swell\w*|dizzy))|severe allergic reaction|"
        r"stung by .*(?:swell|breath|hives))\b|"
        r"(?:嘴唇|(?<!小)舌头|脸|面部|眼皮)(?:突然|都|也|开始|全|已经|和舌头|和嘴唇)*(?:肿(?!瘤|块|痛|大)|水肿)|喉头?水肿|(?:喉咙|嗓子).{0,6}(?:肿|紧|"
        r"堵).{0,8}(?:喘不|呼吸困难|呼吸不|无法呼吸)|过敏性?休克|全身(?:起|长)?(?:荨麻疹|疹子|风团).{0,10}(?:喘|呼吸|胸闷)"
    ),
    UrgencyKind.POISONING_CHILD: re.compile(
        rf"{_CHILD}.{{0,40}}(?:\b(?:swallow(?:ed|s)?|ate|eaten|drank|drunk|ingested|got into|got hold of|"
        rf"chewed|put .* in (?:his|her) mouth|(?:took|taken) (?:my|his|her dad|our|some|the|an? (?:whole|"
        rf"adult)|\d+|too)|"
        r"overdos\w+|poison\w*)\b|(?:误食|误服|吞了|误吞|偷吃|吃了.{0,6}(?:整|瓶|十|\d\d|大人|我的|很多|好多)|喝了.{0,6}(?:整|瓶|农药|消毒|"
        r"清洁|洗)|中毒))|"
        rf"\b(?:gave|given) (?:my |the |our )?.{{0,25}}{_CHILD}.{{0,30}}\b(?:too much|double|twice|"
        rf"wrong (?:dose|medicine|medication)|adult|ten times|10 ?x)\b|"
        r"给(?:宝宝|孩子|小孩|儿子|女儿).{0,8}(?:吃|喂|喝)(?:多|错)了"
    ),
    UrgencyKind.OVERDOSE: re.compile(
        r"\b(?:drank|drunk|swallowed|ingested) (?:some |a (?:bit|lot|cup|glass) of |my |the )?(?:bleach|"
        r"antifreeze|detergent|drain cleaner|rat poison|pesticide|disinfectant|(?:hand )?sanitizer|"
        r"(?:button )?batter(?:y|ies)|methanol)\b|"
        r"\b(?:took|taken|swallowed|ate) (?:my|his|her|the|a) (?:whole|entire|full) (?:\w+'?s )?(?:supply|"
        r"bottle|box|prescription|stock)\b|\b(?:took|taken|gave myself|injected) (?:\d+|two|three|four|five|"
        r"ten) ?(?:times|x) (?:my|the|his|her)\b|"
        rf"\b(?:od'?d|overdosed|overdosing)\b|\b(?:i|he|she|they|we|\w+) (?:may|might|think i|think he|"
        rf"think she)? ?(?:have |has )?(?:taken |took )(?:an )?overdose\b|\b(?:think|having|had|is an|"
        rf"suspected) (?:i'?m |an )?overdose\b|"
        rf"\b{_TOOK} (?:about |like |around |over |more than |nearly |at least |maybe |almost |"
        rf"up )?{_MANY}\b(?! ?(?:mgs?|mcg|µg|g|ml|units? (?:daily|a day|as|of lantus at)|minutes?|hours?|days?|"
        rf"weeks?|months?|years?|%|am|pm|:)\b)(?: (?:of |extra |my |the |\w+ )?{_PILLS}\b|\s*$|"
        rf".{{0,20}}\b(?:at once|together|all at once|by mistake|by accident)\b)|"
        r"\b(?:took|taken|gave myself|injected) (?:a )?(?:double|triple|twice|two times|three times|10 times|"
        r"ten times) (?:(?:the|my|of|her|his) )*(?:\w+ )?(?:dose|doses|insulin|amount|medicine|meds|pills?)\b|"
        r"\b(?:took|taken|drank|swallowed) (?:too much|too many|(?:the|a|an?) (?:whole|entire|full) (?:bottle|"
        r"box|pack|packet|strip))\b|\baccidentally (?:took|swallowed|injected|drank|ate) (?:\d+|two|three|"
        r"four|five|six|too|double|the wrong|extra)|"
        r"(?:吃|喝|吞|服|服用)(?:下|掉|进)?了?(?:一整|整整?|一大|半|好几|几十|几百|大半)(?:瓶|盒|把|片|粒|板|颗)(?!.{0,4}(?:奶|水|饮料|饭|酒|瓜))|"
        r"(?:吃|吞|服|服用)(?:下|掉)?了(?:[2-9]\d|1\d{2,}|[一二三四五六七八九]?十[一二三四五六七八九]?|一百)多?(?:片|粒|颗|个)|"
        r"(?:药|片|素|灵)(?:我|他|她|孩子|妈妈|不小心|好像|一次|都)*(?:吃|服|打|注射)(?:多|过量)了(?!的)|(?:不小心)?多(?:吃|服)了(?:\d+|"
        r"[一二两三四五六七八九十几]+)(?:片|粒|颗)|(?:吃|服|用)药?过量了(?!会)|喝(?:了)?(?:农药|百草枯|敌敌畏)|(?:误服|误食)了|药物中毒|吃错药"
    ),
    UrgencyKind.BREATHING: re.compile(
        r"\b(?:can'?t|cannot|can ?not|cant|unable to|couldn'?t|struggling to|hardly|barely|trouble|difficulty|"
        r"hard to|hard time|fighting to|gasping|labou?red)(?: (?:even|to|catch(?:ing)?|my|get|for|in|really))*"
        r" ?(?:breath(?:e|ing)?|air)\b|\b(?:short(?:ness)? of breath|gasping|choking|turning blue|"
        r"lips (?:are |turning |went )?blue|blue lips|suffocating|wheezing (?:badly|really|so|and (?:can'?t|"
        r"inhaler)))\b|"
        r"喘不(?:过|上)(?:来)?气|喘不上来|呼吸(?:很|非常|好|特别)?困难|无法呼吸|不能呼吸|窒息|透不过气|憋(?:得|气).{0,4}(?:不行|厉害|难受)|嘴唇(?:发)?(?:紫|青)|上不来气"
    ),
    UrgencyKind.STROKE: re.compile(
        r"半身.{0,3}(?:不能动|动不了|麻|没力|无力|没知觉)|"
        r"\b(?:can't|cant|cannot|can not) (?:speak|talk)(?: properly| clearly| right| anymore)?\b|"
        r"\b(?:arm|leg|side|face|hand) (?:is |are |went |has gone |feels )(?:\w+ )?(?:limp|numb|weak|"
        r"paraly\w+|droop\w*)\b|"
        r"\b(?:(?:having|had|has|think\w*|might be|is it|signs he|possibly|maybe) (?:\w+ ){0,3}(?:a |"
        r"mini )?strokes?|(?:face|mouth|smile|side of (?:my|his|her) face) (?:is |has |suddenly |started |"
        r"has started )?"
        r"(?:droop\w*|numb|crooked|lopsided|uneven)|face droop\w*|slurr(?:ed|ing)(?: (?:his|her|my|speech|"
        r"words))*|can'?t (?:lift|move|feel|raise) (?:my|his|her) (?:\w+ )?(?:arm|leg|side|face)|"
        r"(?:one|left|right) side .{0,30}(?:numb|weak|paraly\w+)|sudden(?:ly)? .{0,25}(?:numb|can'?t speak|"
        r"can'?t talk|can'?t see|lost vision|weakness|confused and)|worst headache)\b|"
        r"(?:口|嘴)角?歪|嘴(?:巴)?歪|半边(?:身子|脸|身体).{0,4}(?:麻|不能动|没力|无力|动不了)|说话(?:突然)?(?:不清|含糊)|口齿不清|突然.{0,8}(?:偏瘫|说不出话|看不见|"
        r"不能动)|(?:左|右|一)侧(?:肢体|身体|手脚).{0,4}(?:麻|无力|不能动)|中风了|脑梗发作|脑出血"
    ),
    UrgencyKind.CHEST_PAIN: re.compile(
        r"\b(?:my|his|her) heart (?:really |suddenly )?(?:hurts|is hurting|aches)\b(?! for)|"
        r"\b(?:chest (?:is |feels |really |has been |was |'?s )*(?:pains?|hurt\w*|tight\w*|pressure|crush\w*|"
        r"heavy|heaviness|burst\w*|ach\w+|killing)|(?:pain|pressure|tightness|squeezing|elephant|weight|"
        r"heaviness|crushing|stabbing)"
        r" (?:\w+ )?(?:in|on|across|sitting on) (?:my|his|her|the) chest|heart attack|pain (?:down|in|"
        r"shooting down|spreading) .{0,12}left arm|crushing pain)\b|"
        r"胸口?(?:很|好|特别|突然|剧烈|一阵|压榨性|有点|非常)*(?:疼|痛|闷(?:痛|得)|压|绞痛)|胸前区疼|心(?:口|脏)(?:很|好|特别|突然|剧烈|一阵)*(?:疼|绞痛|痛)|"
        r"心绞痛发作|心梗|心肌梗死|胸(?:痛|疼)"
    ),
    UrgencyKind.SEIZURE: re.compile(
        r"\b(?:is|started|keeps|been) fitting(?: and| for| now| again|$)|"
        r"\b(?:(?:having|had|has|is|started|keeps|another|in) (?:\w+ ){0,2}(?:seizures?|seizing|convuls\w+|"
        r"fits?\b(?! in| into| well| for| the))|seizing|convuls\w+|seizure (?:right now|won'?t stop|for|that|"
        r"lasting|is|started)|"
        r"shaking uncontrollably|(?:foam\w*|frothing) at (?:the )?mouth|eyes rolled back)\b|"
        r"抽搐|惊厥|口吐白沫|癫痫(?:又)?(?:发作|犯)了|羊癫疯|抽风|抽过去|全身抽|翻白眼"
    ),
    UrgencyKind.BLEEDING: re.compile(
        r"\bthrew up (?:\w+ )?blood\b|"
        r"\b(?:(?:vomit|throw|cough|spit|puk)\w*(?: up)? (?:\w+ )?blood|blood in (?:my |his |her |the )?vomit|"
        r"coffee grounds?|(?:bleeding|blood|bleed) (?:\w+ ){0,4}(?:won'?t|wont|will not|doesn'?t|not|"
        r"never) stop\w*|"
        r"(?:won'?t|can'?t|cannot|cant|wont) stop (?:the )?bleeding|bleeding (?:heavily|badly|a lot|"
        r"everywhere|profusely|out|nonstop|non-stop|for (?:hours|over))|(?:heavy|severe|massive|profuse|"
        r"uncontrolled) bleeding|"
        r"black (?:and )?tarry|tarry (?:black )?stools?|black stools?|blood (?:is )?(?:pouring|gushing|everywhere|"
        r"spurting)|(?:pooping|passing|lots of|peeing) (?:\w+ )?blood|lots of blood|(?:hit|banged|"
        r"fell).{0,25}head.{0,40}(?:blood thinner|warfarin|eliquis|xarelto|coumadin))\b|"
        r"吐血|呕血|咯血|大出血|血流不止|止不住血|血止不住|流血不止|出血(?:不止|很多)|便血很多|大量(?:便血|出血|流血)|黑便|拉黑色|柏油样"
    ),
}

_CALL_EN = "Call your local emergency number now"
_CALL_ZH = "请立即拨打当地急救电话（中国大陆为120）"
_FIRST_WORDS: dict[UrgencyKind, tuple[str, str]] = {
    UrgencyKind.UNCONSCIOUS: (
        f"{_CALL_EN} and stay with the person. If they are not breathing normally, begin chest compressions as the"
        " dispatcher tells you; if they breathe, lay them on their side.",
        f"{_CALL_ZH}，并守在患者身边。如果没有正常呼吸，请按接线员的指导做胸外按压；如有呼吸，让其侧卧。",
    ),
    UrgencyKind.SUICIDAL: (
        "You do not have to go through this alone: call your local emergency number or a crisis line now, or go to the"
        " nearest emergency department. Tell someone near you how you feel and ask them to stay with you, and move away"
        " from anything you could hurt yourself with.",
        f"您不必独自承受：{_CALL_ZH}或心理援助热线，或前往最近的急诊。请告诉身边的人您的感受，请他们陪着您，并远离可能伤害自己的东西。",
    ),
    UrgencyKind.ANAPHYLAXIS: (
        f"This may be a severe allergic reaction: {_CALL_EN[0].lower()}{_CALL_EN[1:]}, do not wait. If an adrenaline"
        " auto-injector has been prescribed, use it as its instructions say, and stay lying down unless breathing is"
        " easier sitting up.",
        f"这可能是严重过敏反应：{_CALL_ZH}，不要等待。如有医生开具的肾上腺素自动注射笔，请按其说明使用；平卧，呼吸困难时可坐起。",
    ),
    UrgencyKind.POISONING_CHILD: (
        "Call your local emergency number or poison centre now, even if the child seems well. Do not make the child"
        " vomit. Keep the packet at hand to say what was swallowed, how much and when.",
        f"{_CALL_ZH}或中毒控制中心，即使孩子看起来没事也不要等待。不要催吐。请留好药品包装，说明吃了什么、多少、何时。",
    ),
    UrgencyKind.OVERDOSE: (
        "Call your local emergency number or poison centre now; do not wait for symptoms. Do not make yourself vomit"
        " and take nothing more. Keep the packet at hand to say what was taken, how much and when.",
        f"{_CALL_ZH}或中毒控制中心，不要等症状出现。不要催吐，也不要再服任何药。请留好药品包装，说明吃了什么、多少、何时。",
    ),
    UrgencyKind.BREATHING: (
        f"{_CALL_EN}: trouble breathing must not wait. Sit upright, loosen tight clothing and do not stay alone.",
        f"{_CALL_ZH}：呼吸困难不能等待。请坐直，松开紧身衣物，不要独处。",
    ),
    UrgencyKind.STROKE: (
        f"This may be a stroke: {_CALL_EN[0].lower()}{_CALL_EN[1:]} and note the time it began. Do not drive, and do"
        " not eat, drink or take anything.",
        f"这可能是中风：{_CALL_ZH}，并记下开始的时间。不要开车，不要进食、喝水或服药。",
    ),
    UrgencyKind.CHEST_PAIN: (
        f"{_CALL_EN}: chest pain can be a heart attack. Sit down and rest, do not drive, and do not stay alone.",
        f"{_CALL_ZH}：胸痛可能是心脏病发作。请坐下休息，不要自己开车，不要独处。",
    ),
    UrgencyKind.SEIZURE: (
        f"{_CALL_EN}. Move dangerous things away, put nothing in the person's mouth and do not hold them down; when the"
        " shaking stops, lay them on their side.",
        f"{_CALL_ZH}。移开周围危险物品，不要往嘴里塞东西，不要强行按住；抽搐停止后让其侧卧。",
    ),
    UrgencyKind.BLEEDING: (
        f"{_CALL_EN}: heavy or internal bleeding must not wait. Press firmly on a wound with a clean cloth, lie down,"
        " and say which medicines are taken.",
        f"{_CALL_ZH}：大量出血或内出血不能等待。伤口请用干净的布用力按压，躺下，并告知正在服用的药物。",
    ),
}
