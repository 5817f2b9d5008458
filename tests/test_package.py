"""What a user installs: a wheel with every package and its data, and nothing else. Built in a copy of the tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
NOT_SHIPPED = {"tests", "perf", "examples", "docs", "deploy"}
LEFTOVERS = ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree without what tools leave behind."""
    return Path(copytree(ROOT, tmp_path_factory.mktemp("a-b.c") / "source", ignore=LEFTOVERS))


@pytest.fixture(scope="module")
def wanted(source: Path) -> set[str]:
    """The files that belong into the package; looked up before the build adds its own."""
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    return {file.as_posix() for file in files if _ships(file)}


@pytest.fixture(scope="module")
def site(source: Path, wanted: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001 -- see there
    """A folder into which the wheel was unpacked; the environment has its dependencies."""
    built, folder = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(source)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


def _ships(path: Path) -> bool:
    """Whether a file of the tree belongs into the package: all below the folders that are not set apart, and code."""
    if len(path.parts) == 1:
        return path.suffix == ".py" or path.name == "py.typed"
    return path.parts[0] not in NOT_SHIPPED


def _python(site: Path, code: str, *arguments: str) -> str:
    """What `code` prints with the unpacked wheel before everything else on the path."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=site,
        env={"PYTHONPATH": str(site), "PATH": "", "HOME": str(site), "COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_packages_and_their_data_and_nothing_else(wanted: set[str], site: Path) -> None:
    package = site / "wardround"
    files = {path.relative_to(package) for path in package.rglob("*") if path.is_file()}
    assert {file.as_posix() for file in files if "__pycache__" not in file.parts} == wanted


def test_the_wheel_brings_one_name(site: Path) -> None:
    assert {path.name for path in site.iterdir() if path.suffix != ".dist-info"} == {"wardround"}


def test_every_module_of_the_wheel_can_be_imported(site: Path) -> None:
    code = (
        "import pkgutil, importlib, wardround\n"
        "for module in pkgutil.walk_packages(wardround.__path__, 'wardround.'):\n"
        "    print(importlib.import_module(module.name).__file__)\n"
    )
    files = [Path(line) for line in _python(site, code).splitlines()]
    assert files
    assert all(file.is_relative_to(site) for file in files)


def test_importing_wardround_loads_nothing_heavy(site: Path) -> None:
    code = "import sys, wardround; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in _python(site, code).split()}
    assert not loaded & {"torch", "transformers", "chromadb", "langgraph", "langchain_core", "openai", "numpy"}


def test_help_prints(site: Path) -> None:
    printed = _python(site, "from wardround.cli import main; main()", "--help")
    assert "consult" in printed
