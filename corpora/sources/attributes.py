"""Resolving what a source calls an attribute to the closed vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from ..medicines import Attribute as A

# Chinese headings as they occur on package leaflets, in monographs and in question sets.
CHINESE: Mapping[str, A] = MappingProxyType(
    {
        "适应证": A.INDICATIONS,
        "适应症状": A.INDICATIONS,
        "功能主治": A.INDICATIONS,
        "功能与主治": A.INDICATIONS,
        "作用类别": A.INDICATIONS,
        "用法与用量": A.DOSAGE,
        "用法": A.DOSAGE,
        "用量": A.DOSAGE,
        "禁忌症": A.CONTRAINDICATIONS,
        "禁忌证": A.CONTRAINDICATIONS,
        "副作用": A.ADVERSE_REACTIONS,
        "相互作用": A.INTERACTIONS,
        "配伍禁忌": A.INTERACTIONS,
        "注意": A.PRECAUTIONS,
        "警告": A.PRECAUTIONS,
        "存储方式": A.STORAGE,
        "储存方式": A.STORAGE,
        "贮存": A.STORAGE,
        "储存": A.STORAGE,
        "储藏": A.STORAGE,
        "贮藏方法": A.STORAGE,
        "有效期": A.STORAGE,
        "包装": A.STORAGE,
        "孕妇禁忌": A.PREGNANCY_LACTATION,
        "孕妇用药": A.PREGNANCY_LACTATION,
        "孕妇及哺乳期用药": A.PREGNANCY_LACTATION,
        "孕妇及哺乳期妇女禁忌": A.PREGNANCY_LACTATION,
        "哺乳期用药": A.PREGNANCY_LACTATION,
        "儿童禁忌": A.CHILDREN,
        "儿童用量": A.CHILDREN,
        "小儿用药": A.CHILDREN,
        "老年人禁忌": A.ELDERLY,
        "老年人用药": A.ELDERLY,
        "老年患者用药": A.ELDERLY,
        "过量": A.OVERDOSE,
        "药物过量处理": A.OVERDOSE,
        "警示": A.BOXED_WARNING,
        "黑框警告": A.BOXED_WARNING,
        "成分": A.COMPOSITION,
        "主要成份": A.COMPOSITION,
        "主要成分": A.COMPOSITION,
        "规格": A.COMPOSITION,
        "剂型": A.COMPOSITION,
        "药理作用": A.PHARMACOLOGY,
        "药理学": A.PHARMACOLOGY,
        "药理": A.PHARMACOLOGY,
        "毒理研究": A.PHARMACOLOGY,
        "药代动力学": A.PHARMACOLOGY,
        "药动学": A.PHARMACOLOGY,
        "作用机制": A.PHARMACOLOGY,
        "临床试验": A.PHARMACOLOGY,
        "外观": A.DESCRIPTION,
    }
)

# English words people write for an attribute that are neither our value, our label nor a section of openFDA.
ENGLISH: Mapping[str, A] = MappingProxyType(
    {
        "uses": A.INDICATIONS,
        "indication": A.INDICATIONS,
        "usage": A.INDICATIONS,
        "dose": A.DOSAGE,
        "administration": A.DOSAGE,
        "contraindication": A.CONTRAINDICATIONS,
        "side effects": A.ADVERSE_REACTIONS,
        "adverse effects": A.ADVERSE_REACTIONS,
        "adverse events": A.ADVERSE_REACTIONS,
        "interaction": A.INTERACTIONS,
        "cautions": A.PRECAUTIONS,
        "breastfeeding": A.PREGNANCY_LACTATION,
        "pediatric": A.CHILDREN,
        "paediatric": A.CHILDREN,
        "geriatric": A.ELDERLY,
        "older people": A.ELDERLY,
        "ingredients": A.COMPOSITION,
        "strength": A.COMPOSITION,
    }
)

# The vocabulary of openFDA drug labels: the text fields at https://open.fda.gov/apis/drug/label/searchable-fields/
# Within one attribute texts stand in this order: what answers a question first, long studies and leaflets last.
OPENFDA: Mapping[str, A] = MappingProxyType(
    {
        "boxed_warning": A.BOXED_WARNING,
        "indications_and_usage": A.INDICATIONS,
        "purpose": A.INDICATIONS,
        "dosage_and_administration": A.DOSAGE,
        "instructions_for_use": A.OTHER,
        "contraindications": A.CONTRAINDICATIONS,
        "do_not_use": A.CONTRAINDICATIONS,
        "warnings_and_cautions": A.PRECAUTIONS,
        "warnings": A.PRECAUTIONS,
        "precautions": A.PRECAUTIONS,
        "general_precautions": A.PRECAUTIONS,
        "user_safety_warnings": A.PRECAUTIONS,
        "ask_doctor": A.PRECAUTIONS,
        "when_using": A.PRECAUTIONS,
        "stop_use": A.PRECAUTIONS,
        "keep_out_of_reach_of_children": A.PRECAUTIONS,
        "use_in_specific_populations": A.PRECAUTIONS,
        "laboratory_tests": A.PRECAUTIONS,
        "drug_abuse_and_dependence": A.PRECAUTIONS,
        "controlled_substance": A.PRECAUTIONS,
        "abuse": A.PRECAUTIONS,
        "dependence": A.PRECAUTIONS,
        "other_safety_information": A.STORAGE,
        "safe_handling_warning": A.PRECAUTIONS,
        "risks": A.PREGNANCY_LACTATION,
        "environmental_warning": A.PRECAUTIONS,
        "information_for_owners_or_caregivers": A.OTHER,
        "adverse_reactions": A.ADVERSE_REACTIONS,
        "drug_interactions": A.INTERACTIONS,
        "ask_doctor_or_pharmacist": A.INTERACTIONS,
        "drug_and_or_laboratory_test_interactions": A.INTERACTIONS,
        "pregnancy": A.PREGNANCY_LACTATION,
        "pregnancy_or_breast_feeding": A.PREGNANCY_LACTATION,
        "teratogenic_effects": A.PREGNANCY_LACTATION,
        "nonteratogenic_effects": A.PREGNANCY_LACTATION,
        "labor_and_delivery": A.PREGNANCY_LACTATION,
        "lactation": A.PREGNANCY_LACTATION,
        "nursing_mothers": A.PREGNANCY_LACTATION,
        "females_and_males_of_reproductive_potential": A.PREGNANCY_LACTATION,
        "pediatric_use": A.CHILDREN,
        "geriatric_use": A.ELDERLY,
        "overdosage": A.OVERDOSE,
        "storage_and_handling": A.STORAGE,
        "how_supplied": A.STORAGE,
        "disposal_and_waste_handling": A.STORAGE,
        "active_ingredient": A.COMPOSITION,
        "dosage_forms_and_strengths": A.COMPOSITION,
        "inactive_ingredient": A.COMPOSITION,
        "components": A.COMPOSITION,
        "spl_product_data_elements": A.COMPOSITION,
        "description": A.DESCRIPTION,
        "mechanism_of_action": A.PHARMACOLOGY,
        "clinical_pharmacology": A.PHARMACOLOGY,
        "pharmacodynamics": A.PHARMACOLOGY,
        "pharmacokinetics": A.PHARMACOLOGY,
        "pharmacogenomics": A.PHARMACOLOGY,
        "microbiology": A.PHARMACOLOGY,
        "nonclinical_toxicology": A.PHARMACOLOGY,
        "carcinogenesis_and_mutagenesis_and_impairment_of_fertility": A.PHARMACOLOGY,
        "animal_pharmacology_and_or_toxicology": A.PHARMACOLOGY,
        "clinical_studies": A.PHARMACOLOGY,
        "information_for_patients": A.OTHER,
        "patient_medication_information": A.OTHER,
        "spl_patient_package_insert": A.OTHER,
        "spl_medguide": A.OTHER,
        "questions": A.OTHER,
        "route": A.OTHER,
        "recent_major_changes": A.OTHER,
        "references": A.OTHER,
        "spl_unclassified_section": A.OTHER,
    }
)

_NOT_LETTERS = re.compile(r"[\W_]+")


def resolve(name: str) -> A | None:
    """The attribute that `name` means: our values and labels, openFDA's section names, usual English and
    Chinese headings; brackets (`【禁忌】`), case, spaces and underscores do not matter. None if unknown."""
    return _by_key().get(_key(name))


def _key(name: str) -> str:
    return _NOT_LETTERS.sub("", name.casefold())


@cache
def _by_key() -> dict[str, A]:
    table = {_key(name): attribute for names in (OPENFDA, ENGLISH, CHINESE) for name, attribute in names.items()}
    for attribute in A:
        for name in (attribute.value, attribute.label, attribute.label_zh):
            table[_key(name)] = attribute
    return table
