"""Keys: who may do what, and how much of it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import openai
import pytest
from chat_server import endless
from gateway_server import Serve
from wardround.errors import UserError
from wardround.serving.keys import KeyFile

QUESTION: Any = [{"role": "user", "content": "How do I store insulin glargine?"}]
SECRET = "forty characters are enough for a secret"  # noqa: S105


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


def test_the_file_holds_no_key_and_is_its_owners(keys: KeyFile) -> None:
    key, secret = keys.add("ward 3")
    assert secret not in keys.path.read_text()
    assert keys.path.stat().st_mode & 0o777 == 0o600
    assert keys.find(secret) == key
    assert keys.find(f"{secret}x") is None


def test_no_key_and_a_wrong_one(serve: Serve, keys: KeyFile) -> None:
    keys.add("somebody")
    server = serve("by_rules", keys=keys.path)
    assert server.http.get("/v1/models").status_code == 401
    with pytest.raises(openai.AuthenticationError):
        server.openai("wr-wrong").models.list()


def test_a_revoked_key_is_refused_at_once(serve: Serve, keys: KeyFile) -> None:
    _, secret = keys.add("somebody")
    client = serve("by_rules", keys=keys.path).openai(secret)
    client.models.list()
    KeyFile(keys.path).revoke("somebody")
    with pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_a_key_sees_and_uses_its_graphs_only(serve: Serve, keys: KeyFile) -> None:
    _, secret = keys.add("somebody", agents=("by_rules",))
    client = serve("by_rules", "consultation", keys=keys.path).openai(secret)
    assert [model.id for model in client.models.list()] == ["by_rules"]
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="consultation", messages=QUESTION)
    assert "consultation`:" in str(caught.value)
    assert "`by_rules`" in str(caught.value)


def test_turns_a_minute(serve: Serve, keys: KeyFile) -> None:
    _, secret = keys.add("somebody", turns_a_minute=2)
    client = serve("by_rules", keys=keys.path).openai(secret)
    for _ in range(2):
        client.chat.completions.create(model="by_rules", messages=QUESTION)
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="by_rules", messages=QUESTION)
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 60


def test_turns_at_once(serve: Serve, keys: KeyFile) -> None:
    _, secret = keys.add("somebody", at_once=1)
    server = serve(keys=keys.path)
    server.model_server.always(endless())
    client = server.openai(secret)
    stream = client.chat.completions.create(model="utility", messages=QUESTION, stream=True)
    next(iter(stream))
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="utility", messages=QUESTION)
    stream.close()
    assert server.model_server.hung_up.wait(5)


def test_tokens_a_day(serve: Serve, keys: KeyFile) -> None:
    _, secret = keys.add("somebody", tokens_a_day=18)
    client = serve(keys=keys.path).openai(secret)
    client.chat.completions.create(model="utility", messages=QUESTION)
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="utility", messages=QUESTION)
    assert caught.value.code == "insufficient_quota"


def test_a_key_reads_only_its_patients(serve: Serve, keys: KeyFile, tmp_path: Path) -> None:
    _, secret = keys.add("somebody", patients=("p1",))
    server = serve("by_rules", keys=keys.path)
    headers = {"authorization": f"Bearer {secret}"}
    for patient, status in (("p1", 200), ("p2", 403), ("../p1", 403)):
        body = {"model": "by_rules", "messages": QUESTION, "metadata": {"patient": patient}}
        assert server.http.post("/v1/chat/completions", json=body, headers=headers).status_code == status
    refused = [line for line in _audit(tmp_path) if line["event"] == "refused"]
    assert [(line["patient"], line["why"]) for line in refused] == [
        ("p2", "patient_not_allowed"), ("../p1", "patient_not_allowed"),
    ]  # fmt: skip


def test_a_conversation_stays_with_its_patient(serve: Serve, keys: KeyFile) -> None:
    _, secret = keys.add("somebody", patients=("*",))
    http = serve("by_rules", keys=keys.path).http
    headers = {"authorization": f"Bearer {secret}", "x-conversation-id": "c1"}
    found: list[int] = []
    for patient in ("p1", "p1", "p2"):
        body = {"model": "by_rules", "messages": QUESTION, "metadata": {"patient": patient}}
        found.append(http.post("/v1/chat/completions", json=body, headers=headers).status_code)
    assert found == [200, 200, 403]


def test_a_frontends_users_count_when_they_are_signed(serve: Serve, keys: KeyFile, tmp_path: Path) -> None:
    _, secret = keys.add("open webui")
    file = tmp_path / "user-secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    http = serve("by_rules", keys=keys.path, user_secret=file).http
    base = {"authorization": f"Bearer {secret}"}
    claims = {"sub": "u7", "iss": "open-webui", "exp": int(time.time()) + 60}
    body = {"model": "by_rules", "messages": QUESTION}
    signed = {**base, "x-openwebui-user-jwt": jwt.encode(claims, SECRET, "HS256")}
    assert http.post("/v1/chat/completions", json=body, headers=signed).status_code == 200
    plain = {**base, "x-openwebui-user-id": "u8"}
    assert http.post("/v1/chat/completions", json=body, headers=plain).status_code == 200
    bad = [
        jwt.encode(claims, SECRET + "x", "HS256"),
        jwt.encode({**claims, "exp": 1}, SECRET, "HS256"),
        jwt.encode({"sub": "u7"}, SECRET, "HS256"),
        jwt.encode(claims, "", "none"),
        "nonsense",
    ]
    for token in bad:
        headers = {**base, "x-openwebui-user-jwt": token}
        assert http.post("/v1/chat/completions", json=body, headers=headers).status_code == 401
    assert [line["user"] for line in _audit(tmp_path) if line["event"] == "asked"] == ["u7", None]
    own = http.get("/api/conversations", headers=signed).json()["data"]
    assert [one["turns"] for one in own] == [1]


def test_the_audit_log_names_passages_and_holds_no_text(serve: Serve, keys: KeyFile, tmp_path: Path) -> None:
    key, secret = keys.add("somebody", patients=("p1",))
    body = {"model": "by_rules", "messages": QUESTION, "metadata": {"patient": "p1"}}
    headers = {"authorization": f"Bearer {secret}"}
    serve("by_rules", keys=keys.path).http.post("/v1/chat/completions", json=body, headers=headers)
    asked, answered = _audit(tmp_path)
    assert (asked["key"], asked["agent"], asked["patient"]) == (key.id, "by_rules", "p1")
    assert answered["status"] == "finished"
    assert "essential:insulin-glargine#storage" in answered["sources"]
    assert "store" not in (tmp_path / "state" / "audit.jsonl").read_text().replace("#storage", "")


@pytest.mark.parametrize("content", ["{}x", '{"keys": [{"id": 1}]}', "[]"])
def test_a_damaged_key_file_lets_nobody_in(serve: Serve, keys: KeyFile, content: str) -> None:
    _, secret = keys.add("somebody")
    server = serve(keys=keys.path)
    keys.path.write_text(content)
    reply = server.http.get("/v1/models", headers={"authorization": f"Bearer {secret}"})
    assert reply.status_code == 500
    assert str(keys.path) not in reply.text


def test_a_key_file_that_others_may_write_is_refused(keys: KeyFile) -> None:
    _, secret = keys.add("somebody")
    keys.path.chmod(0o622)
    with pytest.raises(UserError, match="chmod 600"):
        KeyFile(keys.path).find(secret)


def _audit(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "state" / "audit.jsonl").read_text().splitlines()]
