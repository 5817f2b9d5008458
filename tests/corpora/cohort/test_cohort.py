"""The synthetic cohort: courses, reports and questions agree, and the same seed gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from wardround.corpora.cohort import Cohort, make_cohort, write_cohort
from wardround.corpora.cohort.anatomy import REGION_BOXES
from wardround.corpora.cohort.findings import BY_NAME
from wardround.corpora.cohort.patients import patient
from wardround.corpora.cohort.questions import TYPES, tally
from wardround.corpora.patients import Patient, Region, read_report
from wardround.errors import UserError

SEED = 11


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_cohort(150, SEED)


def test_patients_have_two_to_six_films_in_order_and_findings_that_develop(cohort: Cohort) -> None:
    for one in cohort.patients:
        times = [film.at for film in one.who.films]
        assert 2 <= len(times) <= 6
        assert times == sorted(times)
        assert len(set(times)) == len(times)
        assert all(set(track.severities) <= {0, 1, 2, 3} and any(track.severities) for track in one.who.tracks)
        assert len({track.region for track in one.who.tracks}) == len(one.who.tracks)
    developing = [t for one in cohort.patients for t in one.who.tracks if len(set(t.severities)) > 1]
    assert len(developing) > len(cohort.patients)


def test_every_region_is_one_of_chest_imagenome() -> None:
    assert set(REGION_BOXES) == {region.value for region in Region}
    for kind in BY_NAME.values():
        for place in kind.places:
            assert {Region(place.format(side=side)) for side in ("left", "right")}


def test_a_report_states_every_finding_as_it_is(cohort: Cohort) -> None:
    for one in cohort.patients:
        for film, told in enumerate(one.reports):
            for track in one.who.tracks:
                said = told.about(track.region).lower()
                now = track.severities[film]
                grades = [grade for grade in BY_NAME[track.kind].grades if re.search(rf"\b{grade}\b", said)]
                assert grades == ([BY_NAME[track.kind].grades[now - 1]] if now else []), said
                assert now or re.search(r"\bno\b|resolved|cleared|no longer", said), said


def test_comparisons_say_what_happened(cohort: Cohort) -> None:
    for one in cohort.patients:
        for film, told in enumerate(one.reports):
            for sentence in told.findings:
                if sentence.compares is None or sentence.static:
                    continue
                assert sentence.kind
                assert sentence.region
                kind = BY_NAME[sentence.kind]
                change = one.who.severity(kind.name, sentence.region, film) - one.who.severity(
                    kind.name, sentence.region, sentence.compares
                )
                words = [w.removeprefix("is ").removeprefix("has ") for w in (kind.more if change > 0 else kind.less)]
                if change > 0:
                    words.append("new")
                elif change < 0:
                    words += ["resolved", "no longer seen", "cleared"]
                else:
                    words = ["unchanged", "stable", "not significantly changed", "not changed"]
                assert any(word in sentence.text for word in words), (change, sentence)


def test_some_reports_compare_with_a_still_earlier_film_and_say_its_date(cohort: Cohort) -> None:
    stale = [
        (one.who.films[sentence.compares].at, sentence.text)
        for one in cohort.patients
        for film, told in enumerate(one.reports)
        for sentence in told.findings
        if sentence.compares is not None and sentence.compares < film - 1
    ]
    assert stale
    assert all(f"{at.day} {at:%B}" in text for at, text in stale)


def test_questions_are_balanced_and_their_right_option_is_the_truth(cohort: Cohort) -> None:
    for made in (cohort.train, cohort.test):
        counts = tally(made)
        assert set(counts["type"]) == set(TYPES)
        assert len(set(counts["type"].values())) == 1
        letters = counts["letter"].values()
        assert max(letters) - min(letters) <= 3
    assert 0.12 <= tally(cohort.train)["same direction"]["yes"] / len(cohort.train) <= 0.28
    films = {film.image: (one.who, n) for one in cohort.patients for n, film in enumerate(one.who.films)}
    for question in (*cohort.train, *cohort.test):
        who, now = films[question.cur_image_path]
        assert films[question.prior_image_path[0]] == (who, now - 1)
        track = next(t for t in who.tracks if t.region == question.related_region_name)
        change = track.severities[now] - track.severities[now - 1]
        assert question.content_type == ("worsen" if change > 0 else "improved" if change < 0 else "no change")
        assert BY_NAME[track.kind].short in question.options[question.answer]
        assert len(set(question.options.values())) == 4


def test_nobody_is_in_train_and_test(cohort: Cohort) -> None:
    subjects = [{re.search(r"p(\d{8})/", q.cur_image_path)[1] for q in made} for made in (cohort.train, cohort.test)]  # type: ignore[index]
    assert subjects[0].isdisjoint(subjects[1])
    assert all(subject.startswith("99") for subject in subjects[0] | subjects[1])


def test_the_longest_option_does_not_tell_the_answer(cohort: Cohort) -> None:
    longest = Counter(max(q.options, key=lambda letter, q=q: len(q.options[letter])) == q.answer for q in cohort.train)
    assert longest[True] / len(cohort.train) < 0.35


def test_a_patient_does_not_depend_on_how_many_there_are() -> None:
    few, many = make_cohort(5, SEED), make_cohort(10, SEED)
    assert few.patients[0] == many.patients[0] == many.train_patients[0]
    assert patient(SEED, 0) != patient(SEED + 1, 0)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    cohort = make_cohort(5, SEED)
    few = replace(cohort, train_patients=cohort.train_patients[:1], test_patients=())
    for name in ("a", "b"):
        write_cohort(few, tmp_path / name, sheets=True)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len([file for file in files if file.name == "film.png"]) == len(few.patients[0].who.films)
    assert len([file for file in files if file.parts[0] == "sheets"]) == 1
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    for line in (tmp_path / "a" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "a" / name).read_bytes()).hexdigest() == digest


def test_the_texts_are_those_of_every_machine(cohort: Cohort) -> None:
    """A change here changes what others have measured on the cohort: say so where figures are published."""
    lines = "\n".join(question.model_dump_json() for question in cohort.test)
    assert hashlib.sha256(lines.encode()).hexdigest()[:16] == "a2935cf0b663293e"


def test_the_card_says_what_it_is(tmp_path: Path) -> None:
    write_cohort(make_cohort(5, SEED), tmp_path / "c", images=False)
    card = (tmp_path / "c" / "README.md").read_text()
    assert "Nothing in this folder is about anybody" in card
    assert "No clinician has reviewed" in card
    assert "{" not in card
    assert not (tmp_path / "c" / "files").exists()


def test_records_are_patients_of_the_store(tmp_path: Path) -> None:
    write_cohort(make_cohort(5, SEED), tmp_path / "c", images=False)
    lines = (tmp_path / "c" / "records.jsonl").read_text().splitlines()
    read = [Patient.model_validate(json.loads(line)) for line in lines]
    assert len(read) == 5
    assert all(len(image.boxes) == len(Region) for one in read for study in one.studies for image in study.images)


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ask for at least 5"):
        make_cohort(4, SEED)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UserError, match="is not empty"):
        write_cohort(make_cohort(5, SEED), tmp_path / "full")


def test_what_reads_reports_finds_in_them_what_was_meant(cohort: Cohort) -> None:
    """Regions always; comparisons but for a few wordings."""
    compared = found = 0
    for one in cohort.patients[:50]:
        for told in one.reports:
            read = {sentence.text: sentence for sentence in read_report(told.text).sentences}
            for sentence in (*told.findings, *told.impression):
                tagged = read[sentence.text]
                if sentence.region and sentence.kind:
                    assert [region.value for region in tagged.regions] == [sentence.region], sentence.text
                if sentence.compares is not None:
                    compared += 1
                    found += tagged.compares
                elif not sentence.static:
                    assert not tagged.compares, sentence.text
    assert found / compared >= 0.97
