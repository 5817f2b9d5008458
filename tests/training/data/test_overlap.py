"""Benchmark text in training data is refused and reported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from wardround.training.data import ChatMessage, SftRow
from wardround.training.data.overlap import benchmark_texts, without_overlap


def row(row_id: str, text: str) -> SftRow:
    messages = (ChatMessage(role="user", content=text), ChatMessage(role="assistant", content="{}"))
    return SftRow(id=row_id, messages=messages)


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    path = tmp_path / "bench.jsonl"
    said = "Since the wedding my left knee hums like a fridge whenever I take the blue ones."
    dialogue = [{"role": "user", "content": said}, {"role": "assistant", "content": "And now?"}]
    rows = [{"id": "q1", "dialogue": dialogue}, {"id": "q2", "question": "does metamucil bind my heart pill"}]
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


class Letters:
    """An encoder whose vectors count letters: texts of the same letters are near."""

    name = "letters@1"
    dimensions = 26

    def encode(self, texts: Sequence[str], *, kind: str) -> np.ndarray:
        assert kind == "query"
        counts = np.array([[t.lower().count(chr(97 + i)) for i in range(26)] for t in texts], dtype=np.float32)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def test_turns_and_questions_of_a_benchmark_are_read(benchmark: Path) -> None:
    texts = benchmark_texts([benchmark])
    assert list(texts) == ["bench.jsonl: q1", "bench.jsonl: q1#1", "bench.jsonl: q2"]


def test_eight_words_in_a_row_are_refused(benchmark: Path) -> None:
    rows = [
        row("own", "My knee hums, and it began after the wedding."),
        row("taken", "Hello! MY LEFT KNEE, hums like a fridge whenever it rains"),
    ]
    kept, report = without_overlap(rows, [benchmark])
    assert [r.id for r in kept] == ["own"]
    assert [(r.row, r.benchmark) for r in report.refused] == [("taken", "bench.jsonl: q1")]
    assert "my left knee hums like a fridge whenever" in report.refused[0].why
    assert (report.rows, report.texts, report.encoder) == (2, 3, None)


def test_a_short_question_is_refused_as_a_whole(benchmark: Path) -> None:
    rows = [row("same", "user: hi\nquestion: does metamucil bind my heart pill"), row("other", "does metamucil bind")]
    assert [r.id for r in without_overlap(rows, [benchmark])[0]] == ["other"]


def test_nearness_in_meaning_is_refused_where_an_encoder_is_at_hand(benchmark: Path) -> None:
    rows = [
        row("near", "question: my heart pill does metamucil bind"),
        row("far", "question: zebra quiz, xylophone jazz"),
    ]
    kept, report = without_overlap(rows, [benchmark], encoder=Letters())
    assert [r.id for r in kept] == ["far"]
    assert report.refused[0].why.startswith("cosine 1.0")
    assert report.nearest is not None and report.nearest < 0.95
