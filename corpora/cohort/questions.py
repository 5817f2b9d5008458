"""Questions about two films of a synthetic patient, in the format of MMXU and by the four phases of its paper.

After arXiv 2502.11651: (1) take the sentences of the later report that compare with the earlier film, without those
about devices and what never changes; (2) choose sentence and region, balanced over worsened, improved and no change;
(3) make question, four options, answer and explanation; (4) balance the letters and check. What the paper leaves to a
language model is done by templates here, and the check knows the truth.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from ...errors import WardroundError
from .anatomy import box_on
from .drawing import SIZE, pose_of
from .findings import BY_NAME, KINDS, NEVER_THERE, side_of
from .patients import SyntheticPatient
from .reports import Sentence, SyntheticReport

ContentType = Literal["worsen", "improved", "no change"]
"""As MMXU's test file spells them."""
TYPES: Final[tuple[ContentType, ...]] = ("worsen", "improved", "no change")
LETTERS: Final = "ABCD"
SAME_DIRECTION: Final = 0.2
"""Share of questions in which a wrong option has the direction of the right one, about another finding."""

_ABOUT_FINDING: Final = (
    "How has the {finding} in the region of the {region} changed between the two films?",
    "What change of the {finding} is seen in the {region} on the current film, compared with the earlier one?",
)
_ABOUT_REGION: Final = (
    "What has changed in the {region} between the two films?",
    "What change is seen in the {region} when the two chest films are compared?",
)
_SAID: Final[dict[ContentType, tuple[str, ...]]] = {
    "worsen": ("The {finding} has increased.", "The {finding} has worsened.", "There is more {finding} than before."),
    "improved": (
        "The {finding} has decreased.",
        "The {finding} has improved.",
        "There is less {finding} than before.",
    ),
    "no change": (
        "The {finding} is unchanged.",
        "The {finding} is stable.",
        "There is as much {finding} as before.",
    ),
}


class Question(BaseModel):
    """One line of a file: MMXU's development fields, and one of our own."""

    model_config = ConfigDict(frozen=True)
    id: int
    content_type: ContentType
    related_region_name: str
    question: str
    options: dict[str, str]
    answer: str
    explanation: str
    cur_image_path: str
    cur_report: str
    cur_region_report: str
    cur_image_bboxs: list[list[int]]
    """Of the region; pixels, left, top, right, bottom."""
    prior_image_path: list[str]
    prior_report: str
    prior_image_bboxs: list[list[list[int]]]
    """One list of boxes for each earlier film."""
    cur_seen: str
    """Not in MMXU: what the current film shows in the region, in words, without any comparison. For models that see no
    images, so that the earlier record is what the change has to be read from."""
    prior_comparison: Literal["none", "as the answer", "misleading"]
    """Not in MMXU: whether the earlier report compares this finding with a still earlier film, and if so, whether what
    it says happens to be the answer or is another."""


class Target(NamedTuple):
    """A sentence that a question can be made of."""

    who: SyntheticPatient
    film: int
    """The later one; the earlier one is the film before it."""
    sentence: Sentence
    kind: ContentType


@dataclass(frozen=True)
class Reported:
    """A patient with the reports of all films."""

    who: SyntheticPatient
    reports: Sequence[SyntheticReport]


def targets(patients: Sequence[Reported]) -> Iterator[Target]:
    """Phase 1: comparing sentences of findings that are not static and compare with the film just before."""
    for one in patients:
        for film, told in enumerate(one.reports):
            for sentence in told.findings:
                if film and sentence.compares == film - 1 and not sentence.static and sentence.region and sentence.kind:
                    now = one.who.severity(sentence.kind, sentence.region, film)
                    before = one.who.severity(sentence.kind, sentence.region, film - 1)
                    change: ContentType = "worsen" if now > before else "improved" if now < before else "no change"
                    yield Target(one.who, film, sentence, change)


def chosen(found: Sequence[Target], dice: random.Random) -> list[Target]:
    """Phase 2: equally many of each type, drawn by chance."""
    by_type = {kind: [target for target in found if target.kind == kind] for kind in TYPES}
    most = min(len(group) for group in by_type.values())
    picked = [target for group in by_type.values() for target in dice.sample(group, most)]
    return sorted(picked, key=lambda t: (t.who.id, t.film, t.sentence.region or ""))


def questions(patients: Sequence[Reported], seed: int, *, name: str) -> list[Question]:
    """All four phases. `name` ("train", "test") only varies the drawing of lots.

    Raises:
        WardroundError: a question fails the check of phase 4; that is a defect of this module.
    """
    dice = random.Random(f"questions/{seed}/{name}")  # noqa: S311 - reproducible, not secret
    picked = chosen(list(targets(patients)), dice)
    reports = {one.who.id: one.reports for one in patients}
    letters = _letters(picked, dice)
    made: list[Question] = []
    for number, (target, letter) in enumerate(zip(picked, letters, strict=True), start=1):
        question = _question(number, target, letter, reports[target.who.id], dice, seed)
        check(question, target)
        made.append(question)
    return made


def _letters(picked: Sequence[Target], dice: random.Random) -> list[str]:
    """For each target the letter of its answer: each letter as often as the others, within each type too."""
    by_type: dict[str, list[str]] = {}
    for index, kind in enumerate(TYPES):
        count = sum(target.kind == kind for target in picked)
        lots = [LETTERS[(index + n) % len(LETTERS)] for n in range(count)]
        dice.shuffle(lots)
        by_type[kind] = lots
    return [by_type[target.kind].pop() for target in picked]


def _question(
    number: int,
    target: Target,
    letter: str,
    reports: Sequence[SyntheticReport],
    dice: random.Random,
    seed: int,
) -> Question:
    """Phase 3."""
    who, film, region = target.who, target.film, target.sentence.region or ""
    finding = BY_NAME[target.sentence.kind or ""].short
    asked = dice.choice(dice.choice((_ABOUT_FINDING, _ABOUT_REGION))).format(finding=finding, region=region)
    right = dice.choice(_SAID[target.kind]).format(finding=finding)
    wrong = [dice.choice(_SAID[kind]).format(finding=finding) for kind in TYPES if kind != target.kind]
    other = dice.choice(_others(who, region))
    same = dice.random() < SAME_DIRECTION
    direction: ContentType = target.kind if same else dice.choice([kind for kind in TYPES if kind != target.kind])
    wrong.append(dice.choice(_SAID[direction]).format(finding=other))
    dice.shuffle(wrong)
    options = {name: right if name == letter else wrong.pop() for name in LETTERS}
    prior, current = reports[film - 1], reports[film]
    was, now = (_grade(who, target.sentence, index) for index in (film - 1, film))
    boxes = [[box_on(region, pose_of(who, index, seed), SIZE)] for index in (film - 1, film)]
    return Question(
        id=number,
        content_type=target.kind,
        related_region_name=region,
        question=asked,
        options=options,
        answer=letter,
        explanation=f"{target.sentence.text} On the earlier film: {was}; on the current one: {now}.",
        cur_image_path=who.films[film].image,
        cur_report=current.text,
        cur_region_report=current.about(region),
        cur_image_bboxs=boxes[1],
        prior_image_path=[who.films[film - 1].image],
        prior_report=prior.text,
        prior_image_bboxs=[boxes[0]],
        cur_seen=f"{region}: {now}",
        prior_comparison=_prior_comparison(target, prior),
    )


def _others(who: SyntheticPatient, region: str) -> list[str]:
    """Findings that might be in the region, but are on no film of the patient."""
    place = {"side": side_of(region) or ""}
    here = [kind for kind in KINDS if any(one.format(**place) == region for one in kind.places)]
    absent = [kind.short for kind in here if not any((t.kind, t.region) == (kind.name, region) for t in who.tracks)]
    return [*absent, *next(names for end, names in NEVER_THERE.items() if region.endswith(end))]


def _prior_comparison(target: Target, prior: SyntheticReport) -> Literal["none", "as the answer", "misleading"]:
    about = (target.sentence.kind, target.sentence.region)
    against = next((s.compares for s in prior.findings if (s.kind, s.region) == about and s.compares is not None), None)
    if against is None:
        return "none"
    kind, region = about
    now, before = (target.who.severity(kind or "", region or "", index) for index in (target.film - 1, against))
    said = "worsen" if now > before else "improved" if now < before else "no change"
    return "as the answer" if said == target.kind else "misleading"


def _grade(who: SyntheticPatient, sentence: Sentence, film: int) -> str:
    kind, region = sentence.kind or "", sentence.region or ""
    severity = who.severity(kind, region, film)
    named = BY_NAME[kind]
    return f"{named.grades[severity - 1]} {named.short}" if severity else f"no {named.short}"


def check(question: Question, target: Target) -> None:
    """Phase 4, for one question.

    Raises:
        WardroundError: an option occurs twice, a wrong one is true, or the answer isn't.
    """
    finding = BY_NAME[target.sentence.kind or ""].short
    true = {said.format(finding=finding) for said in _SAID[target.kind]}
    right = [letter for letter, text in question.options.items() if text in true]
    if right != [question.answer] or len(set(question.options.values())) != len(LETTERS):
        raise WardroundError(f"the cohort's question {question.id} does not have exactly one right option")


def same_direction(question: Question) -> bool:
    """Whether a wrong option has the direction of the right one."""
    ends = [said.partition("{finding}") for said in _SAID[question.content_type]]
    wrong = [text for letter, text in question.options.items() if letter != question.answer]
    return any(text.startswith(start) and text.endswith(end) for text in wrong for start, _, end in ends)


def tally(made: Sequence[Question]) -> dict[str, dict[str, int]]:
    """How the questions are spread: by type, letter, region, and with a distractor of the same direction."""
    return {
        "type": dict(Counter(q.content_type for q in made)),
        "letter": dict(sorted(Counter(q.answer for q in made).items())),
        "region": dict(sorted(Counter(q.related_region_name for q in made).items())),
        "prior comparison": dict(sorted(Counter(q.prior_comparison for q in made).items())),
        "same direction": {"yes": sum(map(same_direction, made)), "no": sum(not same_direction(q) for q in made)},
    }
