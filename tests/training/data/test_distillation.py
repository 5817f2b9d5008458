"""Composed dialogues: seeded, varied, and with targets that the dialogue itself holds."""

from __future__ import annotations

import json
import random
from collections import Counter

from langchain_core.messages import HumanMessage
from wardround.agents.tuned_distilling import ATTRIBUTES
from wardround.corpora.words import fold
from wardround.training.data.distillation import SHARES, cases, row_of
from wardround.training.data.names import KnownNames, MedicineName, invented_name, misspelt
from wardround.training.data.slips import slipped

NAMES = [MedicineName("oxazepam"), MedicineName("yupelri", ("revefenacin",)), MedicineName("gefitinib")]
MADE = list(cases(NAMES, count=400, seed=3))


def test_the_same_seed_gives_the_same_rows() -> None:
    again = list(cases(NAMES, count=40, seed=3))
    assert [row_of(c, row_id="a", source={}) for _, c in again] == [
        row_of(c, row_id="a", source={}) for _, c in MADE[:40]
    ]
    other = [row_of(c, row_id="a", source={}) for _, c in cases(NAMES, count=40, seed=4)]
    assert other != [row_of(c, row_id="a", source={}) for _, c in again]


def test_every_kind_comes_about_as_often_as_it_should() -> None:
    counted = Counter(kind for kind, _ in MADE)
    assert {kind: abs(counted[kind] / len(MADE) - share) < 0.1 for kind, share in SHARES.items()} == dict.fromkeys(
        SHARES, True
    )


def test_the_target_copies_a_name_that_the_dialogue_holds() -> None:
    for kind, case in MADE:
        said = fold(" ".join([*(m.text for m in case.messages), *case.hints]))
        for form in case.forms:
            assert form.medicine is None or form.medicine in said, (kind, said, form)


def test_chinese_dialogues_come_when_asked_for() -> None:
    made = [case for kind, case in cases(NAMES, count=60, seed=2, chinese=0.5) if kind == "chinese"]
    assert 15 < len(made) < 45
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in case.messages[-1].text) for case in made)


def test_the_person_speaks_first_and_last_and_no_slot_is_left() -> None:
    for _, case in MADE:
        assert isinstance(case.messages[0], HumanMessage)
        assert isinstance(case.messages[-1], HumanMessage)
        assert not any("{" in m.text for m in case.messages)


def test_all_attributes_are_asked_for() -> None:
    asked = {form.attribute for _, case in cases(NAMES, count=1500, seed=1) for form in case.forms}
    assert set(ATTRIBUTES) <= asked


def test_a_row_has_hints_and_a_reply_of_the_form() -> None:
    kind, case = next((k, c) for k, c in MADE if k == "attribute")
    row = row_of(case, row_id="a", source={"kind": kind})
    assert [m.role for m in row.messages] == ["system", "user", "assistant"]
    assert "\nnames: " in row.messages[1].content
    assert json.loads(row.messages[2].content)["calls"][0]["medicine"] == case.forms[0].medicine
    assert row.source["kind"] == "attribute"


def test_names_are_misspelt_but_not_lost() -> None:
    rng = random.Random(1)  # noqa: S311 -- nothing secret
    made = [misspelt("oxazepam", rng) for _ in range(200)]
    assert len(set(made)) > 50
    assert all(len(name) >= 4 for name in made)


def test_invented_names_look_like_names() -> None:
    rng = random.Random(2)  # noqa: S311 -- nothing secret
    made = [invented_name(rng).name for _ in range(300)]
    assert len(set(made)) > 250
    assert all(name.isalpha() and name.islower() for name in made)


def test_slips_leave_names_alone() -> None:
    rng = random.Random(5)  # noqa: S311 -- nothing secret
    for _ in range(100):
        text = slipped("Doctor, should I take Gefitinib twice before breakfast, please?", rng, keep=["Gefitinib"])
        assert "Gefitinib" in text


def test_known_names_are_found_whole_and_the_longest_first() -> None:
    known = KnownNames(["vitamin d", "vitamin"])
    assert [m.text for m in known.mentions("Vitamin D and vitamin; vitamins")] == ["vitamin d", "vitamin"]
