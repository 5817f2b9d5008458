from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from chat_server import ChatServer, cut, fail, say
from wardround.cli import main
from wardround.settings import get_settings

GOOD = "Take 1 ibuprofen 200 mg tablet every 4 to 6 hours while the symptoms last [1]."
ARGS = {"medicine": "ibuprofen", "attribute": "dosage", "keywords": ""}
CALL = {"role": "distiller", "reply": {"tool_calls": [{"name": "search_medicine", "args": ARGS}]}}
READ = {"role": "reader", "reply": {"content": GOOD}}
ASKED = [{"role": "user", "content": "How many ibuprofen can I take?"}]


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(
    tmp_path: Path,
    essential_index: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """The command line in this process: arguments, and what is piped in."""
    for name in list(os.environ):
        if name.startswith("WARDROUND_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARDROUND_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WARDROUND_CORPUS", str(essential_index))
    monkeypatch.setenv("WARDROUND_RETRIES", "0")

    def running(*arguments: object, piped: bytes = b"") -> Ran:
        get_settings.cache_clear()
        monkeypatch.setattr(sys, "argv", ["wardround", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped), encoding="utf-8"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        return Ran(int(left.value.code or 0), shown.out, shown.err)

    yield running
    get_settings.cache_clear()


def script(tmp_path: Path, *rules: dict[str, Any]) -> str:
    file = tmp_path / "script.json"
    file.write_text(json.dumps({"rules": list(rules) or [CALL, READ]}))
    return f"scripted:{file}"


def dialogue(tmp_path: Path, content: bytes | None = None) -> Path:
    file = tmp_path / "dialogue.json"
    file.write_bytes(json.dumps(ASKED).encode() if content is None else content)
    return file


def one_line(ran: Ran, code: int = 2) -> str:
    assert ran.code == code, ran
    assert ran.err.startswith("wardround: ") and ran.err.count("\n") == 1 and ran.err.endswith("\n"), ran
    assert ran.out == ""
    return ran.err


# consult


def test_consult_as_json(run: Run, tmp_path: Path) -> None:
    ran = run("consult", "--dialogue", dialogue(tmp_path), "--model", script(tmp_path), "--json")
    result = json.loads(ran.out)
    keys = {"answer", "citations", "evidence", "calls", "flags", "usage", "timings", "distilled_by", "answered_by"}
    assert (ran.code, set(result), result["answer"]) == (0, keys, GOOD)
    assert set(result["citations"][0]) == {"n", "passage_id", "medicine", "attribute", "quote", "date"}
    assert {"n", "passage_id", "text", "date", "source", "source_id"} <= set(result["evidence"][0])
    assert (result["calls"][0]["distilled_by"], result["distilled_by"]) == ("model", "model")


def test_consult_shows_call_evidence_answer_and_sources(run: Run, tmp_path: Path) -> None:
    ran = run("consult", "--dialogue", dialogue(tmp_path), "--model", script(tmp_path))
    for shown in ("How many ibuprofen", "ibuprofen · dosage", "3 passages", GOOD, "[1] Ibuprofen, dosage, essential"):
        assert shown in ran.out
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("graph", ["retrieve_then_read", "last_turn"])
def test_consult_with_a_baseline(run: Run, tmp_path: Path, graph: str) -> None:
    options = ("--model", script(tmp_path), "--graph", graph, "--mode", "free", "--json")
    assert json.loads(run("consult", "--dialogue", dialogue(tmp_path), *options).out)["calls"] == []


def test_consult_without_a_model(run: Run, tmp_path: Path) -> None:
    ran = run("consult", "--dialogue", dialogue(tmp_path), "--graph", "by_rules", "--json")
    assert json.loads(ran.out)["usage"]["model_calls"] == 0


def test_consult_writes_a_trace(run: Run, tmp_path: Path) -> None:
    run("consult", "--dialogue", dialogue(tmp_path), "--model", script(tmp_path), "--trace", tmp_path / "t", "--json")
    (file,) = (tmp_path / "t").iterdir()
    assert json.loads(file.read_text().splitlines()[0])["event"] == "trace"


def test_typed_lines_are_one_conversation(run: Run) -> None:
    lines = "Hello!\n\nI take warfarin.\r\nCan I combine ibuprofen with it?\n布洛芬怎么吃？\nexit\nnever reached\n"
    ran = run("consult", "--graph", "by_rules", piped=lines.encode())
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("answered by") == 4
    assert "search  ibuprofen · interactions" in ran.out and "search  warfarin · interactions" in ran.out
    assert "never reached" not in ran.out


def test_an_empty_pipe_is_no_conversation(run: Run) -> None:
    assert run("consult", "--graph", "by_rules") == Ran(0, "", "")


def test_text_of_others_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    asked = json.dumps([{"role": "user", "content": "Hello [bold]you[/bold] \x1b[31m\x07"}]).encode()
    ran = run("consult", "--dialogue", dialogue(tmp_path, asked), "--graph", "by_rules")
    assert "[bold]you[/bold]" in ran.out
    assert "\x1b" not in ran.out and "\x07" not in ran.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"\x00\x01\x02\xff", "not UTF-8"),
        ('[{"role": "user", "content": "é"}]'.encode("latin-1"), "not UTF-8"),
        ("[]".encode("utf-16"), "not UTF-8"),
        (b" " * 10_000_000, "10,000,000 bytes"),
        (json.dumps([*ASKED, {"role": "assistant", "content": "x"}]).encode(), "does not end"),
        (b'[{"role": "doctor\\nwho", "content": "x"}]', "role"),
        (b'[{"role": "user", "content": "\\ud83d"}]', "half a character"),
        (b"[]", "no turns"),
    ],
)
def test_a_bad_dialogue(run: Run, tmp_path: Path, content: bytes, says: str) -> None:
    ran = run("consult", "--dialogue", dialogue(tmp_path, content), "--model", script(tmp_path), "--json")
    assert says in one_line(ran)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("consult", "--json"), "--dialogue"),
        (("consult", "--dialogue", "none.json"), "cannot read"),
        (("consult", "--dialogue", "."), "cannot read"),
        (("consult", "--dialogue", "ok.json", "--model", "gpt"), "is none of"),
        (("consult", "--dialogue", "ok.json", "--model", "scripted:none.json"), "cannot be read"),
        (("consult", "--dialogue", "ok.json", "--graph", "by_rules", "--model", "local"), "leave out"),
        (("consult", "--dialogue", "ok.json", "--graph", "by_rules", "--corpus", "none"), "none"),
        (("consult", "--dialogue", "ok.json", "--graph", "by_rules", "--json", "--trace", "ok.json"), "cannot write"),
        (("consult", "--dialogue", "ok.json"), "models pull"),
        (("consult", "--graph", "magic"), "magic"),
        (("consult", "--nonsense"), "--nonsense"),
        (("nonsense",), "nonsense"),
        (("corpus", "search"), "QUERY"),
        (("corpus", "search", "x", "--queries", "ok.json"), "either"),
        (("corpus", "search", "x", "-k", "0"), "greater"),
        (("corpus", "search", "--queries", "none.txt"), "cannot read"),
        (("corpus", "search", "x", "--corpus", "none"), "none"),
        (("corpus", "info", "--corpus", "ok.json"), "ok.json"),
        (("corpus", "build", "--source", "table", "--out", "x"), "--input"),
        (("corpus", "build", "--source", "magic", "--input", "ok.json", "--out", "x"), "magic"),
        (("corpus", "build", "--source", "table", "--input", "none", "--out", "x"), "none"),
        (("corpus", "fetch", "everything", "--out", "x"), "everything"),
        (("models", "pull", "gpt"), "gpt"),
    ],
)
def test_the_users_mistakes_are_one_line(run: Run, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    (tmp_path / "ok.json").write_text(json.dumps(ASKED))
    assert says in one_line(run(*arguments))


def test_settings_that_cannot_be(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARDROUND_RETRIES", "-1")
    assert "WARDROUND_RETRIES=`-1`" in one_line(run("corpus", "info"))


def test_a_damaged_corpus(run: Run, tmp_path: Path, essential_index: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(essential_index, copy)
    for file in copy.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])
    assert "copy" in one_line(run("corpus", "search", "ibuprofen", "--corpus", copy))


def test_typed_lines_that_are_no_text(run: Run) -> None:
    assert "line 1" in one_line(run("consult", "--graph", "by_rules", piped=b"\xff\xfe\x00"))


def test_an_enormous_typed_line(run: Run) -> None:
    assert "10,000,000" in one_line(run("consult", "--graph", "by_rules", piped=b"x" * 10_000_000))


@pytest.mark.parametrize(
    ("reply", "says"),
    [(fail(500), "no answer"), (say("x", finish="stop"), ""), (cut("Take it"), "")],
    ids=["500", "fine", "cut"],
)
def test_a_faulty_server(run: Run, tmp_path: Path, chat_server: ChatServer, reply: Any, says: str) -> None:
    chat_server.always(reply)
    model = f"openai:qwen3-8b@{chat_server.address}"
    ran = run("consult", "--dialogue", dialogue(tmp_path), "--model", model, "--trace", tmp_path / "t", "--json")
    if says:
        assert says in one_line(ran, 1)
        (file,) = (tmp_path / "t").iterdir()
        assert "ModelUnavailable" in file.read_text()
    assert "Traceback" not in ran.err


def test_what_to_do_now_is_said_although_the_model_fails(run: Run, tmp_path: Path) -> None:
    said = b'[{"role": "user", "content": "I just took 60 ibuprofen tablets, what should I do?"}]'
    down = script(tmp_path, {"error": "unavailable"})
    ran = run("consult", "--json", "--dialogue", dialogue(tmp_path, said), "--model", down)
    assert ran.code == 1
    assert not ran.out
    assert ran.err.startswith("Call your local emergency number or poison centre now")


def test_a_server_that_is_down_in_the_middle_of_a_conversation(run: Run, tmp_path: Path) -> None:
    ran = run("consult", "--model", script(tmp_path, {"error": "unavailable"}), piped=b"I just took 60 ibuprofen\n")
    assert ran.code == 1
    assert "emergency number" in ran.out  # what to do now does not wait for the model
    assert ran.err.count("\n") == 1 and "does not answer" in ran.err


# corpus


def test_build_info_search_add_and_remove(run: Run, tmp_path: Path) -> None:
    rows = [{"medicine": "Florbutinol", "attribute": "dosage", "text": "Take one florbutinol a day."}]
    rows.append({"medicine": "Ostramycin", "attribute": "storage", "text": "Keep ostramycin cool."})
    source = tmp_path / "p.jsonl"
    source.write_text("\n".join([json.dumps(rows[0]), "{broken", json.dumps(rows[1])]))
    out = tmp_path / "index"
    built = run("corpus", "build", "--source", "passages", "--input", source, "--out", out)
    assert (built.code, built.out) == (0, "")
    assert "p.jsonl:2" in built.err and "2 medicines" in built.err
    info = json.loads(run("corpus", "info", "--corpus", out, "--verify", "--json").out)
    assert (info["medicines"], info["passages"]) == (2, 2)
    assert "2 medicines" in run("corpus", "info", "--corpus", out).out
    found = json.loads(run("corpus", "search", "florbutinol dose", "--corpus", out, "--json").out)
    first = found["hits"][0]
    assert {"passage_id", "medicine_id", "medicine", "attribute", "source_id", "score"} <= set(first)
    assert (found["query"], first["medicine"], first["attribute"]) == ("florbutinol dose", "Florbutinol", "dosage")
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps({"medicine": "Bevarone", "attribute": "dosage", "text": "Take bevarone at night."}))
    assert "3 medicines" in run("corpus", "add", "--source", "passages", "--input", more, "--corpus", out).err
    assert "2 medicines" in run("corpus", "remove", first["medicine_id"], "--corpus", out).err


def test_the_shipped_medicines_go_into_an_index_of_ones_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"medicine": "Examplol", "attribute": "Storage", "text": "Keep it cool."}')
    index = ("--out", str(tmp_path / "index"))
    built = run("corpus", "build", "--source", "passages", "--input", str(tmp_path / "own.jsonl"), "--shipped", *index)
    assert built.code == 0
    info = json.loads(run("corpus", "info", "--corpus", str(tmp_path / "index"), "--json").out)
    assert [(used["source"], used["medicines"]) for used in info["sources"]] == [("passages", 1), ("essential", 60)]
    assert info["medicines"] == 61


def test_search_for_people(run: Run) -> None:
    assert "Ibuprofen" in run("corpus", "search", "ibuprofen dose", "-k", "2").out
    assert "nothing found" in run("corpus", "search", "zzzz").out


def test_queries_line_for_line(run: Run, tmp_path: Path) -> None:
    lines = ["ibuprofen dose", "", "布洛芬", "a\u2028b\x0bc", " warfarin ", "zzzz"]
    file = tmp_path / "q.txt"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\n")
    ran = run("corpus", "search", "--queries", file, "-k", "2", "--json")
    results = [json.loads(line) for line in ran.out.rstrip("\n").split("\n")]
    assert [r["query"] for r in results] == lines
    assert [bool(r["hits"]) for r in results] == [True, False, True, True, True, False]


def test_queries_that_are_no_text(run: Run, tmp_path: Path) -> None:
    (tmp_path / "q").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in one_line(run("corpus", "search", "--queries", tmp_path / "q"))


# models and doctor


def test_the_models_are_listed(run: Run) -> None:
    assert "smollm2" in run("models", "list").out


def test_doctor_as_json(run: Run, tmp_path: Path) -> None:
    ran = run("doctor", "--model", script(tmp_path, {"otherwise": {"content": "yes"}}), "--json")
    checks = {check["name"]: check for check in json.loads(ran.out)}
    assert checks["corpus"]["ok"] and checks["model"]["ok"]
    assert set(checks["model"]) == {"name", "ok", "found", "remedy", "needed"}


def test_doctor_names_the_command_that_mends(run: Run) -> None:
    ran = run("doctor")
    assert (ran.code, ran.err) == (1, "")
    assert "MISSING" in ran.out and "models pull smollm2" in " ".join(ran.out.split())


def test_without_arguments_the_help_is_shown(run: Run) -> None:
    ran = run()
    assert ran.code == 2
    assert "consult" in ran.out + ran.err and "not for care" in " ".join((ran.out + ran.err).split())


# as a process


def process(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    code = "import sys; from wardround.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def test_a_reader_that_leaves_early(essential_index: Path, tmp_path: Path) -> None:
    queries = tmp_path / "q.txt"
    queries.write_text("ibuprofen dose\n" * 400)
    with process("corpus", "search", "--queries", queries, "--corpus", essential_index) as running:
        assert running.stdout and running.stderr
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 1


def test_ctrl_c_while_the_model_thinks(essential_index: Path, tmp_path: Path) -> None:
    model = script(tmp_path, CALL, {"role": "reader", "delay_s": 60, "reply": {"content": "x"}})
    with process("consult", "--corpus", essential_index, "--dialogue", dialogue(tmp_path), "--model", model) as running:
        assert running.stdout and running.stderr
        while b"passages" not in running.stdout.readline():
            pass
        time.sleep(0.3)
        running.send_signal(signal.SIGINT)
        assert running.stderr.read() == b""
    assert running.returncode == 130


def test_a_terminal_of_another_encoding(essential_index: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with process(
        "corpus", "search", "布洛芬", "--corpus", essential_index, "--json", environment=environment
    ) as running:
        out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, b"")
    assert json.loads(out)["query"] == "布洛芬"


def test_an_argument_that_is_no_text(essential_index: Path) -> None:
    query = b"\xff\xfe".decode("utf-8", "surrogateescape")
    with process("corpus", "search", "--corpus", essential_index, "--json", query) as running:
        out, err = running.communicate(timeout=60)
    assert b"Traceback" not in err
    assert running.returncode in (0, 2), (out, err)
