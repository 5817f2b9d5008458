"""MedE2's two stages in small, text only: SmolLM2-135M as it is, after Stage I, after DPO on top, and after DPO alone.

There is no teacher at hand, so the model teaches itself (after STaR, arXiv 2203.14465): told the right option, it
explains it; what passes the filters of Stage I is a demonstration. Pairs for DPO are replies sampled from the model
that is tuned, a right one before a wrong one: text only, scored by the answer and by no judge, so this is not Stage II.

    python perf/two_stages_small.py --data QUESTIONS --out DIR [--train 600] [--pairs 400] [--test 500] [--samples 4]

QUESTIONS is any file that `wardround eval multiple-choice` reads, with text-only questions of four options. Everything
is kept in DIR; the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import JsonValue
from wardround.evals.benchmark import Example
from wardround.evals.choices import options_of
from wardround.evals.letters import read_letter
from wardround.evals.statistics import rate
from wardround.settings import get_settings
from wardround.training.base_model import load_base, merged
from wardround.training.config import TrainingConfig
from wardround.training.data import ChatMessage, PreferenceRow, SftRow, write_rows
from wardround.training.data.difficulty import difficulty
from wardround.training.data.filters import ReplyFilter, refused
from wardround.training.data.stage1 import read_questions
from wardround.training.encoding import plain, render
from wardround.training.run import train
from wardround.training.scoring import write_replies

BASE: Final = "smollm2"
FILTER: Final = ReplyFilter(shortest=80, longest=1500)
MOST_TOKENS: Final = 112
MOST_CHARACTERS: Final = 1400
"""Of a question with its options: longer ones are left out, before anything else is done."""
TOLD: Final = "{question}\n\nThe answer is: {right}. Explain in two or three sentences why this is the answer."
"""Without the options, which so small a model would only repeat."""
OPTIONS: Final = 4
SEED: Final = 5


def main() -> None:
    """Make the data, train three times, test four models, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, default=600, help="questions for Stage I")
    parser.add_argument("--pairs", type=int, default=400, help="of them, those that pairs are sampled from")
    parser.add_argument("--test", type=int, default=500)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--seed", type=int, default=SEED)
    told = parser.parse_args()
    found = [q for q in read_questions(told.data) if len(options_of(q)) == OPTIONS and len(asked(q)) <= MOST_CHARACTERS]
    random.Random(told.seed).shuffle(found)  # noqa: S311 -- an order, no secret
    tested, learned = found[: told.test], found[told.test : told.test + told.train]
    stage1 = demonstrated(learned, told.out)
    tuned = {"Stage I": [stage1]}
    for name, before in (("DPO without Stage I", None), ("Stage I, then DPO", stage1)):
        tuned[name] = [*([before] if before else []), preferred(name, learned[: told.pairs], before, told)]
    for name, adapters in {"base": list[Path](), **tuned}.items():
        replies = kept(
            told.out / f"test-{_file(name)}.json",
            lambda adapters=adapters: written(adapters, [asked(q) for q in tested]),
        )
        letters = [read_letter(r, options_of(q)).letter for r, q in zip(replies, tested, strict=True)]
        figure = rate([letter == q.gold["answer"] for letter, q in zip(letters, tested, strict=True)])
        low, high = figure.ci or (0.0, 1.0)
        print(f"{name}: {figure.value:.3f} [{low:.3f}, {high:.3f}], n = {len(tested)}; letters {_counted(letters)}")
        print(f"    for example: {replies[0][-200:]!r}", flush=True)


def asked(example: Example) -> str:
    """What the benchmark asks."""
    return str(example.messages[-1]["content"])


def demonstrated(questions: Sequence[Example], out: Path) -> Path:
    """The adapter of Stage I."""
    told = [TOLD.format(question=q.gold["question"], right=_right(q)) for q in questions]
    texts = kept(out / "explained.json", lambda: written([], told))
    rows: list[SftRow] = []
    why: Counter[str] = Counter()
    for question, text in zip(questions, texts, strict=True):
        reply = f"{_whole(text)}\n\nAnswer: {question.gold['answer']}"
        reason = refused(question, reply, FILTER)
        why[reason or "taken"] += 1
        if reason is None:
            turns = (ChatMessage(role="user", content=asked(question)), ChatMessage(role="assistant", content=reply))
            source: dict[str, JsonValue] = {
                "builder": "two_stages_small",
                "question": question.id,
                "teacher": f"{BASE}, told the answer",
            }
            rows.append(SftRow(id=question.id, messages=turns, source=source))
    print(f"Stage I: {dict(why)}", flush=True)
    write_rows(rows, out / "stage1.jsonl")
    config = TrainingConfig(
        kind="sft", base=BASE, train=out / "stage1.jsonl", precision="auto", learning_rate=5e-4, warmup=0.1
    )
    train(config, out / "run-stage1", settings=get_settings(), say=print)
    return out / "run-stage1" / "adapter"


def preferred(name: str, questions: Sequence[Example], before: Path | None, told: argparse.Namespace) -> Path:
    """The adapter of DPO, on the replies of the model that it starts from."""
    out: Path = told.out
    prompts = [asked(q) for q in questions for _ in range(told.samples)]
    adapters = [before] if before else []
    texts = kept(out / f"samples-{_file(name)}.json", lambda: written(adapters, prompts, temperature=1.0))
    rows: list[PreferenceRow] = []
    levels: Counter[str] = Counter()
    for number, question in enumerate(questions):
        said = list(dict.fromkeys(texts[number * told.samples : (number + 1) * told.samples]))
        letters = {text: read_letter(text, options_of(question)).letter for text in said}
        right = [text for text in said if letters[text] == question.gold["answer"]]
        wrong = [text for text in said if letters[text] not in (None, question.gold["answer"])]
        levels[difficulty(len(right), told.samples, OPTIONS)] += 1
        if right and wrong:
            rows.append(
                PreferenceRow(
                    id=question.id,
                    prompt=(ChatMessage(role="user", content=asked(question)),),
                    chosen=(ChatMessage(role="assistant", content=right[0]),),
                    rejected=(ChatMessage(role="assistant", content=wrong[0]),),
                    source={"builder": "two_stages_small", "question": question.id},
                )
            )
    print(f"{name}: {len(rows)} pairs; difficulty less guessing {dict(levels)}", flush=True)
    file = out / f"pairs-{_file(name)}.jsonl"
    write_rows(rows, file)
    config = TrainingConfig(
        kind="dpo", base=BASE, start=before, train=file, precision="auto", batch_size=4, learning_rate=1e-4, warmup=0.1
    )
    train(config, out / f"run-{_file(name)}", settings=get_settings(), say=print)
    return out / f"run-{_file(name)}" / "adapter"


def written(adapters: Sequence[Path], prompts: Sequence[str], *, temperature: float = 0.0) -> list[str]:
    """The replies of the base model with adapters merged in, one after the other."""
    base = load_base(BASE, settings=get_settings())
    model: Any = base.model
    for adapter in adapters:
        model = merged(model, adapter)
    torch.manual_seed(SEED)
    rendered = [
        render(base.tokenizer, plain([ChatMessage(role="user", content=text)]), "asked", generation=True)
        for text in prompts
    ]
    return write_replies(
        model.bfloat16(), base.tokenizer, rendered, max_new_tokens=MOST_TOKENS, temperature=temperature, say=print
    )


def kept(path: Path, make: Callable[[], list[str]]) -> list[str]:
    """What `make` gives, or gave the last time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")
    texts: list[str] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def _right(question: Example) -> str:
    return options_of(question)[str(question.gold["answer"])].rstrip(".")


def _whole(text: str) -> str:
    """Without a sentence that was cut off, on one line."""
    flat = " ".join(text.split())
    return flat[: flat.rfind(".") + 1] or flat


def _counted(letters: Sequence[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(letter or "none" for letter in letters).items()))


def _file(name: str) -> str:
    return name.lower().replace(",", "").replace(" ", "-")


if __name__ == "__main__":
    main()
