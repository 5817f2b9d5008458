"""Sampled replies of models, kept as they come, so that building data goes on where it was stopped."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ...agents.prompting import Prompt
from ...errors import ModelError, UserError
from ...evals.benchmark import Example
from ...evals.targets import messages_of

Open = Callable[..., BaseChatModel]
"""`chat_model`, or what stands for it: from a spec, `temperature` and `seed` to a model."""
JOURNAL: Final = "journal.jsonl"


class Said(BaseModel):
    """One sampled reply."""

    model_config = ConfigDict(frozen=True)
    text: str
    sample: int
    """Which of the samples; its seed is the plan's plus this."""


class Sampling(NamedTuple):
    """How replies are sampled."""

    model: str
    """The model's spec."""
    samples: int
    temperature: float
    seed: int


class Journal:
    """A file of keys and values, one JSON line each, only ever appended to."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            UserError: it can't be read or written.
        """
        self.path = path
        self._known: dict[str, JsonValue] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            old = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            for line in old.splitlines():
                try:
                    told = json.loads(line)
                    self._known[told["key"]] = told["value"]
                except (ValueError, KeyError, TypeError):
                    continue  # cut off by a kill: asked again
            self._file = path.open("a", encoding="utf-8")
            if old and not old.endswith("\n"):
                self._file.write("\n")
        except OSError as error:
            raise UserError(f"`{path}` cannot be written ({error.strerror}): choose another folder") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    async def once(self, key: Sequence[JsonValue], make: Callable[[], Awaitable[JsonValue]]) -> JsonValue:
        """The value kept under `key`, or what `make` gives, which is then kept.

        Raises:
            UserError: the disc is full; what was kept stays.
        """
        name = hashlib.sha256(json.dumps(list(key), sort_keys=True).encode()).hexdigest()[:32]
        if name not in self._known:
            value = await make()
            try:
                self._file.write(json.dumps({"key": name, "value": value}, ensure_ascii=False) + "\n")
                self._file.flush()
            except OSError as error:
                raise UserError(
                    f"`{self.path}` cannot be written ({error.strerror}): free space and run the same command"
                ) from None
            self._known[name] = value
        return self._known[name]


@cache
def data_prompt(name: str) -> Prompt:
    """The prompt `training/data/prompts/<name>.md`."""
    text = (files("wardround.training.data") / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip()
    return Prompt(name, text, hashlib.sha256(text.encode()).hexdigest()[:12])


class Sampler:
    """Asks models for samples, so many at once, through a journal."""

    def __init__(self, journal: Journal, *, opened: Open, at_once: int) -> None:
        self.journal, self._opened = journal, opened
        self._slots = asyncio.Semaphore(at_once)
        self._models: dict[tuple[str, float, int], BaseChatModel] = {}
        self.failed: list[str] = []
        """Causes of calls that came to nothing; they are tried again the next time."""

    async def sample(self, example: Example, how: Sampling, system: Prompt | None = None) -> list[Said]:
        """The replies to an example; fewer than asked for where the server failed."""
        found = await asyncio.gather(*(self._one(example, how, system, number) for number in range(how.samples)))
        return [said for said in found if said is not None]

    async def _one(self, example: Example, how: Sampling, system: Prompt | None, number: int) -> Said | None:
        async def make() -> JsonValue:
            messages: list[AnyMessage] = messages_of(example)
            if system is not None:
                messages = [SystemMessage(system.text), *messages]
            async with self._slots:
                reply = await self._model(how, number).ainvoke(messages)
            return str(reply.text).strip()

        key = [how.model, how.temperature, how.seed + number, system.sha256 if system else None, _told(example)]
        try:
            return Said(text=str(await self.journal.once(key, make)), sample=number)
        except ModelError as error:
            self.failed.append(f"{example.id}, sample {number} of `{how.model}`: {error}")
            return None

    def _model(self, how: Sampling, number: int) -> BaseChatModel:
        key = how.model, how.temperature, how.seed + number
        if key not in self._models:
            self._models[key] = self._opened(how.model, temperature=how.temperature, seed=how.seed + number)
        return self._models[key]


def _told(example: Example) -> JsonValue:
    """What the model is shown, images by their content."""
    told: list[JsonValue] = []
    for message in example.messages:
        content: Any = message["content"]
        for part in content if isinstance(content, list) else [content]:
            if isinstance(part, dict) and part.get("type") == "image_file":
                told.append(hashlib.sha256(Path(str(part["path"])).read_bytes()).hexdigest())
            else:
                told.append(part)
    return told


def check_plan(kind: type[BaseModel], **told: Any) -> Any:
    """A plan of these values.

    Raises:
        UserError: the first that cannot be one.
    """
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise UserError(f"`{name}` is `{first['input']}`: {first['msg'].removeprefix('Value error, ')}") from None
