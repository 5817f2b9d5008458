"""The command that measures the tagger against the region gold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wardround.corpora.patients import Region
from wardround.evals.check_region_gold import main, tagged
from wardround.evals.region_gold import Labels, read_gold

REPORTS = Path(__file__).parents[3] / "shared/data/openi_reports/reports_dev.jsonl"


def test_the_tagger_says_what_a_plain_sentence_says() -> None:
    assert tagged("No pneumothorax in the right lung.") == Labels(
        regions=(Region.RIGHT_LUNG,), compares=False, negated=True, uncertain=False
    )


def _reports(folder: Path, sentence_of: dict[str, str]) -> Path:
    """Invented reports in which every place of the dev split exists; only the given ones have words."""
    path = folder / "reports.jsonl"
    rows: list[dict[str, str]] = []
    for gold in read_gold("dev"):
        text = " " * gold.start + sentence_of.get(gold.report, "").ljust(gold.end - gold.start)
        rows.append({"id": gold.report, "findings": "", "impression": "", gold.section: text})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_command_ends_with_1_where_a_figure_is_too_low(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--reports", str(_reports(tmp_path, {}))]) == 1
    shown = capsys.readouterr().out
    assert "dev: 180 sentences" in shown
    assert "wanted at least 0.90" in shown


def test_errors_are_shown_with_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = next(gold for gold in read_gold("dev") if gold.regions == (Region.SPINE,))
    main(["--reports", str(_reports(tmp_path, {wrong.report: "Big heart."})), "--errors"])
    shown = capsys.readouterr().out
    assert wrong.where in shown
    assert "missed spine" in shown
    assert "extra cardiac silhouette" in shown


def test_a_file_that_is_not_there_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--reports", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err


@pytest.mark.skipif(not REPORTS.is_file(), reason=f"no Open-i reports in {REPORTS}")
@pytest.mark.parametrize("split", ["dev", "test"])
def test_the_shipped_tagger_reaches_what_is_asked(split: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--reports", str(REPORTS), "--split", split]) == 0, capsys.readouterr().out
