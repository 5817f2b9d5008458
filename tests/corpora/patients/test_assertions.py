"""Comparison, denial and doubt in sentences. All sentences are invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.corpora.patients.assertions import assertions

COMPARES = (
    "Unchanged left effusion.",
    "The effusion has grown since the prior film.",
    "The effusion has increased.",
    "Interval placement of a left chest tube.",
    "The opacity is again seen.",
    "New opacity at the right base.",
    "The right pneumothorax has resolved.",
    "The heart remains large.",
    "No interval change.",
    "Compared with the film of Monday, less oedema.",
    "The line has been removed.",
)
DOES_NOT = (
    "Small left effusion.",
    "Increased interstitial markings.",
    "Old healed rib fracture.",
    "No prior film for comparison.",
    "Recommend comparison with earlier films.",
    "No acute change of the bones.",
    "Chronic lung disease.",
    "The remaining bones are intact.",
    "Follow up to resolution is advised.",
)
NEGATED = (
    "No effusion.",
    "There is no pneumothorax or effusion.",
    "The lungs are clear, without consolidation.",
    "The heart is not enlarged.",
    "Negative for pneumonia.",
    "The effusion has resolved.",
    "Lungs are free of infiltrate.",
    "The pneumothorax is no longer seen.",
)
NOT_NEGATED = (
    "Small effusion, no pneumothorax.",
    "Cardiomegaly without oedema.",
    "The lungs are clear.",
    "Pneumonia cannot be excluded.",
    "No change of the effusion.",
    "The nodule is not seen on the lateral view.",
    "Low lung volumes without consolidation.",
    "Lung volumes are low, but no effusion is present.",
)
UNCERTAIN = (
    "The opacity may be pneumonia.",
    "Possible small effusion.",
    "Atelectasis versus pneumonia.",
    "Scarring or atelectasis at the left base.",
    "Findings suggest oedema.",
    "Fracture cannot be excluded.",
)
CERTAIN = (
    "Left pneumonia.",
    "No opacity to suggest pneumonia.",
    "Findings consistent with oedema.",
    "No effusion or pneumothorax.",
)


@pytest.mark.parametrize(("sentence", "expected"), [*((s, True) for s in COMPARES), *((s, False) for s in DOES_NOT)])
def test_comparison_with_an_earlier_film(sentence: str, expected: bool) -> None:
    assert assertions(sentence).compares is expected


@pytest.mark.parametrize(("sentence", "expected"), [*((s, True) for s in NEGATED), *((s, False) for s in NOT_NEGATED)])
def test_denial_of_all_findings(sentence: str, expected: bool) -> None:
    assert assertions(sentence).negated is expected


@pytest.mark.parametrize(("sentence", "expected"), [*((s, True) for s in UNCERTAIN), *((s, False) for s in CERTAIN)])
def test_doubt(sentence: str, expected: bool) -> None:
    assert assertions(sentence).uncertain is expected


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    assertions(text)
