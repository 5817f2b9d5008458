"""Which attribute a question asks about, as people write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.corpora.asking import asked_attributes, without_cues
from wardround.corpora.medicines import Attribute

A = Attribute
QUESTIONS = Path(__file__).parents[3] / "shared/data/medicationqa/questions_dev.jsonl"
# Names of medicines are taken out before, so there are only gaps where they stood.
TABLE = {
    A.BOXED_WARNING: ["what is the black box warning on", "does have a boxed warning?", "有黑框警告吗"],
    A.OVERDOSE: [
        "i took too many  what now",
        "my dad took a double dose of  by accident",
        "signs of  overdose",
        "what to do about  poisoning",
        " 吃多了怎么办",
        " 过量了会怎么样",
    ],
    A.PREGNANCY_LACTATION: [
        "can i take  while pregnant?",
        "is  safe when breast feeding",
        "does  cause birth defects",
        "trying to conceive and on",
        "怀孕了能吃 吗",
        "哺乳期可以用 吗",
    ],
    A.CHILDREN: [
        "can kids have",
        " for my 3 year old son",
        "is  ok for babies",
        "宝宝发烧能吃 吗",
        "小儿可以用 吗",
    ],
    A.ELDERLY: ["is  ok for the elderly", "老年人能吃 吗"],
    A.INTERACTIONS: [
        "can i take  with ?",
        "can you take  and  together",
        "do  and  mix?",
        "can i drink wine on",
        "is it ok to use  when taking",
        "what not to take with",
        "should i wean off  before starting ?",
        " 能和 一起吃吗",
        "吃 可以喝酒吗",
        " 和 同时吃行吗",
    ],
    A.STORAGE: [
        "how should i store",
        "does  need to be in the fridge",
        "my  expired last month",
        "left  out overnight",
        " 要放冰箱吗",
        " 过期了",
    ],
    A.CONTRAINDICATIONS: [
        "who should not take",
        "contraindications of",
        "is  safe for people with gout",
        "哪些人不宜服用",
        " 的禁忌",
    ],
    A.ADVERSE_REACTIONS: [
        "side effects of",
        "does  make you sleepy",
        "weight gain on",
        "is  addictive?",
        "can  cause a rash",
        "how does  affect your stomach",
        "what happens when you take  long term",
        " 有什么副作用",
        "吃 会上瘾吗",
        " 伤肝吗",
    ],
    A.DOSAGE: [
        "how much  should i take",
        "how often can i take",
        "how many mg of  a day",
        "how to take",
        "i missed a dose of",
        "how long should i take",
        "do i take  with or without food",
        "how to come off",
        "can i just stop taking",
        "what time should i take",
        "can i crush",
        "how to inject",
        " 一天吃几次",
        " 饭前还是饭后吃",
        " 怎么吃",
        " 能停药吗",
    ],
    A.INDICATIONS: [
        "what is  used for",
        "what is  for?",
        "why was i given",
        "why take",
        "what does  treat",
        "does  help with headaches",
        "which medicine is good for a dry cough",
        " 治什么病",
        "感冒吃什么药",
        "头痛用什么药好",
        "为什么要吃",
    ],
    A.COMPOSITION: [
        "what is in",
        "ingredients of",
        "does  contain lactose",
        "what color is  30 mg",
        "what does  look like",
        "is  gluten free",
        " 的成分是什么",
        " 有哪些规格",
    ],
    A.PHARMACOLOGY: [
        "how does  work",
        " how it works",
        "how fast does  work",
        "how long does  stay in your system",
        "how long until  takes effect",
        "half life of",
        " 多久起效",
        " 的药理",
    ],
    A.PRECAUTIONS: [
        "can i drive on",
        "precautions with",
        "is  hard on the kidneys",
        "吃 有什么要注意的吗",
        "开车前吃了 ",
    ],
    A.DESCRIPTION: ["appearance of", " 的性状"],
}


@pytest.mark.parametrize(
    ("question", "attribute"), [(question, attribute) for attribute, some in TABLE.items() for question in some]
)
def test_the_first_attribute_is_the_one_asked_about(question: str, attribute: Attribute) -> None:
    assert asked_attributes(question)[:1] == [attribute]


@pytest.mark.parametrize("text", ["", "hello doctor", "my name is Ann", "你好", "\0😀", "避孕", "is it raining"])
def test_nothing_is_asked(text: str) -> None:
    assert asked_attributes(text) == []


def test_two_subjects_are_both_told() -> None:
    assert set(asked_attributes("side effects and storage of")) == {A.ADVERSE_REACTIONS, A.STORAGE}


@given(st.text())
def test_any_text_gives_each_attribute_at_most_once(text: str) -> None:
    found = asked_attributes(text)
    assert len(found) == len(set(found))


def test_the_asking_words_can_be_taken_out() -> None:
    assert without_cues("What can I take for hay fever", A.INDICATIONS).split() == ["hay", "fever"]


RIGHT = {
    "Dose": {A.DOSAGE, A.COMPOSITION},
    "Usage": {A.DOSAGE},
    "Usage/time": {A.DOSAGE},
    "Stopping/tapering": {A.DOSAGE, A.PRECAUTIONS},
    "Side effects": {A.ADVERSE_REACTIONS, A.PRECAUTIONS},
    "Indication": {A.INDICATIONS},
    "Interaction": {A.INTERACTIONS},
    "Action": {A.PHARMACOLOGY, A.INDICATIONS},
    "Action/time": {A.PHARMACOLOGY},
    "Ingredient": {A.COMPOSITION},
    "Appearance": {A.COMPOSITION, A.DESCRIPTION},
    "Storage and disposal": {A.STORAGE},
    "Overdose": {A.OVERDOSE},
    "Contraindication": {A.CONTRAINDICATIONS, A.PRECAUTIONS},
}


@pytest.mark.skipif(not QUESTIONS.exists(), reason="the consumer questions are not on this machine")
def test_real_questions_agree_with_their_annotated_type() -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    asked = [(r["question"].replace(r["medicine"].lower(), " "), RIGHT.get(r["question_type"])) for r in rows]
    agree = [bool(set(asked_attributes(text)[:1]) & right) for text, right in asked if right]
    assert sum(agree) > 0.72 * len(agree)
