"""The region gold: what ships is labels and places, they resolve, and the figures are what counting by hand gives."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from wardround.corpora.patients import Region
from wardround.errors import UserError
from wardround.evals.region_gold import SPLITS, Labels, Texts, read_gold, read_texts, score
from wardround.evals.region_gold.items import FOLDER

REPORTS = Path(__file__).parents[3] / "shared/data/openi_reports/reports_dev.jsonl"
FIELDS = {"report", "section", "start", "end", "stratum", "regions", "compares", "negated", "uncertain"}

GOLD = [gold for split in SPLITS for gold in read_gold(split)]


def _labels(*regions: Region, compares: bool = False, negated: bool = False, uncertain: bool = False) -> Labels:
    ordered = tuple(region for region in Region if region in regions)
    return Labels(regions=ordered, compares=compares, negated=negated, uncertain=uncertain)


@pytest.fixture(scope="module")
def texts() -> Texts:
    if not REPORTS.is_file():
        pytest.skip(f"no Open-i reports in {REPORTS}")
    return read_texts(REPORTS)


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_holds_as_many_as_the_card_says(split: str) -> None:
    gold = read_gold(split)
    assert len(gold) == SPLITS[split]
    strata = {"uniform": 60, "comparison": 30, "mixed": 20, "region": 40, "negation": 30}
    assert Counter(g.stratum for g in gold) == ({"uniform": 120} if split == "fresh" else strata)


def test_the_counts_of_the_card_are_those_of_the_files() -> None:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    for name in ("compares", "negated", "uncertain"):
        dev, test, fresh = (sum(getattr(gold, name) for gold in read_gold(split)) for split in SPLITS)
        assert f"| `{name}` | {dev} | {test} | {fresh} |" in card
    dev, test, fresh = (sum(len(gold.regions) for gold in read_gold(split)) for split in SPLITS)
    assert f"| regions | {dev} | {test} | {fresh} |" in card


def test_a_report_gives_one_sentence_at_most() -> None:
    assert len({gold.report for gold in GOLD}) == len(GOLD)


def test_every_region_occurs() -> None:
    assert {region for gold in GOLD for region in gold.regions} == set(Region)


def test_no_text_ships() -> None:
    for split in SPLITS:
        for line in (FOLDER / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            assert set(row) == FIELDS
            assert re.fullmatch(r"CXR\d+", row["report"])


def test_the_card_quotes_no_labelled_sentence(texts: Texts) -> None:
    card = " ".join(_words((FOLDER / "CARD.md").read_text(encoding="utf-8")))
    for gold in GOLD:
        words = _words(gold.sentence(texts))
        runs = [" ".join(words[i : i + 5]) for i in range(len(words) - 4)]
        assert not [run for run in runs if f" {run} " in f" {card} "]


def _words(text: str) -> list[str]:
    return re.findall("[a-z]+", text.lower())


def test_places_are_whole_sentences(texts: Texts) -> None:
    for gold in GOLD:
        section = texts[gold.report][gold.section]
        sentence = gold.sentence(texts)
        assert sentence == sentence.strip()
        assert section[: gold.start].strip()[-1:] in ("", ".", "?", "!"), gold.where
        assert gold.end == len(section) or sentence[-1] in ".?!", gold.where


def test_no_sentence_stands_there_twice(texts: Texts) -> None:
    sentences = Counter(" ".join(_words(gold.sentence(texts))) for gold in GOLD)
    assert max(sentences.values()) == 1


def test_a_place_that_the_reports_lack_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=rf"`{GOLD[0].where}`"):
        GOLD[0].sentence({GOLD[0].report: {"findings": "Short.", "impression": ""}})


@pytest.mark.parametrize(
    "change",
    [
        {"regions": ["left kidney"]},
        {"regions": ["left lung", "right lung"]},
        {"regions": ["spine", "spine"]},
        {"start": 9, "end": 9},
        {"section": "indication"},
        {"text": "Normal chest."},
    ],
    ids=str,
)
def test_a_broken_line_is_named(change: dict[str, object], tmp_path: Path) -> None:
    rows = [gold.model_dump(mode="json") for gold in GOLD[:3]]
    rows[1].update(change)
    (tmp_path / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(UserError, match=r"dev\.jsonl:2"):
        read_gold("dev", tmp_path)


def test_a_split_that_is_none() -> None:
    with pytest.raises(UserError, match="`train` is no split"):
        read_gold("train")


def test_reports_without_a_section_are_the_users_mistake(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    path.write_text('{"id": "CXR1", "findings": "Clear."}\n', encoding="utf-8")
    with pytest.raises(UserError, match="`impression` is no text"):
        read_texts(path)


def test_figures_are_those_counted_by_hand() -> None:
    right, left, heart = Region.RIGHT_LUNG, Region.LEFT_LUNG, Region.CARDIAC_SILHOUETTE
    gold = [_labels(right, left, negated=True), _labels(heart, compares=True), _labels(), _labels(left, negated=True)]
    found = [_labels(right, negated=True), _labels(heart, right), _labels(heart, negated=True), _labels(left)]
    scores = score(gold, found)
    assert scores.regions.gold == 4
    assert scores.regions.precision.value == pytest.approx(3 / 5)
    assert scores.regions.recall.value == pytest.approx(3 / 4)
    assert scores.regions.f1.value == pytest.approx(2 / 3)
    assert scores.negated.f1.value == pytest.approx(1 / 2)
    assert (scores.compares.precision.value, scores.compares.recall.value) == (None, 0.0)
    assert scores.uncertain.f1.value is None


def test_an_interval_holds_its_value_and_narrows_with_more_sentences() -> None:
    gold = [_labels(negated=True), _labels(negated=True), _labels(), _labels(negated=True)]
    found = [_labels(negated=True), _labels(), _labels(negated=True), _labels(negated=True)]
    few, many = (score(gold * times, found * times).negated.f1 for times in (5, 50))
    assert few.value == many.value == pytest.approx(2 / 3)
    assert few.ci is not None
    assert many.ci is not None
    assert few.ci[0] < many.ci[0] < 2 / 3 < many.ci[1] < few.ci[1]


def test_what_is_all_right_is_not_called_certain() -> None:
    gold = [_labels(negated=True)] * 10
    ci = score(gold, gold).negated.f1.ci
    assert ci is not None
    assert ci[0] < 0.8 < ci[1] == 1.0


def test_the_gold_found_by_itself_is_all_right() -> None:
    scores = score(GOLD, GOLD)
    assert [kind.f1.value for kind in scores] == [1.0] * 4


def test_two_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 sentences and 1"):
        score(GOLD[:2], GOLD[:1])
