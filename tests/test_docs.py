"""The code in README.md and docs runs.

- The ```python blocks of a file run from top to bottom as one program, in a folder that has `examples` as the clone
  does. A block whose first line is `# not run: REASON` is left out and reported as skipped with its reason.
  A program that needs a model which was not pulled is skipped.
- `<!-- run with NAME=VALUE -->` anywhere in the file sets an environment variable for it, so that
  a text can say `chat_model()` and its test need no model: `WARDROUND_MODEL=scripted:examples/scripts/FILE`.
- Every line with `wardround` in a ```console block names a command and options that exist.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?P<kind>python|console)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"\s*# not run: (?P<reason>\S.*)")
RUN_WITH = re.compile(r"<!-- run with (?P<name>\w+)=(?P<value>.*?) -->")
Where = tuple[Path, int]


def _blocks(path: Path, kind: str) -> list[tuple[int, str]]:
    """The blocks of one kind, each with the number of its first line."""
    text = path.read_text(encoding="utf-8")
    found = (match for match in BLOCK.finditer(text) if match["kind"] == kind)
    return [(text.count("\n", 0, match.start("body")) + 1, match["body"]) for match in found]


def _commands(body: str) -> list[list[str]]:
    """The arguments of every `wardround` in a console block, without prompt, variables, pipes and comments."""
    found: list[list[str]] = []
    for line in body.replace("\\\n", " ").splitlines():
        if "wardround" not in line:
            continue
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        while words and re.match(r"\w+=", words[0]):
            del words[0]
        if words and Path(words[0]).name == "wardround":
            end = next((n for n, word in enumerate(words) if set(word) <= set("|&;<>()")), len(words))
            found.append(words[1:end])
    return found


def _program(path: Path) -> str:
    """The file as a program: its Python blocks on the lines where they stand, so that a traceback points there."""
    lines: list[str] = []
    for start, body in _blocks(path, "python"):
        if not NOT_RUN.match(body):
            lines += [""] * (start - 1 - len(lines)) + body.splitlines()
    return "\n".join(lines)


PROGRAMS = [path for path in TEXTS if _program(path).strip()]
LEFT_OUT = [
    pytest.param(path, reason["reason"], id=f"{path.name}:{line}")
    for path in TEXTS
    for line, body in _blocks(path, "python")
    if (reason := NOT_RUN.match(body))
]
COMMANDS = [
    pytest.param(words, id=f"{path.name}: {' '.join(words)}")
    for path in TEXTS
    for _, body in _blocks(path, "console")
    for words in _commands(body)
]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_the_python_of_a_text_runs(path: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    program = tmp_path / f"{path.stem}.py"
    program.write_text(_program(path), encoding="utf-8")
    settings = {match["name"]: match["value"] for match in RUN_WITH.finditer(path.read_text(encoding="utf-8"))}
    done = subprocess.run(
        [sys.executable, program.name],
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "run `wardround models pull" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, f"{path.name} (the line numbers are its own)\n{done.stderr}"


@pytest.mark.parametrize(("path", "reason"), LEFT_OUT)
def test_python_that_is_not_run(path: Path, reason: str) -> None:
    pytest.skip(f"{path.name}: {reason}")


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_of_a_text_exists(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from wardround.cli import main

    # Options are read before `--help` is carried out, so an unknown one fails; nothing else happens.
    monkeypatch.setattr(sys, "argv", ["wardround", *words, "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
