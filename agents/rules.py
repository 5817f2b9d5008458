"""Distilling without a model: names that the index links, attributes by the words of the question.

The third baseline, the fallback for a model that cannot be understood, and the source of the names that a weak model
may choose from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langchain_core.messages import AnyMessage, HumanMessage

from ..corpora.asking import asked_attributes
from ..corpora.linking import Mention
from ..corpora.medicines import Attribute, SearchCall
from ..corpora.words import fold, terms
from .dialogue import user_turns
from .facts import Fact, FactKind, attribute_for, stated_facts
from .turn import Call, DistilledBy, MedicineSearch
from .urgency import Urgency, UrgencyKind

MOST_CALLS: Final = 4
_MOST_KEYWORDS: Final = 8
_ASKED_BACK: Final = 2
_PEOPLE: Final = (Attribute.PREGNANCY_LACTATION, Attribute.CHILDREN, Attribute.ELDERLY)
_DENIED: Final = re.compile(
    r"\b(?:not|isn'?t|ain'?t|aren'?t|never|no longer|don'?t have|have no|no)\b[^.,;?!]{0,15}"
    r"\b(?:pregnan|breast|nursing|child|kid|bab|elderly)|(?:没有?|不是|未)[^。，；？！]{0,4}(?:怀孕|孕|哺乳|孩子)"
)
"""Who denies being one of these people asks about nothing that stands under them."""
_SMALL_TALK: Final = re.compile(
    r"\b(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day|night)|thank you|thanks?|thx|ta|cheers|ok(?:ay)?|"
    r"great|bye|goodbye|see you|so much|very much|a lot|there|again|doctor|doc|everyone|perfect|cool|got it|"
    r"how are you|nice to meet you|you too|that helps?|that's all|no more questions)\b|"
    r"(?:你好|您好|谢谢|多谢|再见|好的|嗯|早上好|晚上好|医生|大夫|知道了|明白了|在吗)"
)


@dataclass(frozen=True)
class NamedMedicine:
    """A medicine named in a conversation."""

    name: str
    turn: int
    """Index of the turn of the last mention."""
    mention: Mention


def named_medicines(messages: Sequence[AnyMessage], medicines: MedicineSearch) -> list[NamedMedicine]:
    """The medicines a conversation names, the last mentioned turn first, within a turn in order; each name once."""
    found: dict[str, NamedMedicine] = {}
    for turn in reversed(range(len(messages))):
        for mention in medicines.mentions(messages[turn].text):
            found.setdefault(mention.key, NamedMedicine(mention.text, turn, mention))
    return list(found.values())


def is_small_talk(text: str) -> bool:
    """Whether a turn is only a greeting, thanks or the like."""
    left = _SMALL_TALK.sub("", fold(text))
    return not re.sub(r"[\W_]+", "", left)


def is_thanks(text: str) -> bool:
    """Whether a turn of small talk says thanks or takes leave rather than greets."""
    return re.search(r"thank|thx|cheers|bye|helps|got it|谢|再见|明白|知道", fold(text)) is not None


@dataclass(frozen=True)
class Asked:
    """What the words of the last turn ask, names left aside."""

    attributes: tuple[Attribute, ...]
    """Attributes with a cue word, the likeliest first; empty when there is none."""
    keywords: str

    @classmethod
    def of(cls, messages: Sequence[AnyMessage], medicines: MedicineSearch) -> Asked:
        """Read the last turn; with the person's turn before it, if it answers a question back ("for whom is it?")."""
        question = messages[-1].text
        if len(messages) > _ASKED_BACK and messages[-2].text.rstrip().endswith(("?", "？")) and "?" not in question:
            question = f"{messages[-3].text} {question}"
        rest = _without_names(question, medicines.mentions(question))
        return cls(tuple(asked_attributes(rest)), keywords_of(rest))


def rule_calls(
    messages: Sequence[AnyMessage], medicines: MedicineSearch, *, distilled_by: DistilledBy, reason: str = ""
) -> list[Call]:
    """The calls that names and cue words alone suggest for the last turn.

    A medicine of the last turn is asked about; if it names none, the one named last before ("can I take it...").
    Two medicines in the last turn, or one there and one before with a question about interactions, are both searched.
    Without any medicine, all are searched for what helps against a complaint, but for nothing else: what one leaflet
    says is no answer about another. None for small talk, and none where only a name could make sense of the question.
    """
    question = messages[-1].text
    if is_small_talk(question):
        return []
    named = named_medicines(messages, medicines)
    here = [m for m in named if m.turn == len(messages) - 1]
    asked = Asked.of(messages, medicines)
    attribute = asked.attributes[0] if asked.attributes else None

    def call(medicine: str | None, wanted: Attribute | None, others: Sequence[NamedMedicine] = ()) -> Call:
        return Call(
            medicine=medicine,
            attribute=wanted,
            keywords=asked.keywords,
            other_names=tuple(name for o in others for name in _also(o.name, o.mention, medicines)),
            distilled_by=distilled_by,
            reason=reason,
        )

    if not here and (unknown := _unknown(question, medicines)):
        return [call(name, attribute) for name in unknown[:2]]
    subjects = (here or named[:1])[:2]
    if not subjects:
        general = (attribute is None or Attribute.INDICATIONS in asked.attributes) and asked.keywords
        return [call(None, Attribute.INDICATIONS)] if general else []
    if attribute is Attribute.INTERACTIONS and len(subjects) == 1:
        subjects += [m for m in named if m is not subjects[0]][:1]
    if len(subjects) > 1 and attribute is None:
        attribute = Attribute.INTERACTIONS
    between = attribute is Attribute.INTERACTIONS
    return [call(s.name, attribute, [o for o in subjects if between and o is not s]) for s in subjects]


def _unknown(question: str, medicines: MedicineSearch) -> list[str]:
    """Medicines that the question names and the database does not have; what one is allergic to is not asked about."""
    allergies = " ".join(f.quote for f in stated_facts([question]) if f.kind is FactKind.ALLERGY)
    return [name for name in medicines.unknown_names(question) if name not in fold(allergies)]


def other_names(names: Sequence[str], medicines: MedicineSearch) -> list[str]:
    """Each name, and what else the leaflets of others may call its medicine."""
    return list(dict.fromkeys(n for name in names for m in medicines.mentions(name) for n in _also(name, m, medicines)))


def _also(name: str, mention: Mention, medicines: MedicineSearch) -> list[str]:
    """A medicine as the leaflet of another may speak of it: by substance or by class, whatever the person called it."""
    record = medicines.medicine_of(mention)
    known = [*record.names.substances, *record.classes] if record else []
    return list(dict.fromkeys([name, *map(fold, known)]))


def completed(
    calls: Sequence[Call], messages: Sequence[AnyMessage], urgency: Urgency | None, medicines: MedicineSearch
) -> list[Call]:
    """`calls`, each search once, with what an emergency asks for before them and what stated facts ask for behind.

    At most `MOST_CALLS`.
    """
    made = {(fold(c.medicine or ""), c.attribute) for c in calls}
    urgent = calls_for_urgency(urgency, messages, medicines)
    once: dict[SearchCall, Call] = {}
    for call in [*(c for c in urgent if (fold(c.medicine or ""), c.attribute) not in made), *calls]:
        once.setdefault(call.search, call)
    first = list(once.values())[:MOST_CALLS]
    return [*first, *calls_for_facts(messages, first, medicines)]


def calls_for_urgency(urgency: Urgency | None, messages: Sequence[AnyMessage], medicines: MedicineSearch) -> list[Call]:
    """For too much of a medicine taken: what its leaflet says on overdose."""
    if urgency is None or urgency.kind not in (UrgencyKind.OVERDOSE, UrgencyKind.POISONING_CHILD):
        return []
    reason = f"urgent: {urgency.kind.value}"
    return [
        Call(medicine=m.name, attribute=Attribute.OVERDOSE, distilled_by=DistilledBy.RULE, reason=reason)
        for m in named_medicines(messages, medicines)[:2]
    ]


def calls_for_facts(messages: Sequence[AnyMessage], calls: Sequence[Call], medicines: MedicineSearch) -> list[Call]:
    """Further calls for what the person said about themselves, unless `calls` cover it already.

    Each fact is looked up for the first medicine that is asked about: its text on pregnancy for a pregnant person,
    its interactions with another medicine taken, and so on.
    """
    asked = next((c.medicine for c in calls if c.medicine), None)
    if asked is None:
        return []
    added = _calls_for_people(asked, messages, calls, medicines)
    for fact in stated_facts(user_turns(messages)):
        attribute, words = attribute_for(fact)
        if _same_medicine(fact, asked, medicines):
            continue
        others: list[str] = []
        if attribute is Attribute.INTERACTIONS:
            taken = medicines.mentions(words)
            others = [n for m in taken for n in _also(m.text, m, medicines)] or [words]
        covered = any(c.attribute is attribute and (not others or _mentions(c, others)) for c in [*calls, *added])
        if not covered and len(calls) + len(added) < MOST_CALLS:
            added.append(
                Call(
                    medicine=asked,
                    attribute=attribute,
                    keywords="" if others else words,
                    other_names=tuple(others),
                    distilled_by=DistilledBy.RULE,
                    reason=f"said: {fact.quote}",
                )
            )
    return added


def _calls_for_people(
    asked: str, messages: Sequence[AnyMessage], calls: Sequence[Call], medicines: MedicineSearch
) -> list[Call]:
    """A call for each group of people that the question speaks of, where no call is about it yet."""
    denied = _DENIED.search(fold(messages[-1].text)) is not None
    spoken_of = [a for a in Asked.of(messages, medicines).attributes if a in _PEOPLE and not denied]
    return [
        Call(medicine=asked, attribute=a, distilled_by=DistilledBy.RULE, reason=f"the question speaks of {a.label}")
        for a in spoken_of
        if all(c.attribute is not a for c in calls)
    ][: max(0, MOST_CALLS - len(calls))]


def _same_medicine(fact: Fact, asked: str, medicines: MedicineSearch) -> bool:
    """Whether a medicine the person takes is the one asked about, under whatever name."""
    return bool(_rows(fact.detail or "", medicines) & _rows(asked, medicines))


def _rows(text: str, medicines: MedicineSearch) -> set[int]:
    return {row for mention in medicines.mentions(text) for row, _ in mention.medicines}


def _mentions(call: Call, names: Sequence[str]) -> bool:
    return bool(set(terms(" ".join(names))) & set(terms(call.search.keywords)))


def keywords_of(text: str) -> str:
    """The first few words of a question that carry meaning, as one would type them into a search box."""
    words = [w for w in re.findall(r"[\w'-]+", fold(text)) if terms(w)]
    return " ".join(dict.fromkeys(words[:_MOST_KEYWORDS]))


def _without_names(text: str, mentions: Sequence[Mention]) -> str:
    folded = fold(text)
    for mention in sorted(mentions, key=lambda m: -m.start):
        folded = f"{folded[: mention.start]} {folded[mention.end :]}"
    return folded


def last_question(messages: Sequence[AnyMessage]) -> str:
    """The text of the last turn of the person."""
    return next(m.text for m in reversed(messages) if isinstance(m, HumanMessage))
