"""Stage I: what is kept of a teacher's replies, how rows are chosen, and that a build goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Handler, fail, say
from wardround.errors import UserError
from wardround.evals.benchmark import Example
from wardround.evals.choices import example_of
from wardround.models import chat_model
from wardround.models.retry import Backoff
from wardround.settings import Settings
from wardround.training.data import read_sft_rows
from wardround.training.data.filters import ReplyFilter, Why, refused
from wardround.training.data.stage1 import Stage1Plan, build_stage1

OPTIONS = {"A": "aspirin", "B": "ibuprofen", "C": "warfarin", "D": "digoxin"}
REASONED = "The pain is in one toe and came at night. " * 6
Build = Callable[..., Any]


def question(number: int, answer: str = "B") -> Example:
    return example_of(f"q{number}", f"Case {number}: which one helps?", OPTIONS, answer, groups={"step": ["1"]})


def reply(text: str, limits: ReplyFilter | None = None) -> Why | None:
    return refused(question(1), text, limits or ReplyFilter())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{REASONED}\nAnswer: B", None),
        (f"{REASONED}\nAnswer: (B).", None),
        (f"{REASONED}\nAnswer: C", "wrong answer"),
        (f"{REASONED} It is B.", "no answer line"),
        ("It is B.\nAnswer: B", "too short"),
        (f"{REASONED * 40}\nAnswer: B", "too long"),
        (f"{REASONED}\n" + "The same long sentence again.\n" * 3 + "Answer: B", "repeats itself"),
        ("疼痛在一个脚趾，发生在夜间。" * 20 + "\nAnswer: B", "other language"),
        (f"{REASONED} The answer key says so.\nAnswer: B", "leaks"),
        (f"{REASONED} As an AI I cannot know.\nAnswer: B", "leaks"),
    ],
)
def test_a_reply_is_refused_for_one_reason(text: str, why: Why | None) -> None:
    assert reply(text) == why


@pytest.fixture
def build(chat_server: ChatServer, tmp_path: Path) -> Build:
    """Builds Stage I with models on the server."""

    def opened(spec: str, **params: Any) -> Any:
        return chat_model(spec, settings=Settings(retries=0, timeout_s=5), backoff=Backoff(first_s=0), **params)

    def building(questions: list[Example], folder: str = "build", against: tuple[Path, ...] = (), **plan: Any) -> Any:
        told = {"teacher": f"openai:teacher@{chat_server.address}", "at_once": 4, "tries": 2} | plan
        return build_stage1(
            questions, Stage1Plan.model_validate(told), tmp_path / folder, benchmarks=against, opened=opened
        )

    return building


def test_rows_are_traceable_to_question_prompt_and_model(build: Build, chat_server: ChatServer, tmp_path: Path) -> None:
    chat_server.always(say(f"{REASONED}\nAnswer: B"))
    report = build([question(1)])
    (row,) = read_sft_rows(tmp_path / "build" / "rows.jsonl")
    assert row.messages[-1].content.endswith("Answer: B")
    assert row.source["teacher"] == report.plan.teacher
    assert row.source["prompt"] == report.prompt
    assert row.source["question_key"] == question(1).key
    assert row.entity == "q1"


def test_the_first_reply_that_passes_counts_and_the_others_are_counted(build: Build, chat_server: ChatServer) -> None:
    chat_server.then(say(f"{REASONED}\nAnswer: A"))
    chat_server.always(say(f"{REASONED}\nAnswer: B"))
    report = build([question(1)])
    assert (report.rows, report.refused) == (1, {"wrong answer": 1})


def test_what_the_base_model_always_knows_is_left_out(build: Build, chat_server: ChatServer) -> None:
    def answers(handler: Handler, body: dict[str, Any]) -> None:
        easy = "Case 1" in json.dumps(body)
        if body["model"] == "base":
            say("Answer: B" if easy else "Answer: A")(handler, body)
        else:
            say(f"{REASONED}\nAnswer: B")(handler, body)

    chat_server.always(answers)
    base = f"openai:base@{chat_server.address}"
    report = build([question(1), question(2)], base=base, hard_share=1.0)
    assert report.difficulties == {"easy": 1, "hard": 1}
    assert report.rows == 1
    assert sum(request.body["model"] == "base" for request in chat_server.requests) == 16


def test_a_set_is_balanced_over_letters(build: Build, chat_server: ChatServer) -> None:
    def answers(handler: Handler, body: dict[str, Any]) -> None:
        number = int(body["messages"][-1]["content"].split(":")[0].removeprefix("Case "))
        say(f"{REASONED}\nAnswer: {'B' if number < 9 else 'C'}")(handler, body)

    chat_server.always(answers)
    report = build([question(n, "B" if n < 9 else "C") for n in range(12)], size=6)
    assert report.letters == {"B": 3, "C": 3}


def test_text_of_a_benchmark_is_refused(build: Build, chat_server: ChatServer, tmp_path: Path) -> None:
    chat_server.always(say(f"{REASONED}\nAnswer: B"))
    asked = "A woman of thirty comes at night with a swollen red toe that hurts badly."
    (tmp_path / "test.jsonl").write_text(json.dumps({"question": asked}) + "\n", encoding="utf-8")
    known = example_of("known", asked + " Which one helps?", OPTIONS, "B")
    report = build([question(1), known], against=(tmp_path / "test.jsonl",))
    assert report.rows == 1
    assert [one.row for one in report.overlap.refused] == ["stage1-known"]


def test_a_build_that_was_stopped_asks_only_what_is_missing(
    build: Build, chat_server: ChatServer, tmp_path: Path
) -> None:
    chat_server.always(say(f"{REASONED}\nAnswer: B"))
    build([question(1), question(2)])
    asked = len(chat_server.requests)
    journal = tmp_path / "build" / "journal.jsonl"
    whole = journal.read_text(encoding="utf-8")
    journal.write_text(whole[:-20], encoding="utf-8")  # cut off by a kill
    report = build([question(1), question(2)])
    assert report.rows == 2
    assert len(chat_server.requests) == asked + 1


def test_calls_that_fail_are_reported_and_tried_again_the_next_time(build: Build, chat_server: ChatServer) -> None:
    chat_server.always(say(f"{REASONED}\nAnswer: B"))
    chat_server.then(fail(400))
    first = build([question(1), question(2)], tries=1, at_once=1)
    assert (first.rows, len(first.failed_calls)) == (1, 1)
    again = build([question(1), question(2)], tries=1, at_once=1)
    assert (again.rows, again.failed_calls) == (2, ())


def test_no_row_at_all_says_why(build: Build, chat_server: ChatServer) -> None:
    chat_server.always(say("Answer: C"))
    with pytest.raises(UserError, match=r"none of 2 questions gave a row \(wrong answer 4\)"):
        build([question(1), question(2)])
