"""`wardround serve ...` from the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from ran import Run
from wardround.commands.opening_server import Parts, check_address, open_agents
from wardround.serving import Gateway, Options
from wardround.serving.store import UNLIMITED, Begun, Ended

OWN = """
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

def shout(state):
    return {"messages": [AIMessage(state["messages"][-1].text.upper())]}

shouter = StateGraph(MessagesState).add_node("shout", shout).add_edge(START, "shout").add_edge("shout", END).compile()
"""
SCRIPT = '{"rules": [{"otherwise": {"content": "yes"}}]}'


def test_keys_are_made_listed_and_revoked(run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    made = run("serve", "keys", "add", "ward 3", "--keys", keys, "--graph", "consultation", "--at-once", "4")
    assert made.out.startswith("wr-")
    assert made.out.strip() not in keys.read_text()
    listed = run("serve", "keys", "list", "--keys", keys, "--json").json
    assert [(one["name"], one["agents"], one["at_once"]) for one in listed] == [("ward 3", ["consultation"], 4)]
    assert "no patients; at_once 4" in run("serve", "keys", "list", "--keys", keys).out
    assert run("serve", "keys", "revoke", "ward 3", "--keys", keys).code == 0
    assert "revoked" in run("serve", "keys", "list", "--keys", keys).out
    again = run("serve", "keys", "revoke", "ward 3", "--keys", keys)
    assert (again.code, "no key `ward 3`" in again.err) == (2, True)


def test_a_name_is_taken_once(run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    run("serve", "keys", "add", "one", "--keys", keys)
    assert run("serve", "keys", "add", "one", "--keys", keys).code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--graph", "nobody"], "there is no graph `nobody`"),
        (["--graph", "nobody:graph"], "cannot be imported"),
        (["--host", "0.0.0.0"], "serve keys add"),  # noqa: S104
        (["--encryption-key", "nowhere"], "cannot be read"),
    ],
)
def test_what_cannot_be_served_is_the_users_mistake(run: Run, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "script.json").write_text(SCRIPT)
    ran = run("serve", "--model", "scripted:script.json", "--port", "0", *arguments)
    assert (ran.code, says in ran.err) == (2, True), ran.err


def test_elsewhere_only_with_keys() -> None:
    check_address("127.0.0.1", has_keys=False)
    check_address("::1", has_keys=False)
    check_address("0.0.0.0", has_keys=True)  # noqa: S104


def test_a_graph_of_ones_own_is_found_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_graphs.py").write_text(OWN)
    script = tmp_path / "script.json"
    script.write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    for given, name in (("my_graphs:shouter", "my_graphs"), ("loud=my_graphs:shouter", "loud")):
        agents = open_agents(Parts(graphs=(given,), model=f"scripted:{script}"))
        assert [agent.name for agent in agents] == [name, "utility"]


def kept(state: Path) -> None:
    """Two turns in a folder, one of them without an end."""

    async def keep() -> None:
        gateway = Gateway([], Options(state=state))
        await gateway.open()
        about: dict[str, Any] = {"key": "k", "owner": "k", "conversation": "c1", "agent": "consultation"}
        for run in ("r1", "r2"):
            asked = {"question": f"what of {run}?"}
            begun = Begun(run=run, at=1e9, thread=run, worker="gone", body=asked, **about)
            await gateway.store.begin(begun, UNLIMITED)
        await gateway.store.end(Ended(run="r1", at=1e9, status="finished", body={"answer": "this of r1"}))
        await gateway.close()

    asyncio.run(keep())


def test_conversations_are_listed_shown_and_deleted(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "s"
    kept(state)
    assert (
        "c1  2001-09-09 01:46 UTC  consultation  2 turns  what of r1?"
        in run("serve", "conversations", "list", "--state", state).out
    )
    shown = run("serve", "conversations", "show", "c1", "--state", state, "--json").json
    assert [(turn["status"], turn["answer"]) for turn in shown] == [("finished", "this of r1"), ("lost", None)]
    assert "(lost)" in run("serve", "conversations", "show", "c1", "--state", state).out
    assert run("serve", "conversations", "purge", "--older-than-days", "0", "--state", state).out == "deleted 2 turns\n"
    assert "No conversations" in run("serve", "conversations", "list", "--state", state).out


def test_a_folder_without_conversations_is_told_so(run: Run, tmp_path: Path) -> None:
    ran = run("serve", "conversations", "list", "--state", tmp_path / "none")
    assert (ran.code, "holds no conversations" in ran.err) == (2, True)


def test_a_key_for_encryption_is_made_once(run: Run, tmp_path: Path) -> None:
    assert run("serve", "new-key", tmp_path / "key").code == 0
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert run("serve", "new-key", tmp_path / "key").code == 2


def test_help_names_the_parts(run: Run) -> None:
    shown = run("serve", "--help").out
    assert all(word in shown for word in ("keys", "conversations", "--graph", "--encryption-key"))
