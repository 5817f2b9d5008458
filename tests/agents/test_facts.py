from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.agents.facts import Fact, FactKind, attribute_for, stated_facts
from wardround.corpora.medicines import Attribute

CASES: list[tuple[str, list[str]]] = [
    ("I'm pregnant, can I take ibuprofen?", ["pregnant"]),
    ("i am 8 weeks pregnant", ["pregnant"]),
    ("My wife is pregnant and has a cold", ["pregnant"]),
    ("my sister is 5 months pregnant", ["pregnant"]),
    ("we're expecting a baby in May", ["pregnant"]),
    ("I'm not pregnant", []),
    ("I am no longer pregnant", []),
    ("is it safe in pregnancy?", []),
    ("can pregnant women take it?", []),
    ("what if I am pregnant?", []),
    ("Am I pregnant?", []),
    ("I am breastfeeding my son", ["breastfeeding"]),
    ("I'm a nursing mother", ["breastfeeding"]),
    ("my partner is nursing", ["breastfeeding"]),
    ("I work in a nursing home", []),
    ("is it okay while breastfeeding?", []),
    ("I stopped breastfeeding in May", []),
    ("We are trying to conceive", ["trying_to_conceive"]),
    ("I'm planning to get pregnant", ["trying_to_conceive"]),
    ("my 3 year old has a fever", ["child:3 years"]),
    ("My son is 6 years old", ["child:6 years"]),
    ("for a 10 month old baby", ["child:10 months"]),
    ("my two-year-old has a cough", ["child:2 years"]),
    ("my toddler has a rash", ["child"]),
    ("Is it safe for children?", []),
    ("children can take it", []),
    ("I have two children and a headache", []),
    ("I'm 72", ["older_person:72 years"]),
    ("my father is 80 years old", ["older_person:80 years"]),
    ("I am 45 years old", []),
    ("I'm 30 and healthy", []),
    ("my elderly mother fell", ["older_person"]),
    ("I have kidney disease", ["kidney_disease"]),
    ("my dad has stage 4 chronic kidney disease", ["kidney_disease"]),
    ("I'm on dialysis", ["kidney_disease"]),
    ("I have no kidney problems", []),
    ("can it cause kidney failure?", []),
    ("I've got cirrhosis", ["liver_disease"]),
    ("he has hepatitis C", ["liver_disease"]),
    ("does it damage the liver?", []),
    ("I don't have liver disease", []),
    ("I'm allergic to penicillin", ["allergy:penicillin"]),
    ("I have a sulfa allergy", ["allergy:sulfa"]),
    ("she is allergic to codeine and aspirin", ["allergy:codeine and aspirin"]),
    ("I'm not allergic to anything", []),
    ("I am not allergic to penicillin", []),
    ("can I be allergic to it?", []),
    ("I'm on warfarin", ["other_medicine:warfarin"]),
    ("I am taking lisinopril for blood pressure", ["other_medicine:lisinopril"]),
    ("I take 20 mg of omeprazole every morning", ["other_medicine:omeprazole"]),
    ("my mother takes metformin and lisinopril", ["other_medicine:metformin and lisinopril"]),
    ("I'm currently using a salbutamol inhaler", ["other_medicine:salbutamol inhaler"]),
    ("Can I take ibuprofen with aspirin?", []),
    ("I'm not taking warfarin", []),
    ("I stopped taking sertraline", []),
    ("I am on vacation", []),
    ("I'm on my period", []),
    ("should I take it with food", []),
    ("I had three beers tonight", ["alcohol"]),
    ("I drink wine every night", ["alcohol"]),
    ("I drink a lot of water", []),
    ("I don't drink alcohol", []),
    ("can I drink alcohol with it?", []),
    ("I'm a truck driver", ["driving"]),
    ("I have to drive tomorrow", ["driving"]),
    ("can I drive after it?", []),
    ("I have asthma", ["asthma"]),
    ("my daughter is asthmatic", ["asthma"]),
    ("is it used for asthma?", []),
    ("I'm a type 2 diabetic", ["diabetes"]),
    ("I was diagnosed with heart failure", ["heart_failure"]),
    ("I have high blood pressure", ["high_blood_pressure"]),
    ("my son has G6PD deficiency", ["g6pd"]),
    ("I have narrow-angle glaucoma", ["glaucoma"]),
    ("I've had a stomach ulcer", ["stomach_ulcer"]),
    ("I have gout", ["gout"]),
    ("I have kidney disease and I'm on warfarin", ["kidney_disease", "other_medicine:warfarin"]),
    ("我怀孕了，能吃布洛芬吗？", ["pregnant"]),
    ("老婆怀孕3个月，感冒了", ["pregnant"]),
    ("没有怀孕", []),
    ("孕妇能吃吗？", []),
    ("会不会怀孕？", []),
    ("我在哺乳期，嗓子疼", ["breastfeeding"]),
    ("不在哺乳期", []),
    ("正在备孕", ["trying_to_conceive"]),
    ("宝宝8个月大，发烧", ["child:8 months"]),
    ("孩子3岁了", ["child:3 years"]),
    ("十二岁的女儿", ["child:12 years"]),
    ("儿童可以吃吗", []),
    ("我今年70岁", ["older_person:70 years"]),
    ("今年35岁", []),
    ("我有肾功能不全", ["kidney_disease"]),
    ("肾没有问题", []),
    ("没有肾病", []),
    ("我有乙肝", ["liver_disease"]),
    ("我对青霉素过敏", ["allergy:青霉素"]),
    ("没有青霉素过敏", []),
    ("我在吃华法林", ["other_medicine:华法林"]),
    ("平时吃着二甲双胍", ["other_medicine:二甲双胍"]),
    ("没有在吃药", []),
    ("昨晚喝了酒", ["alcohol"]),
    ("不喝酒", []),
    ("我要开车", ["driving"]),
    ("我有哮喘和青光眼", ["asthma", "glaucoma"]),
    ("治疗哮喘的药有哪些", []),
    ("有糖尿病", ["diabetes"]),
    ("没有糖尿病、高血压", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_states(text: str, expected: list[str]) -> None:
    found = [f"{fact.kind}:{fact.detail}" if fact.detail else str(fact.kind) for fact in stated_facts([text])]
    assert sorted(found) == sorted(expected)


def test_a_fact_told_twice_comes_once() -> None:
    assert len(stated_facts(["I'm pregnant.", "As I said, I'm pregnant."])) == 1


def test_every_kind_is_looked_up_somewhere() -> None:
    for kind in FactKind:
        attribute, keywords = attribute_for(Fact(kind=kind, detail="warfarin", quote=""))
        assert keywords
        assert attribute is not Attribute.OTHER


def test_another_medicine_is_looked_up_by_its_name() -> None:
    assert attribute_for(stated_facts(["I'm on warfarin"])[0]) == (Attribute.INTERACTIONS, "warfarin")


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    assert all(fact.quote for fact in stated_facts([text]))
