"""The report as a file; how it looks and works in a browser is tested in `tests/browser`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from invented_run import HOSTILE, invented_run
from wardround.errors import UserError
from wardround.evals.comparing import compare_runs
from wardround.evals.report import show_comparison, show_runs, show_summary, write_report
from wardround.evals.summary import summarize


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return invented_run(tmp_path_factory.mktemp("runs") / "one")


def test_the_file_reaches_out_to_nothing(run: Path, tmp_path: Path) -> None:
    text = write_report(run, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert re.findall(r"""(?:src|href|action)\s*=\s*["']?(?!data:|#)[^"'>\s]+""", text.split("<script")[0]) == []
    assert not re.search(r"@import|url\((?!data:)", text.split("</style>")[0])


def test_text_of_others_is_never_markup(run: Path, tmp_path: Path) -> None:
    text = write_report(run, tmp_path / "report.html").read_text(encoding="utf-8")
    assert HOSTILE[:20] not in text
    assert "onerror=" not in text


def test_only_its_owner_may_read_it(run: Path, tmp_path: Path) -> None:
    assert write_report(run, tmp_path / "report.html").stat().st_mode & 0o077 == 0


def test_traces_are_left_out_above_a_size_and_said_so(run: Path, tmp_path: Path) -> None:
    whole = write_report(run, tmp_path / "whole.html")
    small = write_report(run, tmp_path / "small.html", max_traces_mb=0.0)
    assert small.stat().st_size < whole.stat().st_size
    assert '"traces_left_out":40' in small.read_text(encoding="utf-8").replace(" ", "")


def test_a_trace_outside_of_the_folder_stays_there(run: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    (tmp_path / "secret.jsonl").write_text('{"event": "SECRET"}')
    results = (copy / "results.jsonl").read_text()
    (copy / "results.jsonl").write_text(re.sub(r'"trace":"[^"]+"', '"trace":"../secret.jsonl"', results))
    (copy / "results.idx").unlink()
    report = write_report(copy, tmp_path / "r.html", max_traces_mb=1)
    assert report.stat().st_size < write_report(run, tmp_path / "w.html").stat().st_size


def test_no_run_no_report(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run"):
        write_report(tmp_path)


def test_the_terminal_shows_figures_groups_and_failures(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(summarize(run), run)
    shown = capsys.readouterr().out
    assert "invented, invented: 40 examples, 4 failed" in shown
    assert re.search(r"accuracy +0\.600 +0\.\d+ to 0\.\d+ +40 +4", shown)
    assert re.search(r"dosage +20 ", shown)
    assert "failed 4: ModelUnavailable: no answer" in shown
    assert "note: Everything here is invented." in shown


def test_the_terminal_compares(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    better = invented_run(tmp_path / "two", right=9)
    show_comparison(compare_runs(run, better))
    assert "accuracy: B is higher by 30.0 points" in capsys.readouterr().out
    show_runs([(run, summarize(run)), (better, summarize(better))])
    assert "0.900" in capsys.readouterr().out
    show_runs([])
    assert "no runs here" in capsys.readouterr().out
