"""Training in processes of its own: one, or several that share the work of each step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from ..quiet import inherited

_MAIN: Final = "from wardround.cli import main; main()"


def launch(arguments: Sequence[str], *, processes: int) -> int:
    """Run `wardround ARGUMENTS` in `processes` processes that find each other, and return the exit code.

    PyTorch's threads spin while they wait for each other, which on a machine that does something else besides costs
    more than it gives; in a process of its own that can be turned off before PyTorch is loaded. Several processes get
    one share of the cores each.
    """
    command = [sys.executable, "-c", _MAIN, *arguments]
    defaults = {"OMP_WAIT_POLICY": "PASSIVE"}
    if processes > 1:
        defaults["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // processes))
        together = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        command = [*together, "--no-python", *command]
    try:
        return subprocess.run(command, env=inherited(settings=True, **defaults), check=False).returncode  # noqa: S603 -- ourselves
    except KeyboardInterrupt:
        return 130
