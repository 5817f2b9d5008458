from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import pytest
from wardround.agents.prompting import prompt
from wardround.corpora.medicines import Attribute


@pytest.mark.parametrize("name", ["distill", "distill_short", "read", "quote"])
def test_a_prompt_is_its_file_and_its_hash(name: str) -> None:
    text = (files("wardround.agents") / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip()
    assert prompt(name).text == text
    assert prompt(name).sha256 == hashlib.sha256(text.encode()).hexdigest()[:12]


def test_examples_become_pairs_of_turns() -> None:
    instruction, *examples = prompt("distill_short").messages()
    assert instruction.type == "system"
    assert "user:" not in instruction.text
    assert [m.type for m in examples] == ["human", "ai"] * (len(examples) // 2)


def test_the_examples_reply_what_the_form_allows() -> None:
    for reply in prompt("distill_short").messages()[2::2]:
        form = json.loads(reply.text)
        assert set(form) == {"medicine", "attribute"}
        assert form["attribute"] in set(Attribute)


def test_every_prompt_file_is_used() -> None:
    package = files("wardround.agents")
    code = "\n".join(e.read_text(encoding="utf-8") for e in package.iterdir() if e.name.endswith(".py"))
    unused = [e.name for e in (package / "prompts").iterdir() if f'"{e.name.removesuffix(".md")}"' not in code]
    assert unused == []
