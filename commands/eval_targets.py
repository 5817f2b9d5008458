"""Targets from the command line: a model, a graph of the project, or a graph of a user's own."""

from __future__ import annotations

import hashlib
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import JsonValue

from ..corpora import open_corpus
from ..errors import UserError
from ..evals.benchmark import Target
from ..evals.targets import GraphTarget, ModelTarget
from ..graphs import diagnosis, progression
from ..graphs.by_name import NAMES as GRAPHS
from ..graphs.by_name import open_graph
from ..models import chat_model, profile_of
from ..models.openai_chat import SEED
from ..models.response_cache import ResponseCache
from ..settings import get_settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

DIAGNOSIS: Final = "diagnosis"
"""The graph whose samples are its own: it makes one answer of them."""
PROGRESSION: Final = "progression"
"""The graph for questions on films; what of the records it sees, the benchmark puts before the question."""
PLAIN: Final = "model"
"""The target that is a chat model by itself."""


class ModelChoice(NamedTuple):
    """The model that answers."""

    spec: str | None
    temperature: float | None
    samples: int
    cache: ResponseCache | None

    def open(self, sample: int = 0) -> BaseChatModel:
        """The model for one sample; each has a seed of its own."""
        params: dict[str, Any] = {"seed": SEED + sample}
        if self.temperature is not None:
            params["temperature"] = self.temperature
        spec = self.spec or get_settings().model
        if spec.startswith("scripted:"):
            return chat_model(spec)
        return chat_model(spec, response_cache=self.cache, **params)

    def identity(self) -> dict[str, JsonValue]:
        """What of it decides the answers."""
        spec = self.spec or get_settings().model
        facts: dict[str, JsonValue] = {
            "model": spec,
            "profile": profile_of(self.open()).model_dump(mode="json"),
            "temperature": 0.0 if self.temperature is None else self.temperature,
            "seed": SEED,
        }
        if spec.startswith("scripted:"):
            facts["script_sha256"] = _sha256(Path(spec.removeprefix("scripted:")).expanduser())
        return facts


def open_targets(
    graph: str, choice: ModelChoice, *, corpus: Path | None, mode: Any, official: bool = False
) -> list[Target]:
    """The target that `graph` names, once for each sample: `model`, a consultation graph, or `MODULE:NAME` of a user's.

    `diagnosis` is one target that takes the samples itself, in the `official` form or with quotations.

    Raises:
        UserError: there is none, or it doesn't go with the other options.
    """
    if graph == PLAIN:
        identity = choice.identity()
        return [ModelTarget(choice.open(sample), PLAIN, identity) for sample in range(choice.samples)]
    if ":" in graph:
        return [_own_target(graph)] * choice.samples
    if graph == DIAGNOSIS:
        form = "official" if official else "reasoned"
        options: dict[str, Any] = {} if choice.temperature is None else {"temperature": choice.temperature}
        compiled = diagnosis.build(model=choice.open(), samples=choice.samples, form=form, **options)
        told: dict[str, JsonValue] = {"graph": graph, "samples": choice.samples, "form": form}
        return [GraphTarget(compiled, graph, told | {"prompts": prompts_sha256()} | choice.identity())]
    facts: dict[str, JsonValue]
    if graph == PROGRESSION:
        facts = {"graph": graph, "prompts": prompts_sha256()} | choice.identity()
        built = [progression.build(model=choice.open(sample), records="none") for sample in range(choice.samples)]
        return [GraphTarget(one, graph, facts) for one in built]
    if graph not in GRAPHS:
        known = ", ".join(f"`{name}`" for name in (*GRAPHS, DIAGNOSIS, PROGRESSION, PLAIN))
        raise UserError(f"there is no graph `{graph}`: choose one of {known}, or MODULE:NAME")
    if mode not in (None, "free", "quotes"):
        raise UserError(f"there is no mode `{mode}`: choose `free` or `quotes`")
    medicines = open_corpus(corpus)
    facts = {
        "graph": graph,
        "mode": mode,
        "corpus": medicines.manifest.content_sha256,
        "prompts": prompts_sha256(),
    }
    if graph == "by_rules":
        if choice.spec:
            raise UserError("the graph `by_rules` uses no model: leave out `--model`")
        return [GraphTarget(open_graph(graph, model=None, medicines=medicines), graph, facts)]
    return [
        GraphTarget(
            open_graph(graph, model=choice.open(sample), medicines=medicines, mode=mode),
            graph,
            facts | choice.identity(),
        )
        for sample in range(choice.samples)
    ]


def _own_target(name: str) -> Target:
    graph = own_graph(name)
    source = getattr(import_module(name.partition(":")[0]), "__file__", None)
    identity: dict[str, JsonValue] = {"graph": name, "file_sha256": _sha256(Path(source)) if source else None}
    return GraphTarget(graph, name, identity)


def own_graph(name: str) -> Any:
    """`MODULE:NAME`: a compiled graph, or a function without arguments that returns one. Modules of the working folder
    are found.

    Raises:
        UserError: it can't be imported.
    """
    module_name, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:  # a program that is installed does not look where it is called
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        known = ", ".join(f"`{graph}`" for graph in (*GRAPHS, PLAIN))
        raise UserError(f"graph `{name}` cannot be imported ({error}): give MODULE:NAME or one of {known}") from None
    return found if hasattr(found, "ainvoke") else found()


def prompts_sha256() -> str:
    """One hash over the prompt files of all roles."""
    folder = files("wardround.agents") / "prompts"
    texts = sorted((entry.name, entry.read_bytes()) for entry in folder.iterdir() if entry.name.endswith(".md"))
    return hashlib.sha256(b"".join(name.encode() + text for name, text in texts)).hexdigest()[:12]


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise UserError(f"`{path}` cannot be read ({error.strerror}): check its name") from None
