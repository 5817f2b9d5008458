"""Regions that sentences and questions name. All sentences are invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardround.corpora.patients import Region, asked_regions, regions_in

BOTH_LUNGS = "right lung, left lung"
SENTENCES = {
    "Haziness at the left base.": "left lower lung zone",
    "The right CP angle is sharp.": "right costophrenic angle",
    "The cardiomediastinal silhouette is normal.": "mediastinum, cardiac silhouette",
    "Clear lungs.": BOTH_LUNGS,
    "Both apices are scarred.": "right apical zone, left apical zone",
    "Right upper and left lower lobe opacities.": "right upper lung zone, left lower lung zone",
    "Small left effusion.": "left costophrenic angle",
    "Retrocardiac opacity.": "left lower lung zone",
    "Biapical scarring, bibasilar atelectasis.": "right lower lung zone, right apical zone, left lower lung zone, "
    "left apical zone",
    "No pneumothorax.": BOTH_LUNGS,
    "Small right apical pneumothorax.": "right apical zone",
    "The line ends in the lower SVC.": "svc",
    "The tip lies at the cavoatrial junction.": "cavoatrial junction",
    "The tube ends 4 cm above the carina.": "carina",
    "The trachea is midline.": "trachea",
    "Dextroscoliosis of the thoracic spine.": "spine",
    "Healed fracture of the left clavicle.": "left clavicle",
    "The aortic knob is calcified.": "aortic arch",
    "Right paratracheal stripe is thick.": "upper mediastinum",
    "Elevated right hemidiaphragm.": "right hemidiaphragm",
    "No free air below the diaphragm.": "right hemidiaphragm, left hemidiaphragm, abdomen",
    "Effusion and atelectasis in the left lower lobe.": "left lower lung zone, left costophrenic angle",
    "The lungs are clear without effusion.": "right lung, right costophrenic angle, left lung, left costophrenic angle",
    "Bilateral effusions, right greater than left.": "right costophrenic angle, left costophrenic angle",
    "Prominent hila.": "right hilar structures, left hilar structures",
    "Left suprahilar mass.": "left hilar structures",
    "Opacity in the lingula.": "left mid lung zone, right mid lung zone",
    "Aortic valve replacement.": "cardiac silhouette",
    "The CT of the abdomen is pending.": "",
    "The bones are intact.": "",
    "": "",
}


@pytest.mark.parametrize(("sentence", "names"), SENTENCES.items())
def test_a_sentence_names_its_regions(sentence: str, names: str) -> None:
    assert {r.value for r in regions_in(sentence)} == set(filter(None, names.split(", ")))


@pytest.mark.parametrize("region", Region)
def test_the_name_of_a_region_names_it(region: Region) -> None:
    assert regions_in(f"The {region.value} is normal.") == (region,)


@given(st.text(max_size=300))
def test_any_text_gives_regions_in_their_order(text: str) -> None:
    found = regions_in(text)
    assert list(found) == [r for r in Region if r in found]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How has the left lower lung zone changed between the two films?", ["left lower lung zone"]),
        ("What happened to the effusion at the left base?", ["left costophrenic angle"]),
        ("Did the right lung apex change?", ["right apical zone"]),
        ("Is the cardiac silhouette larger?", ["cardiac silhouette"]),
        ("As for the left lung, how did the pleural effusion change?", ["left costophrenic angle"]),
        ("How do the right and left lungs compare?", ["right lung", "left lung"]),
        ("Is there any change?", []),
    ],
)
def test_a_question_asks_about_the_most_precise_region(question: str, names: list[str]) -> None:
    assert [r.value for r in asked_regions(question)] == names
