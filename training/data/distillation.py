"""Dialogues with the search calls that they ask for, composed by a seeded generator: what the distiller learns from.

After RagPULSE (arXiv 2404.17897), whose model learned from synthetic pairs of dialogue and query. A dialogue is put
together of hand-written pieces: who asks and why, what the adviser asks back, digressions, other medicines, a question
by name or by pronoun; then misspelt as people do. The target is the reply that `agents/tuned_distilling.py` reads.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from ...agents.choices import Choice, medicine_choices
from ...agents.tuned_distilling import PROMPT, Form, reply, request
from ...corpora.medicines import Attribute
from ...corpora.words import fold
from . import phrases
from .chinese import chinese_case
from .names import KnownNames, MedicineName, in_a_persons_case, invented_name, misspelt
from .phrases import Question
from .rows import ChatMessage, SftRow
from .slips import slipped

SHARES: Final = {
    "question": 0.46,
    "attribute": 0.17,
    "pair": 0.14,
    "which": 0.20,
    "none": 0.03,
}
"""How often each kind of case comes."""
_WEIGHTS: Final = {
    Attribute.ADVERSE_REACTIONS: 18,
    Attribute.DOSAGE: 16,
    Attribute.INTERACTIONS: 12,
    Attribute.INDICATIONS: 9,
    Attribute.CONTRAINDICATIONS: 9,
    Attribute.PREGNANCY_LACTATION: 7,
    Attribute.STORAGE: 7,
    Attribute.CHILDREN: 6,
    Attribute.OVERDOSE: 6,
    Attribute.PRECAUTIONS: 6,
    Attribute.PHARMACOLOGY: 4,
    Attribute.COMPOSITION: 3,
    Attribute.DESCRIPTION: 1,
    Attribute.ELDERLY: 1,
    Attribute.BOXED_WARNING: 1,
}
"""How often each attribute is asked for: about as people do, none so seldom that it is not learned."""
_INVENTED: Final = 0.4
_MISSPELT: Final = 0.25
_LONG: Final = 0.4
"""How often the last turn of a dialogue is a hand-written one of several sentences."""
_QUESTION_LONG: Final = 0.42
"""Up to which draw a question alone is such a turn; below `_QUESTION_BARE`, it is one typed into a search box."""
_QUESTION_BARE: Final = 0.08
_REFERRING: Final = 0.6
"""How often a question about two medicines tells one by what was said of it."""
_TOLD_BESIDE: Final = 0.5
"""How often somebody who asks for a medicine tells of another at length."""
_PLAIN_TALK: Final = ("answer", "answer", "story", "digress", "feeling", "refuse")
_PEOPLE: Final = (
    "my wife|my husband|my son|my daughter|my mother|my father|my mum|my dad|my sister|my brother|my grandmother|"
    "my neighbour|my patient|my boss|my girlfriend|my uncle"
).split("|")
_TRIED: Final = (
    "Tried {other}, no good.|I had {other}, it did nothing.|{other} made me ill, so not that.|"
    "They gave me {other} and I stopped it after a week.|I take {other} for something else.|Only {other}, years ago.|"
    "The pharmacist sold me {other}. Useless.|My mother says take {other}, I don't believe in it.|"
    "I'm on {other} already.|Not {other}, I've had that.|no allergies. just {other} daily|"
    "My neighbour swears by {other}."
).split("|")
_BARE: Final = (
    ("{med} side effects", Attribute.ADVERSE_REACTIONS),
    ("{med} dose", Attribute.DOSAGE),
    ("{med} dosage for adults", Attribute.DOSAGE),
    ("what is {med}", Attribute.INDICATIONS),
    ("{med}?", Attribute.INDICATIONS),
    ("{med} uses", Attribute.INDICATIONS),
    ("tell me about {med}", Attribute.INDICATIONS),
    ("{med} and alcohol", Attribute.INTERACTIONS),
    ("{med} and {other}", Attribute.INTERACTIONS),
    ("{med} pregnancy", Attribute.PREGNANCY_LACTATION),
    ("{med} ingredients", Attribute.COMPOSITION),
    ("{med} half life", Attribute.PHARMACOLOGY),
    ("how does {med} work", Attribute.PHARMACOLOGY),
    ("storage of {med}", Attribute.STORAGE),
    ("what does {med} look like", Attribute.DESCRIPTION),
    ("{med} for kids", Attribute.CHILDREN),
    ("how to stop {med}", Attribute.DOSAGE),
    ("how do i take {med}", Attribute.DOSAGE),
    ("{med} warnings", Attribute.PRECAUTIONS),
    ("who should not take {med}", Attribute.CONTRAINDICATIONS),
)
"""As typed into a search box."""


class Case(NamedTuple):
    """A dialogue and what it asks for."""

    messages: list[AnyMessage]
    forms: list[Form]
    medicines: tuple[MedicineName, ...] = ()
    known: KnownNames = KnownNames(())
    """The names in the dialogue, as the database would find them."""
    hints: tuple[str, ...] = ()
    """Names that the model is told of although the turns were left out that hold them."""


class Slots:
    """What the slots of one dialogue stand for: the same medicine keeps its spelling unless someone errs."""

    def __init__(self, names: Sequence[MedicineName], rng: random.Random) -> None:
        """Draw medicines of `names`, or invented ones, and a person."""
        self._rng = rng
        self.medicines: tuple[MedicineName, ...] = tuple(self._medicine(names) for _ in range(2))
        med, other = (self._spelling(m.name) for m in self.medicines)
        complaint = rng.choice(phrases.complaints())
        self._values = {
            "med": med,
            "other": other,
            "brand": self.medicines[0].also[0] if self.medicines[0].also else med,
            "condition": rng.choice(complaint.names),
            "complaint": rng.choice(complaint.names),
            "age": rng.choice((str(rng.randint(2, 95)), f"{rng.randint(2, 95)} years old", str(rng.randint(18, 90)))),
            "person": rng.choice(_PEOPLE),
        }

    def _medicine(self, names: Sequence[MedicineName]) -> MedicineName:
        invented = not names or self._rng.random() < _INVENTED
        return invented_name(self._rng) if invented else self._rng.choice(names)

    def _spelling(self, name: str) -> str:
        if self._rng.random() < _MISSPELT:
            name = misspelt(name, self._rng)
        return in_a_persons_case(name, self._rng)

    def said(self, slot: str) -> str:
        """What a slot stands for, folded: what the model must copy."""
        return fold(self._values[slot])

    def fill(self, text: str) -> str:
        """The text with its slots filled."""
        filled = re.sub(r"\{(\w+)\}", lambda m: self._values[m.group(1)], text)
        return filled[:1].upper() + filled[1:] if text.startswith("{person}") else filled


def cases(names: Sequence[MedicineName], *, count: int, seed: int, chinese: float = 0.0) -> Iterator[tuple[str, Case]]:
    """`count` cases with their kinds, the same for the same arguments; of them about `chinese` (a share) in Chinese."""
    shares = {kind: share * (1 - chinese) for kind, share in SHARES.items()} | {"chinese": chinese}
    makers: dict[str, Callable[[Sequence[MedicineName], random.Random], Case]] = {
        "question": _question_case,
        "attribute": _attribute_case,
        "pair": _pair_case,
        "which": _which_case,
        "none": _no_call_case,
        "chinese": _chinese_case,
    }
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")  # noqa: S311 -- nothing secret
        kind = rng.choices(list(shares), weights=list(shares.values()))[0]
        yield kind, makers[kind](names, rng)


def row_of(case: Case, *, row_id: str, source: dict[str, str]) -> SftRow:
    """The training row of a case: what the distiller is asked, and the reply it should give."""
    asked = [
        ChatMessage(role="system" if isinstance(m, SystemMessage) else "user", content=m.text)
        for m in request(
            case.messages,
            [Choice(name, name) for name in case.hints] or medicine_choices(case.messages, case.known),
        )
    ]
    told = ChatMessage(role="assistant", content=reply(case.forms))
    entity = case.medicines[0].name if case.medicines else None
    return SftRow(
        id=row_id,
        messages=(*asked, told),
        source={"prompt": PROMPT, **source, **({"entity": entity} if entity else {})},
    )


@cache
def _by_attribute() -> dict[tuple[Attribute, bool], tuple[Question, ...]]:
    found: dict[tuple[Attribute, bool], list[Question]] = defaultdict(list)
    for question in phrases.questions():
        found[question.attributes[0], question.pronoun].append(question)
    return {key: tuple(value) for key, value in found.items()}


def _question(rng: random.Random, *, pronoun: bool) -> Question:
    attribute = rng.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))[0]
    known = _by_attribute()
    return rng.choice(known.get((attribute, pronoun)) or known[attribute, not pronoun])


def _forms_for(question: Question, slots: Slots) -> list[Form]:
    forms = [Form(medicine=slots.said("med"), attribute=a) for a in question.attributes[:2]]
    if "{other}" in question.text and question.attributes[0] is Attribute.INTERACTIONS:
        forms = [forms[0], Form(medicine=slots.said("other"), attribute=Attribute.INTERACTIONS)]
    return forms


def _attribute_case(names: Sequence[MedicineName], rng: random.Random) -> Case:
    """Several turns that end with a question about one medicine, mostly by pronoun."""
    slots = Slots(names, rng)
    whole = rng.random() < _LONG
    question = rng.choice(phrases.long_turns()) if whole else _question(rng, pronoun=rng.random() < 0.7)
    turns = [slots.fill(rng.choice(phrases.openings()))]
    for _ in range(rng.choice((0, 0, 0, 0, 1, 1))):
        middle = _middle(slots, rng)
        turns += [_adviser(rng), middle] if middle not in turns else []
    last = slots.fill(question.text)
    if not whole and rng.random() < 0.5:
        last = f"{slots.fill(_talk(rng))} {last}"
    if whole or len(turns) > 1 or rng.random() < 0.9:
        turns += [_adviser(rng), last]
    else:
        turns[0] = f"{turns[0]} {last}"
    return _case(turns, _forms_for(question, slots), slots, rng)


def _middle(slots: Slots, rng: random.Random) -> str:
    """A turn of the person that keeps the first medicine the one in question."""
    kind = rng.random()
    if kind < 0.2:
        distractions = [m.text for m in phrases.middles() if m.kind == "distraction"]
        return f"{slots.fill(rng.choice(distractions))} {_own(slots, rng) if rng.random() < 0.5 else ''}".strip()
    if kind < 0.35:
        earlier = [m.text for m in phrases.middles() if m.kind == "earlier" and "{other}" not in m.text]
        return slots.fill(rng.choice(earlier))
    if kind < 0.45:
        return _own(slots, rng)
    return slots.fill(_talk(rng))


def _own(slots: Slots, rng: random.Random) -> str:
    back = [m.text for m in phrases.middles() if m.kind == "back" and "{med}" in m.text]
    return slots.fill(rng.choice(back))


def _talk(rng: random.Random) -> str:
    kind = rng.choice(_PLAIN_TALK)
    return rng.choice([m.text for m in phrases.middles() if m.kind == kind and "{other}" not in m.text])


def _adviser(rng: random.Random) -> str:
    return rng.choice(phrases.adviser_turns())


def _question_case(names: Sequence[MedicineName], rng: random.Random) -> Case:
    """The question alone, as consumers type it, or what is left of a dialogue whose names are known.

    Short rows teach most in a given time: what a question asks for has to be learned from many, the rest from few.
    """
    slots = Slots(names, rng)
    kind = rng.random()
    if kind < _QUESTION_BARE:
        text, attribute = rng.choice(_BARE)
        question = Question(text, (attribute,), pronoun=False)
    elif kind < _QUESTION_LONG:
        question = rng.choice(phrases.long_turns())
    else:
        question = _question(rng, pronoun=rng.random() < 0.5)
    text = slots.fill(question.text)
    if kind >= _QUESTION_LONG and rng.random() < 0.3:
        text = f"{slots.fill(_talk(rng))} {text}"
    case = _case([text], _forms_for(question, slots), slots, rng)
    said = [slots.said("med"), *([slots.said("other")] if "{other}" in question.text else [])]
    return case._replace(hints=tuple(said)) if question.pronoun else case


def _pair_case(names: Sequence[MedicineName], rng: random.Random) -> Case:
    """A question about two medicines, or about the one while the other is taken."""
    slots = Slots(names, rng)
    if rng.random() < _REFERRING:
        opening, pair = rng.choice(phrases.referring())
        forms = [Form(medicine=slots.said("med"), attribute=a) for a in pair.med[:1]]
        forms += [Form(medicine=slots.said("other"), attribute=a) for a in pair.other[:1]]
        return _case([slots.fill(opening), _adviser(rng), slots.fill(pair.text)], forms, slots, rng)
    pair = rng.choice(phrases.pairs())
    turns: list[str] = []
    if rng.random() < 0.7:
        turns = [slots.fill(rng.choice(phrases.openings())), _adviser(rng)]
        if rng.random() < 0.4:
            turns += [slots.fill(_talk(rng)), _adviser(rng)]
    last = slots.fill(pair.text)
    turns.append(f"{slots.fill(_talk(rng))} {last}" if turns and rng.random() < 0.3 else last)
    forms = [
        Form(medicine=slots.said("med"), attribute=pair.med[0]),
        Form(medicine=slots.said("other"), attribute=pair.other[0]),
    ]
    return _case(turns, forms, slots, rng)


def _which_case(names: Sequence[MedicineName], rng: random.Random) -> Case:
    """Which medicine helps? None is named, or only such as were tried before."""
    slots = Slots(names, rng)
    if rng.random() < _TOLD_BESIDE:
        opening, text, keywords = rng.choice(phrases.which_tried())
        turns = [slots.fill(opening), _adviser(rng), slots.fill(text)]
        return _case(turns, [Form(keywords=keywords)], slots, rng)
    complaint = rng.choice(phrases.complaints())
    name = rng.choice(complaint.names)
    if complaint.stories and rng.random() < 0.5:
        story = rng.choice(complaint.stories)
        turns = [f"{story[:1].upper()}{story[1:]}."]
        if rng.random() < 0.4:
            turns[0] += f" {rng.choice(('They call it', 'The doctor says it is', 'It is called'))} {name}."
        turns += [_adviser(rng), _tried(slots, rng)]
        if rng.random() < 0.4:
            turns += [_adviser(rng), slots.fill(_talk(rng))]
        turns[-1] = f"{turns[-1]} {slots.fill(rng.choice(phrases.which_later()))}".strip()
    else:
        text = rng.choice(phrases.which()).replace("{complaint}", name)
        turns = [slots.fill(text)]
        if rng.random() < 0.5:
            turns = [f"{_greeting(rng)} {slots.fill(_talk(rng))}".strip(), _adviser(rng), *turns]
            if rng.random() < 0.4:
                turns[-1] = f"{_tried(slots, rng)} {turns[-1]}".strip()
    return _case(turns, [Form(keywords=complaint.keywords[:60])], slots, rng)


def _tried(slots: Slots, rng: random.Random) -> str:
    return slots.fill(rng.choice(_TRIED)) if rng.random() < 0.5 else slots.fill(_talk(rng))


def _greeting(rng: random.Random) -> str:
    return rng.choice(("Hello.", "Hi!", "hey", "Good evening.", "Me again.", "", "", "Morning."))


def _no_call_case(names: Sequence[MedicineName], rng: random.Random) -> Case:
    """A conversation whose last turn asks nothing of a medicine database."""
    slots = Slots(names, rng)
    turns = [slots.fill(rng.choice(phrases.openings())), _adviser(rng), rng.choice(phrases.small_talk())]
    return _case(turns if rng.random() < 0.7 else turns[-1:], [], slots, rng)


def _chinese_case(_: Sequence[MedicineName], rng: random.Random) -> Case:
    messages, forms, names = chinese_case(rng)
    return Case(messages, forms, (), KnownNames(names))


def _case(turns: Sequence[str], forms: Sequence[Form], slots: Slots, rng: random.Random) -> Case:
    keep = tuple(slots.fill(slot) for slot in ("{med}", "{other}"))
    slip = rng.random() < 0.35
    messages: list[AnyMessage] = []
    for place, turn in enumerate(turns):
        if (len(turns) - place) % 2:
            messages.append(HumanMessage(slipped(turn, rng, keep=keep) if slip else turn))
        else:
            messages.append(AIMessage(turn))
    return Case(messages, list(forms), slots.medicines, KnownNames([slots.said("med"), slots.said("other")]))
