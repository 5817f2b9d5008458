"""A fresh interpreter after `import wardround`: which environment the packages below it see."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from wardround.quiet import DEFAULTS, TRACING


def _after_import(code: str, **environment: str) -> object:
    """What `code` prints as JSON, run after `import wardround` with nothing but `environment` set."""
    whole = f"import json, os, wardround\nfrom wardround.quiet import keep_quiet\n{code}"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def test_importing_wardround_sets_what_is_unset() -> None:
    seen = _after_import("print(json.dumps(dict(os.environ)))")
    assert isinstance(seen, dict)
    assert {**DEFAULTS, "LANGSMITH_TRACING": "false"}.items() <= seen.items()


def test_importing_wardround_makes_langgraph_strict() -> None:
    code = "from langgraph.checkpoint.serde import _msgpack\nprint(json.dumps(_msgpack.STRICT_MSGPACK_ENABLED))"
    assert _after_import(code) is True


@pytest.mark.parametrize("name", TRACING)
def test_tracing_that_somebody_switched_on_stays_and_is_told(name: str) -> None:
    code = "print(json.dumps([keep_quiet(), os.environ.get('LANGSMITH_TRACING')]))"
    kept = "true" if name == "LANGSMITH_TRACING" else None
    assert _after_import(code, **{name: "true"}) == [{name: "true"}, kept]


def test_a_value_that_somebody_chose_stays_and_is_told() -> None:
    assert _after_import("print(json.dumps(keep_quiet()))", HF_HUB_OFFLINE="0") == {"HF_HUB_OFFLINE": "0"}


def test_nothing_is_told_where_all_is_quiet() -> None:
    assert _after_import("print(json.dumps(keep_quiet()))") == {}
