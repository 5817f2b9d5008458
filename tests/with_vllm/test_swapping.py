"""Adapters act, are asked for by name, and come and go without an answer from the wrong one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from served import BASE, WARDROUND, Served

pytestmark = pytest.mark.timeout(900)
TOKENS = 8
TOLERANCE = 0.01
"""Of a log probability: both compute in 32 bit, in another order."""
PROMPTS = [
    [{"role": "user", "content": "What is aspirin for?"}],
    [{"role": "user", "content": "Does an insulin pen in use go in the fridge? " * 8}],  # several blocks of cache
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "布洛芬怎么吃？"}],
    [
        {"role": "user", "content": "I take warfarin."},
        {"role": "assistant", "content": "What would you like to know?"},
        {"role": "user", "content": "Can I take advil?"},
    ],
]
Steps = list[tuple[int, float]]


@pytest.fixture(scope="module")
def expected(
    reference: Callable[[Mapping[str, Any]], Any], adapters: tuple[Path, Path], shipped: Path | None
) -> dict[str, list[Steps]]:
    """What transformers answers, by adapter (`one`, `two`, `shipped` where there is one, and `` for the base)."""
    named = {"one": str(adapters[0]), "two": str(adapters[1])} | ({"shipped": str(shipped)} if shipped else {})
    return reference({"prompts": PROMPTS, "adapters": named, "tokens": TOKENS})


def said(served: Served, name: str, prompt: list[dict[str, str]]) -> Steps:
    """The greedy reply as tokens with the logarithm of their probabilities."""
    body = {
        "model": name,
        "messages": prompt,
        "max_tokens": TOKENS,
        "temperature": 0,
        "logprobs": True,
        "return_tokens_as_token_ids": True,
    }
    with served.client() as client:
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text
    steps = reply.json()["choices"][0]["logprobs"]["content"]
    return [(int(step["token"].removeprefix("token_id:")), step["logprob"]) for step in steps]


def same(found: Steps, wanted: Steps) -> bool:
    """Whether two replies are the same within the tolerance; where two tokens are as likely as each other, either may
    come, and what follows is another reply."""
    for (token, logprob), (other, expected) in zip(found, wanted, strict=False):
        if abs(logprob - expected) > TOLERANCE:
            return False
        if token != other:
            return True
    return True


def command(served: Served, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WARDROUND, *map(str, arguments)],
        env=served.environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_the_server_names_base_and_adapters(served: Served) -> None:
    with served.client() as client:
        models = {model["id"]: model["parent"] for model in client.get("/v1/models").json()["data"]}
    named = [name for name in (served.adapter, served.distiller, served.reasoner) if name]
    assert models == {BASE: None} | dict.fromkeys(named, BASE)
    assert served.adapter.startswith("tuned-")


@pytest.mark.parametrize("prompt", range(len(PROMPTS)))
def test_base_and_adapter_say_what_transformers_says(
    served: Served, expected: dict[str, list[Steps]], prompt: int
) -> None:
    assert same(said(served, BASE, PROMPTS[prompt]), expected[""][prompt])
    assert same(said(served, served.adapter, PROMPTS[prompt]), expected["one"][prompt])
    assert not same(expected["one"][prompt], expected[""][prompt])  # the adapter acts


def test_the_tuned_distiller_says_what_transformers_says(served: Served, expected: dict[str, list[Steps]]) -> None:
    if served.distiller is None:
        pytest.skip("no tuned distiller comes with this version")
    for number, prompt in enumerate(PROMPTS):
        assert same(said(served, served.distiller, prompt), expected["shipped"][number])
    assert not all(map(same, expected["shipped"], expected[""]))


def test_a_new_adapter_answers_at_once_and_the_old_one_goes(
    served: Served, expected: dict[str, list[Steps]], adapters: tuple[Path, Path]
) -> None:
    for prompt in PROMPTS:  # what the old one computed is in the server's cache by now
        said(served, served.adapter, prompt)
    loaded = command(served, "models", "load", adapters[1], "--port", served.port)
    assert loaded.returncode == 0, loaded.stderr
    new = loaded.stdout.strip()
    assert new.startswith("tuned-")
    assert new != served.adapter
    for number, prompt in enumerate(PROMPTS):
        found = said(served, new, prompt)
        assert same(found, expected["two"][number])
        assert not same(found, expected["one"][number])
    again = command(served, "models", "load", adapters[1], "--port", served.port)
    assert again.stdout.strip() == new
    gone = command(served, "models", "unload", new, "--port", served.port)
    assert gone.returncode == 0, gone.stderr
    with served.client() as client:
        assert client.post("/v1/chat/completions", json={"model": new, "messages": PROMPTS[0]}).status_code == 404
    assert same(said(served, served.adapter, PROMPTS[1]), expected["one"][1])


def test_an_adapter_that_does_not_fit_is_one_line_and_harms_nothing(served: Served, tmp_path: Path) -> None:
    from small_adapter import write_adapter

    foreign = write_adapter(tmp_path / "foreign", seed=3, layers=2, hidden=32)
    refused = command(served, "models", "load", foreign, "--port", served.port)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "was made for another model" in refused.stderr
    assert said(served, BASE, PROMPTS[0])


def test_an_adapter_that_is_not_there_is_one_line(served: Served) -> None:
    refused = command(served, "models", "unload", "tuned-000000000000", "--port", served.port)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "cannot be unloaded" in refused.stderr


def test_the_answer_of_an_adapter_is_recorded_under_its_hashed_name(served: Served) -> None:
    with served.client() as client:
        reply = client.post(
            "/v1/chat/completions", json={"model": served.adapter, "messages": PROMPTS[0], "max_tokens": 2}
        )
    assert json.loads(reply.text)["model"] == served.adapter
