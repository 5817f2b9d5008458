from __future__ import annotations

from langchain_core.runnables import RunnableConfig
from wardround.agents.calling import PROMPT_KEY, ROLE_KEY, role_config
from wardround.agents.prompting import prompt
from wardround.models import scripted


def test_a_call_carries_role_prompt_and_what_was_there() -> None:
    before: RunnableConfig = {"metadata": {"thread": 1}, "tags": ["t"], "configurable": {"x": 1}}
    made = role_config(before, "reader", prompt("read"))
    assert made.get("metadata") == {"thread": 1, ROLE_KEY: "reader", PROMPT_KEY: f"read@{prompt('read').sha256}"}
    assert made.get("tags") == ["t", "nostream"]
    assert (made.get("configurable"), made.get("run_name")) == ({"x": 1}, "reader")
    assert before == {"metadata": {"thread": 1}, "tags": ["t"], "configurable": {"x": 1}}


def test_scripted_models_match_on_the_same_key() -> None:
    assert ROLE_KEY == scripted.ROLE_KEY
