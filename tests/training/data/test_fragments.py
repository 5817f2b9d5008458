"""What training dialogues are composed of: it loads, and every text is its own and taken from nobody."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz import fuzz, process
from wardround.corpora.medicines import Attribute
from wardround.corpora.words import fold, word_runs

ROOT = Path(__file__).parents[3]
FRAGMENTS = ROOT / "training/data/fragments"
REAL = [
    *sorted((ROOT / "evals/medicineqa_open").glob("*.jsonl")),
    *sorted((ROOT.parent / "shared/data/medicationqa").glob("*.jsonl")),
]
SLOTS = {"med", "other", "brand", "condition", "age", "person", "complaint"}
SAME = 92
"""Two texts with a larger ratio of rapidfuzz differ in a letter or a slot, not in what a person would say."""
RUN = 8
"""Two texts that share so many words in a row are not independent."""
_SLOT = re.compile(r"\{([^{}]*)\}")
FILES = sorted(FRAGMENTS.glob("*.json"))


def entries(file: Path) -> list[dict[str, Any]]:
    rows = json.loads(file.read_text())
    return [{"text": row} if isinstance(row, str) else row for row in rows]


def texts(file: Path) -> list[str]:
    return [row[key] for row in entries(file) for key in ("opening", "text") if key in row]


def words(text: str) -> list[str]:
    return [word for word, _, _ in word_runs(fold(text))]


def runs(text: str) -> set[tuple[str, ...]]:
    """The runs of words that count; a run across a slot is none, since the name in it is no phrase of ours."""
    parts = [words(part) for part in re.split(r"\{[^{}]*\}", text)]
    return {tuple(part[i : i + RUN]) for part in parts for i in range(len(part) - RUN + 1)}


def strings(node: object) -> list[str]:
    """Every string inside a JSON value."""
    if isinstance(node, str):
        return [node]
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return list(chain.from_iterable(map(strings, inside)))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_slots_are_known_and_closed(file: Path) -> None:
    faults = [t for t in texts(file) if set(_SLOT.findall(t)) - SLOTS or re.search(r"[{}]", _SLOT.sub("", t))]
    assert faults == []


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_attributes_are_those_of_the_corpus(file: Path) -> None:
    known = {a.value for a in Attribute}
    lists = [row[key] for row in entries(file) for key in row if key.endswith("attributes")]
    assert [a for a in lists if set(a) - known or len(set(a)) < len(a)] == []


def test_no_text_twice() -> None:
    said = [t for file in FILES for t in texts(file)]
    plain = [" ".join(re.findall(r"\w+|\{\w+\}", t.lower())) for t in said]
    near = process.cdist(plain, plain, scorer=fuzz.ratio, score_cutoff=SAME, workers=1)
    pairs = [(said[i], said[j]) for i, j in zip(*near.nonzero(), strict=True) if i < j]
    assert pairs == []


def test_nothing_stands_in_a_real_set() -> None:
    """Names neither text, so that a run of the tests shows nobody the held-out set."""
    ours: dict[tuple[str, ...], str] = {run: file.name for file in FILES for t in texts(file) for run in runs(t)}
    shared = {run for file in REAL for line in file.open() for s in strings(json.loads(line)) for run in runs(s)}
    assert sorted({ours[run] for run in ours.keys() & shared}) == []


@pytest.mark.parametrize("attribute", [a.value for a in Attribute if a is not Attribute.OTHER])
def test_every_attribute_can_be_asked_for_with_and_without_a_name(attribute: str) -> None:
    asked = [row for row in entries(FRAGMENTS / "questions.json") if row["attributes"][0] == attribute]
    named = [row for row in asked if not row["pronoun"]]
    assert (len(named) >= 60, len(asked) - len(named) >= 40) == (True, True)


def test_a_pronoun_question_names_no_medicine() -> None:
    rows = [row for name in ("questions.json", "zh.json") for row in entries(FRAGMENTS / name) if "pronoun" in row]
    assert [row["text"] for row in rows if row["pronoun"] == ("{med}" in row["text"])] == []


def test_who_takes_it_is_one_of_four() -> None:
    rows = [row for name in ("questions", "long_turns", "openings") for row in entries(FRAGMENTS / f"{name}.json")]
    assert {row["voice"] for row in rows} == {"self", "other", "clinician", "any"}
    assert [row["text"] for row in rows if "they" in row and row["voice"] != "other"] == []


def test_what_is_referred_to_was_named() -> None:
    said = [f"{row['opening']} {row['text']}" for row in entries(FRAGMENTS / "referring.json")]
    assert [turns for turns in said if not ("{med}" in turns and "{other}" in turns)] == []


def test_who_asks_which_medicine_names_only_another() -> None:
    rows = entries(FRAGMENTS / "which_tried.json")
    assert [row for row in rows if "{med}" in f"{row['opening']} {row['text']}" or len(row["keywords"]) > 60] == []
