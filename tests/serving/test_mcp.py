"""The MCP server with MCP's own client, over both transports."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from chat_server import fail
from gateway_server import Serve
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from wardround.corpora.patients.reading import read_report
from wardround.corpora.patients.records import Patient, Study
from wardround.corpora.patients.store import PatientStore
from wardround.corpora.patients.writing import write_patients
from wardround.serving.keys import KeyFile

QUESTION = "Does losartan interact with ibuprofen?"
Use = Callable[[Client], Awaitable[Any]]


def over_http(address: str, use: Use, **headers: str) -> Any:
    """What `use` returns of a client on a gateway."""

    async def run() -> Any:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30, follow_redirects=True) as http,
            Client(streamable_http_client(f"{address}/mcp/", http_client=http)) as client,
        ):
            return await use(client)

    return asyncio.run(run())


def over_stdio(use: Use, state: Path, *arguments: str) -> Any:
    """What `use` returns of a client on `wardround mcp`."""
    script = state.with_name("script.json")
    script.write_text('{"rules": [{"otherwise": {"content": "Yes."}}]}')
    command = [
        "-c",
        "from wardround.cli import main; main()",
        "mcp",
        "--graph",
        "by_rules",
        "--model",
        f"scripted:{script}",
        "--state",
        str(state),
        *arguments,
    ]

    async def run() -> Any:
        async with Client(StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))) as client:
            return await use(client)

    return asyncio.run(run())


def text_of(result: Any) -> str:
    return "\n".join(part.text for part in result.content)


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Two patients, of whom one has an earlier report."""

    def study(patient: str, number: int, text: str) -> Study:
        time = datetime(2024, 1, number, 9, tzinfo=UTC)
        report = read_report(text)
        return Study(id=f"{patient}-{number}", patient_id=patient, time=time, report=report, source="jsonl")

    file = tmp_path / "patients.sqlite"
    people = [
        Patient(
            id="anna", studies=(study("anna", 1, "FINDINGS: Small left pleural effusion."), study("anna", 2, "X."))
        ),
        Patient(id="bert", studies=(study("bert", 1, "FINDINGS: Cavity in the right upper lobe."),)),
    ]
    write_patients(file, people, source="jsonl", folder=tmp_path)
    return file


def test_a_host_finds_the_tools_and_the_agents(serve: Serve) -> None:
    server = serve("by_rules", mcp=True)
    listed = over_http(server.address, lambda client: client.list_tools())
    assert {tool.name for tool in listed.tools} == {"search_medicine", "medicine", "by_rules"}
    arguments = next(tool.input_schema for tool in listed.tools if tool.name == "search_medicine")
    assert set(arguments["properties"]) == {"medicine", "attribute", "keywords", "limit"}


def test_a_search_gives_passages_with_their_sources(serve: Serve) -> None:
    wanted = {"medicine": "warfarin", "attribute": "interactions"}
    found = over_http(serve("by_rules", mcp=True).address, lambda client: client.call_tool("search_medicine", wanted))
    passages = found.structured_content["result"]
    assert passages[0]["attribute"] == "interactions"
    assert all(passage["medicine"] == "Warfarin" and passage["source_id"] for passage in passages)


def test_a_misspelt_medicine_is_known(serve: Serve) -> None:
    address = serve("by_rules", mcp=True).address
    found = over_http(address, lambda client: client.call_tool("medicine", {"name": "warfarn"}))
    assert found.structured_content["result"][0]["name"] == "Warfarin"


def test_an_agent_answers_with_its_sources_and_tells_what_it_does(serve: Serve) -> None:
    lines: list[str] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
        lines.append(message or "")

    async def use(client: Client) -> Any:
        return await client.call_tool("by_rules", {"question": QUESTION}, progress_callback=told)

    server = serve("by_rules", mcp=True)
    answered = over_http(server.address, use).structured_content
    assert "losartan" in answered["answer"].lower()
    assert answered["sources"]
    assert answered["sources"][0]["source"]
    assert server.turns() == {"finished": 1}


def test_a_fault_inside_is_not_told(serve: Serve) -> None:
    server = serve("consultation", mcp=True)
    server.model_server.always(fail(500, "secret stack trace at /srv/models"))
    failed = over_http(server.address, lambda client: client.call_tool("consultation", {"question": QUESTION}))
    assert failed.is_error
    assert "model server cannot answer" in text_of(failed)
    assert "secret" not in text_of(failed)


def test_without_a_key_not_even_the_tools_are_listed(serve: Serve, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    _, secret = keys.add("host", agents=("by_rules",))
    server = serve("by_rules", "consultation", mcp=True, keys=keys.path)
    assert server.http.post("/mcp/", json={}).status_code == 401
    bearer = {"authorization": f"Bearer {secret}"}
    refused = over_http(server.address, lambda c: c.call_tool("consultation", {"question": QUESTION}), **bearer)
    assert refused.is_error
    assert "There is no model `consultation`" in text_of(refused)


def test_a_key_reads_its_patient_and_no_argument_names_another(serve: Serve, patients: Path, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    _, secret = keys.add("host", patients=("anna",))
    with PatientStore(patients) as store:
        address = serve("by_rules", mcp=True, keys=keys.path, patients=store).address
        bearer = {"authorization": f"Bearer {secret}"}

        def read(**headers: str) -> Any:
            wanted = {"region": "patient bert, right upper lobe", "scope": "global"}
            return over_http(address, lambda c: c.call_tool("patient_history", wanted), **bearer, **headers)

        own, others = read(), read(**{"x-wardround-patient": "bert"})
        bounded = read(**{"x-wardround-study": "anna-1"})
    assert "pleural effusion" in text_of(own)
    assert others.is_error
    assert "Cavity" not in text_of(own) + text_of(others)
    assert "No earlier record" in text_of(bounded)


def test_without_a_patient_no_history_is_given(serve: Serve, patients: Path) -> None:
    with PatientStore(patients) as store:
        address = serve("by_rules", mcp=True, patients=store).address
        refused = over_http(address, lambda client: client.call_tool("patient_history", {}))
    assert refused.is_error
    assert "bound to no patient" in text_of(refused)


def test_stdio(tmp_path: Path, patients: Path) -> None:
    async def use(client: Client) -> tuple[Any, Any]:
        answered = await client.call_tool("by_rules", {"question": QUESTION})
        return answered, await client.call_tool("patient_history", {})

    owner = ("--patients", str(patients), "--patient", "bert")
    answered, history = over_stdio(use, tmp_path / "state", *owner)
    assert "losartan" in json.dumps(answered.structured_content).lower()
    assert "Cavity" in text_of(history)
