"""The embedded engine with the real SmolLM2."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wardround.errors import MissingExtra, ModelReplyError, UserError
from wardround.models import chat_model, declared_profile, find, profile_of, structured_reply
from wardround.models.adapter import shipped_adapter
from wardround.models.llamacpp import Engine, LlamaCppChat, llamacpp_chat
from wardround.settings import Settings

SETTINGS = Settings(_env_file=None)  # type: ignore[call-arg]
NAME = "SmolLM2-135M-Instruct"


@pytest.fixture(scope="module")
def model_file() -> Path:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'wardround[local]'")
    try:
        return find("smollm2", settings=SETTINGS)
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def engine(model_file: Path) -> Iterator[Engine]:
    made = Engine(model_file, name=NAME)
    yield made
    made.stop()


@pytest.fixture
def model(engine: Engine) -> LlamaCppChat:
    return llamacpp_chat(engine, settings=SETTINGS, profile=declared_profile(NAME), max_tokens=40)


def test_it_answers_the_same_twice_and_from_any_loop_or_thread(model: LlamaCppChat) -> None:
    first = model.invoke("What is aspirin?", max_tokens=8)
    assert first.text
    assert asyncio.run(model.ainvoke("What is aspirin?", max_tokens=8)).text == first.text

    def elsewhere() -> str:
        return asyncio.run(model.ainvoke("What is aspirin?", max_tokens=8)).text

    with ThreadPoolExecutor(3) as pool:
        assert {job.result() for job in [pool.submit(elsewhere) for _ in range(3)]} == {first.text}
    assert "".join(chunk.text for chunk in model.stream("What is aspirin?", max_tokens=8)) == first.text


def test_a_schema_with_awkward_names_constrains_the_reply(model: LlamaCppChat) -> None:
    names = ["St. John's wort", "co-trimoxazole", "布洛芬 缓释胶囊", 'the "red" one']
    schema = {
        "type": "object",
        "properties": {"medicine": {"type": "string", "enum": names}},
        "required": ["medicine"],
        "additionalProperties": False,
    }

    async def ask(question: str, seed: int) -> object:
        found, _ = await structured_reply(model, question, schema, name="pick", temperature=1.0, seed=seed)
        return found and found["medicine"]

    for seed, question in enumerate(["Tell me about aspirin", "布洛芬怎么吃？", "hello", "the weather"]):
        assert asyncio.run(ask(question, seed)) in names


def test_a_known_beginning_of_a_prompt_is_not_read_again(model: LlamaCppChat) -> None:
    beginning = "Be exact and brief about medicines. " * 40
    model.invoke(beginning + "one", max_tokens=1)
    usage = model.invoke(beginning + "two", max_tokens=1).usage_metadata
    assert usage is not None
    assert usage.get("input_token_details", {}).get("cache_read", 0) > 0.9 * usage["input_tokens"]


def test_it_asks_for_its_key_and_listens_on_loopback_only(engine: Engine) -> None:
    endpoint = engine.start()
    assert endpoint.address.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(endpoint.address + "/models")  # noqa: S310


def test_a_prompt_beyond_the_context_is_refused_in_words(model: LlamaCppChat) -> None:
    with pytest.raises(ModelReplyError, match="exceeds the available context size"):
        model.invoke("word " * 6000)


def test_it_can_be_stopped_and_starts_again(engine: Engine, model: LlamaCppChat) -> None:
    before = engine.start()
    engine.stop()
    assert model.invoke("Say hi", max_tokens=2).text
    assert engine.start() != before


def test_the_spec_local_shares_one_engine(model_file: Path) -> None:
    assert model_file.is_file()
    first, second = (chat_model("local", settings=SETTINGS) for _ in range(2))
    assert isinstance(first, LlamaCppChat)
    assert isinstance(second, LlamaCppChat)
    assert first.engine is second.engine


def test_the_shipped_adapter_distills_unless_the_plain_model_is_asked_for(model_file: Path) -> None:
    assert model_file.is_file()
    shipped = shipped_adapter("distiller", "smollm2")
    assert shipped is not None
    assert profile_of(chat_model("local", settings=SETTINGS)).adapters == {"distiller": shipped.name}
    assert profile_of(chat_model("local-plain", settings=SETTINGS)).adapters == {}


def test_it_writes_nothing_and_the_process_ends_well(model_file: Path) -> None:
    assert model_file.is_file()
    code = (
        "from wardround.models import chat_model\n"
        "model = chat_model('local', max_tokens=3)\n"
        "assert model.invoke('hi').text\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_missing_file_and_a_file_that_is_no_model(tmp_path: Path) -> None:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'wardround[local]'")
    with pytest.raises(UserError, match="wardround models pull smollm2"):
        Engine(tmp_path / "absent.gguf", name=NAME).start()
    (tmp_path / "bad.gguf").write_bytes(b"not a model")
    with pytest.raises(UserError, match=r"bad\.gguf"):
        Engine(tmp_path / "bad.gguf", name=NAME).start()


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # what Python itself does for a module that may not load
    with pytest.raises(MissingExtra, match=r"pip install 'wardround\[local\]'"):
        Engine(tmp_path / "any.gguf", name=NAME).start()


def test_without_the_file_the_spec_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="wardround models pull smollm2"):
        chat_model("local", settings=Settings(_env_file=None, cache_dir=tmp_path))  # type: ignore[call-arg]
