"""Graphs and models as targets."""

from __future__ import annotations

import asyncio
import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, say
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from PIL import Image
from wardround.corpora import Corpus
from wardround.errors import UserError
from wardround.evals.benchmark import Example
from wardround.evals.targets import GraphTarget, ModelTarget
from wardround.graphs import retrieve_then_read
from wardround.graphs.trace import Recorder


def example(content: Any) -> Example:
    return Example(id="1", messages=({"role": "user", "content": content},))


def test_a_model_answers_and_its_thinking_is_kept_apart(chat_server: ChatServer, served: Any) -> None:
    chat_server.always(say("Take one.", reasoning="Let me see."))
    model: BaseChatModel = served(reasoning=True)
    recorder = Recorder()
    output = asyncio.run(ModelTarget(model, "model").answer(example("How many?"), [recorder]))
    assert (output.text, output.reasoning) == ("Take one.", "Let me see.")
    assert recorder.usage["model_calls"] == 1


def test_an_image_file_goes_out_as_a_data_url(chat_server: ChatServer, served: Any, tmp_path: Path) -> None:
    Image.new("L", (4, 3), 77).save(tmp_path / "film.png")
    parts = [{"type": "image_file", "path": str(tmp_path / "film.png")}, {"type": "text", "text": "What changed?"}]
    asyncio.run(ModelTarget(served(vision=True), "model").answer(example(parts), []))
    (image, text) = chat_server.requests[0].body["messages"][0]["content"]
    sent = Image.open(BytesIO(base64.b64decode(image["image_url"]["url"].removeprefix("data:image/png;base64,"))))
    assert (sent.size, sent.getpixel((0, 0))) == ((4, 3), 77)
    assert text["text"] == "What changed?"


@pytest.mark.parametrize(
    ("name", "said"), [("gone.png", "cannot be read"), ("notes.txt", "does not look like an image")]
)
def test_an_image_that_is_none_is_the_users_mistake(served: Any, tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    parts = [{"type": "image_file", "path": str(tmp_path / name)}]
    with pytest.raises(UserError, match=said):
        asyncio.run(ModelTarget(served(), "model").answer(example(parts), []))


def test_a_consultation_brings_its_calls_and_evidence(essential: Corpus) -> None:
    graph = retrieve_then_read.build_by_rules(medicines=essential)
    output = asyncio.run(GraphTarget(graph, "by_rules").answer(example("How do I store metformin?"), []))
    calls: Any = output.data["calls"]
    evidence: Any = output.data["evidence"]
    assert (calls[0]["attribute"], evidence[0]["attribute"]) == ("storage", "storage")
    assert {"passage_id", "medicine_id", "text", "n"} <= evidence[0].keys()
    assert "answer" not in output.data


def test_any_graph_of_messages_is_a_target() -> None:
    class State(MessagesState):
        letter: str

    async def answer(state: State) -> dict[str, Any]:  # noqa: ARG001
        await asyncio.sleep(0)
        return {"messages": [AIMessage("Answer: B")], "letter": "B"}

    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    output = asyncio.run(GraphTarget(graph.compile(), "mine").answer(example("Which?"), []))
    assert (output.text, output.data) == ("Answer: B", {"letter": "B"})


def test_a_graph_that_says_nothing_is_told_so() -> None:
    async def answer(state: MessagesState) -> dict[str, Any]:  # noqa: ARG001
        await asyncio.sleep(0)
        return {}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    with pytest.raises(UserError, match="ends with `messages` and no AI message"):
        asyncio.run(GraphTarget(graph.compile(), "mine").answer(example("Which?"), []))
