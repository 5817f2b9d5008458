"""The check passes on the shipped dialogues, and finds each kind of fault in a copy with that fault."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from wardround.corpora import write_index
from wardround.corpora.sources.essential import read_essential
from wardround.errors import UserError
from wardround.evals.check_medicineqa_open import check
from wardround.evals.medicineqa_open import Trait, read_dialogues
from wardround.evals.medicineqa_open.items import FOLDER
from wardround.evals.medicineqa_open.label_index import read_labels
from wardround.evals.medicineqa_open.measuring import measure, stale
from wardround.evals.medicineqa_open.text_checks import near_faults
from wardround.models.encoders import load_encoder
from wardround.settings import Settings

Row = dict[str, Any]
Change = Callable[[Row], object]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped files that may be broken."""
    for file in FOLDER.glob("*.jsonl"):
        shutil.copy(file, tmp_path)
    return tmp_path


def _rows(folder: Path, name: str) -> list[Row]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").split("\n") if line]


def _write(folder: Path, name: str, rows: Sequence[Row]) -> None:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _break(folder: Path, change: Change, *, where: Change = bool) -> str:
    """Change the first test dialogue for which `where` holds; its id."""
    rows = _rows(folder, "test.jsonl")
    row = next(row for row in rows if where(row))
    change(row)
    _write(folder, "test.jsonl", rows)
    return row["id"]


def _say(text: str) -> Change:
    """Adds words to the first turn."""
    return lambda row: row["dialogue"][0].update(content=row["dialogue"][0]["content"] + " " + text)


def _answered(row: Row) -> bool:
    return bool(row["evidence"])


NO_DIALOGUE: list[tuple[Change, str]] = [
    (lambda row: row["dialogue"].pop(), "roles"),
    (lambda row: row["dialogue"][1].update(role="user"), "roles"),
    (lambda row: row.update(dialogue=row["dialogue"][-1:]), "dialogue"),
    (lambda row: row.update(dialogue=row["dialogue"][:2] * 3 + row["dialogue"][-3:]), "dialogue"),
    (lambda row: row.update(category="weather"), "category"),
    (lambda row: row["traits"].append("odd"), "traits"),
    (lambda row: row["traits"].append(row["traits"][0]), "twice"),
    (lambda row: row["evidence"].append(row["evidence"][0]), "twice"),
    (lambda row: row["evidence"][0].update(attribute="taste"), "attribute"),
    (lambda row: row["evidence"][0].update(medicine="Aspirin"), "lower case"),
    (lambda row: row.update(id="7"), "id"),
    (lambda row: row.update(answer_note=""), "answer_note"),
    (lambda row: row.pop("answer_note"), "answer_note"),
    (lambda row: row.update(comment="none"), "comment"),
]
FAULTY: list[tuple[Change, str]] = [
    (lambda row: row["evidence"][0].update(set_id="none"), "is not in the index"),
    (lambda row: row.update(label="none"), "is not in the index"),
    (lambda row: row.update(label=None), "none of its evidence"),
    (lambda row: row["evidence"][0].update(medicine="unobtainium"), "is not of `unobtainium`"),
    (lambda row: row["traits"].append("unanswerable"), "exclude each other"),
    (lambda row: row.update(evidence=[]), "exclude each other"),
    (
        lambda row: row.update(traits=sorted({*row["traits"]} ^ {"shipped"})),
        "says otherwise than the evidence",
    ),
    (lambda row: row["dialogue"][0].update(content="Mail me at someone@example.org"), "an e-mail address"),
    (_say("My page is www.example.org."), "a web address"),
    (_say("Call me, 020 7946 0123."), "a phone number"),
    (_say("Or (555) 014-2233."), "a phone number"),
    (_say("I live at 12 Mill Lane."), "an address"),
    (_say("Born 3 May 1961."), "a date of birth"),
    (_say("DOB 03/05/1961"), "a date of birth"),
    (_say("My number is 078-05-1120."), "a number of a person"),
    (_say("This is Anna Kowalski."), "a full name"),
]


def test_the_shipped_dialogues_have_no_fault() -> None:
    assert check() == []


def _script(cache: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of the script where no model was pulled."""
    script = [sys.executable, "-m", "wardround.evals.check_medicineqa_open", *arguments]
    env = {**os.environ, "WARDROUND_CACHE_DIR": str(cache)}
    done = subprocess.run(script, capture_output=True, text=True, check=False, env=env)
    return done.returncode, done.stdout + done.stderr


def test_the_script_says_what_it_did_not_check(tmp_path: Path) -> None:
    code, printed = _script(tmp_path)
    assert (code, printed.count("not checked: ")) == (0, 3), printed


def test_a_split_is_read_whole() -> None:
    assert len(read_dialogues("dev")) == 100


def test_the_script_ends_with_one_where_there_is_a_fault(copy: Path) -> None:
    _break(copy, _say("Write to me: someone@example.org"))
    code, printed = _script(copy, "--folder", str(copy))
    assert (code, printed.count("an e-mail address")) == (1, 1), printed


@pytest.mark.parametrize("option", ["--folder", "--labels", "--real"])
def test_the_script_ends_with_two_and_one_line_where_something_is_missing(tmp_path: Path, option: str) -> None:
    code, printed = _script(tmp_path, option, str(tmp_path / "none"))
    assert (code, "none" in printed.splitlines()[-1], "Traceback" in printed) == (2, True, False), printed


@pytest.mark.parametrize(("change", "said"), NO_DIALOGUE)
def test_a_line_that_holds_no_dialogue(copy: Path, change: Change, said: str) -> None:
    _break(copy, change, where=lambda row: row["evidence"] and row["traits"])
    assert any(fault.startswith("test.jsonl:") and said in fault for fault in check(copy))


@pytest.mark.parametrize(("change", "said"), FAULTY)
def test_a_dialogue_with_a_fault(copy: Path, change: Change, said: str) -> None:
    name = _break(copy, change, where=_answered)
    assert any(fault.startswith(name) and said in fault for fault in check(copy))


def test_an_attribute_that_the_label_has_not(copy: Path) -> None:
    labels = read_labels(copy)

    def lacks(row: Row) -> list[str]:
        known = {a for e in row["evidence"][:1] for label in labels[e["set_id"]] for a in label.texts}
        return sorted({"elderly", "overdose", "boxed_warning", "interactions"} - known)

    name = _break(copy, lambda row: row["evidence"][0].update(attribute=lacks(row)[0]), where=lacks)
    assert any(fault.startswith(name) and "has no" in fault for fault in check(copy))


def test_a_medicine_in_the_last_turn(copy: Path) -> None:
    name = _break(
        copy,
        lambda row: row["dialogue"][-1].update(content="And warfarin?"),
        where=lambda row: "no_medicine_in_last_turn" in row["traits"],
    )
    assert any(fault.startswith(name) and "the last turn says `warfarin`" in fault for fault in check(copy))


def test_a_shipped_text_that_changed(copy: Path) -> None:
    name = next(d for d in read_dialogues("test") if Trait.SHIPPED in d.traits and d.evidence).id
    rows = _rows(copy, "labels.jsonl")
    for row in rows:
        if row["source"] == "essential":
            row["texts"] = dict.fromkeys(row["texts"], "0" * 64)
    _write(copy, "labels.jsonl", rows)
    assert any(fault.startswith(name) and "changed" in fault for fault in check(copy))


def test_an_id_given_twice(copy: Path) -> None:
    _write(copy, "test.jsonl", [*_rows(copy, "test.jsonl")[:-1], _rows(copy, "test.jsonl")[0]])
    assert any("the id stands there 2 times" in fault for fault in check(copy))


def test_a_split_with_a_dialogue_less(copy: Path) -> None:
    _write(copy, "dev.jsonl", _rows(copy, "dev.jsonl")[1:])
    assert "dev.jsonl: 99 dialogues, wanted 100" in check(copy)


def test_a_category_that_is_too_frequent(copy: Path) -> None:
    _write(copy, "test.jsonl", [row | {"category": "storage"} for row in _rows(copy, "test.jsonl")])
    assert any(fault.startswith("category `storage`") for fault in check(copy))


def test_a_trait_that_is_too_rare(copy: Path) -> None:
    for file in ("dev.jsonl", "test.jsonl"):
        rows = _rows(copy, file)
        _write(copy, file, [row | {"traits": [t for t in row["traits"] if t != "misspelt"]} for row in rows])
    assert "trait `misspelt`: 0 dialogues, wanted at least 40" in check(copy)


def test_too_few_substances(copy: Path) -> None:
    for file in ("dev.jsonl", "test.jsonl"):
        _write(copy, file, [row | {"evidence": row["evidence"][:1]} for row in _rows(copy, file)[:60]])
    assert any(fault.startswith("the evidence names") for fault in check(copy))


def test_two_dialogues_that_open_alike(copy: Path) -> None:
    opening = "Well, the thing is this:"
    rows = _rows(copy, "test.jsonl")
    for row in rows[:2]:
        row["dialogue"][0]["content"] = f"{opening} {row['id']}"
    _write(copy, "test.jsonl", rows)
    assert any(f.startswith(rows[1]["id"]) and f"opens as {rows[0]['id']} does" in f for f in check(copy))


def test_two_dialogues_that_share_a_run_of_words(copy: Path) -> None:
    rows = _rows(copy, "test.jsonl")
    rows[1]["dialogue"][-1]["content"] += " One two three four five six seven eight."
    rows[0]["dialogue"][-1]["content"] += " ONE two, three four five six seven eight!"
    _write(copy, "test.jsonl", rows)
    assert any(f.startswith(rows[1]["id"]) and f"shares with {rows[0]['id']}" in f for f in check(copy))


def test_two_dialogues_that_tell_the_same_story() -> None:
    try:
        encoder = load_encoder("bge-small", settings=Settings())
    except UserError as error:
        pytest.skip(str(error))
    dialogue = read_dialogues("dev")[0]
    again = dialogue.model_copy(update={"id": "mqo-999"})
    assert [f.split(":")[0] for f in near_faults([dialogue, again], encoder)] == ["mqo-999"]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("short.txt", "can I eat cheese\n", "holds a real question"),
        ("long.jsonl", '{"q": [{"a": "Can I eat cheese with the pill from the red box?"}]}\n', "shares with a real"),
        ("whole.json", '[\n"Can I eat cheese with the pill from the red box?"\n]', "shares with a real"),
    ],
)
def test_a_real_question(copy: Path, tmp_path: Path, file: str, content: str, said: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / file).write_text(content, encoding="utf-8")
    name = _break(copy, _say("So, can I eat cheese with the pill from the red box, please?"))
    assert any(f.startswith(name) and said in f for f in check(copy, real=tmp_path / "real"))


def test_a_folder_without_question_sets(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no"):
        check(real=tmp_path)


def test_a_damaged_label_index(copy: Path) -> None:
    (copy / "labels.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match="label"):
        check(copy)


def test_gold_of_the_shipped_corpus_finds_itself(tmp_path: Path) -> None:
    write_index(tmp_path, read_essential())
    labels = read_labels(FOLDER)
    shipped = {set_id for set_id, group in labels.items() if any(label.source == "essential" for label in group)}
    own = [d for d in read_dialogues("dev") if d.evidence and all(e.set_id in shipped for e in d.evidence)]
    measured = measure(own, tmp_path)
    assert measured.rows[-1].document[0] >= 0.95
    assert measured.rows[0].document[0] < measured.rows[-1].document[0]


def test_labels_that_a_corpus_lacks_are_told() -> None:
    lines = list(stale(read_labels(FOLDER), read_essential()))
    assert lines
    assert all("is not in the corpus" in line for line in lines)
