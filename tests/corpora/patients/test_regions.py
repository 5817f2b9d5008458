"""The vocabulary of regions: Chest ImaGenome's 29 names, and how they lie in one another."""

from __future__ import annotations

from wardround.corpora.patients import Region

R = Region
NAMES = set(
    "right lung,right upper lung zone,right mid lung zone,right lower lung zone,right hilar structures,"
    "right apical zone,right costophrenic angle,right hemidiaphragm,left lung,left upper lung zone,left mid lung zone,"
    "left lower lung zone,left hilar structures,left apical zone,left costophrenic angle,left hemidiaphragm,trachea,"
    "spine,right clavicle,left clavicle,aortic arch,mediastinum,upper mediastinum,svc,cardiac silhouette,"
    "cavoatrial junction,right atrium,carina,abdomen".split(",")
)


def test_the_regions_are_those_of_chest_imagenome() -> None:
    assert {r.value for r in Region} == NAMES
    assert len(Region) == 29


def test_a_region_lies_on_the_side_that_its_name_says() -> None:
    assert R.LEFT_CLAVICLE.side == "left"
    assert R.RIGHT_APICAL_ZONE.side == "right"
    assert [r for r in Region if r.side is None and r.value.startswith("right")] == [R.RIGHT_ATRIUM]


def test_the_larger_region_is_on_the_same_side() -> None:
    assert all(r.parent is None or r.parent.side == r.side for r in Region)
    assert R.RIGHT_APICAL_ZONE.ancestors == (R.RIGHT_UPPER_LUNG_ZONE, R.RIGHT_LUNG)


def test_what_lies_in_a_region_is_the_other_direction_of_what_holds_it() -> None:
    for region in Region:
        assert all(region in inner.ancestors for inner in region.descendants)
    assert R.LEFT_COSTOPHRENIC_ANGLE in R.LEFT_LUNG.descendants


def test_the_other_side_and_the_neighbour_do_not_concern_a_region() -> None:
    assert R.LEFT_LOWER_LUNG_ZONE.related == {R.LEFT_LOWER_LUNG_ZONE, R.LEFT_LUNG, R.LEFT_COSTOPHRENIC_ANGLE}
