"""A real child process with a grandchild, in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from wardround.errors import ModelUnavailable, UserError
from wardround.models.servers.child import Child

SERVER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("grandchild", child.pid, flush=True)
time.sleep(60)
"""


def child(tmp_path: Path, code: str, **environment: str) -> Child:
    return Child([sys.executable, "-c", code], environment=environment, log=tmp_path / "log")


def until(holds: Callable[[], bool], most_s: float = 15.0) -> bool:
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def runs(pid: int) -> bool:
    """Whether it runs; one that has ended and that nobody asked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def grandchild(log: Path) -> int:
    assert until(lambda: log.exists() and "grandchild" in log.read_text())
    return int(log.read_text().split()[1])


def test_at_the_end_nothing_of_the_group_is_left(tmp_path: Path) -> None:
    with child(tmp_path, SERVER) as running:
        pids = [running.pid, grandchild(tmp_path / "log")]
        assert all(map(runs, pids))
    assert not any(map(runs, pids))


def test_one_that_will_not_go_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardround.models.servers.child._END_S", 0.5)
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    with child(tmp_path, stubborn) as running:
        assert until(lambda: bool(running.last_lines()))
    assert not runs(running.pid)


def test_when_its_starter_is_killed_the_group_ends_too(tmp_path: Path) -> None:
    starter = (
        "import sys, time; from pathlib import Path; from wardround.models.servers.child import Child\n"
        f"running = Child([sys.executable, '-c', {SERVER!r}], environment={{}}, log=Path({str(tmp_path / 'log')!r}))\n"
        "print(running.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(process.stdout.readline()), grandchild(tmp_path / "log")]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert until(lambda: not any(map(runs, pids)))


def test_it_waits_until_ready_and_tells_what_was_printed(tmp_path: Path) -> None:
    told: list[str] = []
    with child(tmp_path, "import time; print('one'); print('two', flush=True); time.sleep(60)") as running:
        running.wait_ready(lambda: "two" in told, most_s=20, progress=lambda line, _: told.append(line))
    assert [line for line in told if line] == ["one", "two"]
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_one_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    with child(tmp_path, "import time; time.sleep(60)") as running, pytest.raises(ModelUnavailable, match="--wait"):
        running.wait_ready(lambda: False, most_s=0.5)


@pytest.mark.parametrize(
    ("printed", "kind", "said"),
    [
        ("ValueError: nonsense", ModelUnavailable, r"stopped with code 3 \(ValueError: nonsense\)"),
        ("torch.OutOfMemoryError: CUDA out of memory", UserError, "free memory, or lower `--context`"),
        ("KeyError: 'invalid tool call parser: x'", UserError, "`--tool-parser`"),
        ("api_server.py: error: unrecognized arguments: --x", UserError, "does not know the option"),
        ("/usr/bin/python: Error: No module named vllm", UserError, "make vllm-env"),
        ("OSError: a\nRuntimeError: Engine core failed. See root cause above.", ModelUnavailable, r"\(OSError: a\)"),
    ],
)
def test_an_early_end_says_why(tmp_path: Path, printed: str, kind: type[Exception], said: str) -> None:
    with child(tmp_path, f"print({printed!r}); exit(3)") as running:
        with pytest.raises(kind, match=said) as ended:
            running.wait_ready(lambda: False, most_s=20)
        assert "\n" not in str(ended.value)


def test_settings_of_wardround_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDROUND_API_KEY", "the-key-of-the-clients")
    code = "import os; print(sorted(n for n in os.environ if n in ('WARDROUND_API_KEY', 'GIVEN', 'PATH')), flush=True)"
    with child(tmp_path, code, GIVEN="1") as running:
        assert until(lambda: bool(running.last_lines()))
        assert running.last_lines() == ["['GIVEN', 'PATH']"]


def test_a_program_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be run"):
        Child([str(tmp_path / "absent")], environment={}, log=tmp_path / "log")
