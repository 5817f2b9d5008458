"""Sections of reports, and whole reports from their text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from wardround.corpora.patients import Region, SectionName, read_report, report_of
from wardround.corpora.patients.sections import sections_of

S = SectionName


def parts(text: str) -> list[tuple[SectionName, str]]:
    return [(s.name, " ".join(text[s.start : s.end].split())) for s in sections_of(text)]


def test_a_report_with_headings() -> None:
    text = (
        "                    FINAL REPORT\n EXAMINATION:  CHEST\n \n INDICATION:  Cough.\n \n COMPARISON:  None.\n \n"
        " FINDINGS: \n \n Clear.\n \n The heart\n is big.\n \n IMPRESSION:  \n \n Big heart.\n"
    )
    assert parts(text) == [
        (S.EXAMINATION, "CHEST"),
        (S.INDICATION, "Cough."),
        (S.COMPARISON, "None."),
        (S.FINDINGS, "Clear. The heart is big."),
        (S.IMPRESSION, "Big heart."),
    ]


def test_an_unheaded_paragraph_after_the_comparison_is_findings() -> None:
    assert parts("COMPARISON:  ___.\n \n Clear lungs.\n\nNo effusion.\n \n IMPRESSION:  Normal.") == [
        (S.COMPARISON, "___."),
        (S.FINDINGS, "Clear lungs. No effusion."),
        (S.IMPRESSION, "Normal."),
    ]


def test_a_report_without_headings_is_findings() -> None:
    assert parts("Clear lungs. No effusion.") == [(S.FINDINGS, "Clear lungs. No effusion.")]


def test_headings_that_hospitals_make_of_the_examination_hold_findings() -> None:
    assert parts("AP CHEST, 5 A.M.:  Clear.\n\nCONCLUSION: Normal.") == [
        (S.FINDINGS, "Clear."),
        (S.IMPRESSION, "Normal."),
    ]


def test_addenda_and_wet_readings_are_neither_findings_nor_impression() -> None:
    text = "WET READ: 9:04 AM\n No effusion.\n________\n FINAL REPORT\n FINDINGS: Clear.\n\nADDENDUM: Later it grew."
    assert [name for name, _ in parts(text)] == [S.OTHER, S.FINDINGS, S.OTHER]


@given(st.text(max_size=300))
def test_sections_lie_in_the_text_one_after_the_other(text: str) -> None:
    last = 0
    for section in sections_of(text):
        assert last <= section.start < section.end <= len(text)
        last = section.end


def test_sentences_are_tagged_in_findings_and_impression_only() -> None:
    report = read_report("INDICATION: Left effusion?\n\nFINDINGS: Left\n effusion, unchanged.")
    assert [(s.section, s.regions, s.compares) for s in report.sentences] == [
        (S.INDICATION, (), False),
        (S.FINDINGS, (Region.LEFT_COSTOPHRENIC_ANGLE,), True),
    ]
    assert report.sentences[1].text == "Left\n effusion, unchanged."


def test_sections_that_are_apart_become_one_report() -> None:
    report = report_of({S.FINDINGS: "Clear lungs.", S.IMPRESSION: " Normal. "})
    assert report.text == "FINDINGS: Clear lungs.\n\nIMPRESSION: Normal."
    assert [report.text[s.start : s.end] for s in report.sections] == ["Clear lungs.", "Normal."]


def test_regions_of_a_better_source_replace_our_own() -> None:
    tagged = {"There is haze.": frozenset({"left lung"}), "Big heart. No failure.": frozenset({"cardiac silhouette"})}
    report = read_report("There is\n haze. Big heart. Clear right lung.", tagged=tagged)
    assert [s.regions for s in report.sentences] == [
        (Region.LEFT_LUNG,),
        (Region.CARDIAC_SILHOUETTE,),
        (Region.RIGHT_LUNG,),
    ]
