from __future__ import annotations

import pytest
from wardround.agents.exempt import needs_no_citation

MAY_STAND = [
    "Are you pregnant?",
    "您怀孕了吗？",
    "Side effects:",
    "Possible interactions:",
    "How to take it:",
    "## Storage",
    "不良反应：",
    "Ask your doctor.",
    "Please ask your doctor or pharmacist before taking this medicine.",
    "Call your local emergency number immediately.",
    "If you have any questions, talk to your pharmacist.",
    "If you are not sure, ask your doctor.",
    "Ask your pharmacist whether it is safe for you.",
    "Tell your doctor if you are pregnant or breastfeeding.",
    "Seek medical help right away if symptoms get worse.",
    "请咨询医生或药师。",
    "如有不适，请立即就医。",
    "用药前请咨询您的医生。",
    "I found nothing about this in the database.",
    "I could not find any information on storage.",
    "No passages were found.",
    "The passages do not mention grapefruit.",
    "抱歉，我没有找到相关资料。",
    "资料中没有提及葡萄柚。",
    "- ",
    "2.",
]

MAY_NOT_STAND = [
    "It is safe.",
    "Ask your doctor, but stopping is fine.",
    "Ask your doctor and keep taking it.",
    "Continue taking it and see your doctor.",
    "Go on taking it and see your doctor.",
    "It is safe for you, ask your doctor.",
    "Stop taking this medicine and call your doctor.",
    "Call your doctor if it bleeds for long.",
    "Ask your doctor; warfarin thins the blood.",
    "You can stop it, right?",
    "Did you know that it cures colds?",
    "Why not double the dose?",
    "可以停药，对吧？",
    "Stop your warfarin now:",
    "可以加倍服用：",
    "I found nothing that speaks against taking it.",
    "I found nothing, so it is fine.",
    "I found no information about harm, so take it.",
    "The passages do not mention any maximum.",
    "I found no evidence of harm.",
    "没有找到资料，但可以服用。",
    "资料中没有提及风险。",
    "请咨询医生，停药也没关系。",
    "请继续服药并咨询医生。",
    "建议加倍服用并咨询医生。",
]


@pytest.mark.parametrize("sentence", MAY_STAND)
def test_may_stand_uncited(sentence: str) -> None:
    assert needs_no_citation(sentence)


@pytest.mark.parametrize("sentence", MAY_NOT_STAND)
def test_may_not_stand_uncited(sentence: str) -> None:
    assert not needs_no_citation(sentence)


def test_a_referral_may_name_a_medicine_that_is_known() -> None:
    assert needs_no_citation("Ask your doctor before taking ibuprofen.", names=["Ibuprofen"])
    assert not needs_no_citation("Ask your doctor before taking ibuprofen.")
