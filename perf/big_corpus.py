"""A corpus as large as the paper's: 42,764 medicines, 428,000 passages of 64 words (median), and questions about them.

    python perf/big_corpus.py --data DIR --work DIR

Made from the labels at hand: each passage mixes sentences that stand in one kind of section of different labels, so
words are as frequent as in labels. Every medicine has a brand name of its own, put together from beginnings and ends of
real names; substances are real and shared as on a market: few by hundreds of medicines, most by a dozen. It is written
as openFDA JSONL, so that building an index of it takes all the steps that real labels take. The same seed gives the
same corpus. The questions are those of consumers, with the medicine's name replaced, misspelt, or left out.
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from measuring import LABELS, QUESTIONS, Options, json_lines, options_parser

MEDICINES = 42_764
PASSAGES = 428_000
SECTIONS = (
    "indications_and_usage dosage_and_administration contraindications warnings_and_cautions adverse_reactions "
    "drug_interactions pregnancy pediatric_use geriatric_use overdosage how_supplied description mechanism_of_action"
).split()
"""Each becomes an attribute of its own."""
_WORDS = 64
_SPREAD = 0.45
"""Of the lengths' logarithms."""
_FEWEST, _MOST = 12, 170
"""Words of a passage. More could not stay in one."""
_POPULAR = 20
"""The larger, the more evenly medicines are spread over substances."""


class Made(NamedTuple):
    """Where the corpus and its questions lie."""

    labels: Path
    questions: Path


def make(options: Options) -> Made:
    """Write the corpus and its questions into the work folder, unless they lie there already."""
    made = Made(options.work / "big_corpus.jsonl", options.work / "big_questions.json")
    if made.labels.exists() and made.questions.exists():
        return made
    options.work.mkdir(parents=True, exist_ok=True)
    rng = random.Random(20260401)  # noqa: S311 - figures must repeat
    labels = json_lines(options.data / LABELS)
    names: list[tuple[str, str]] = []
    unfinished = made.labels.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8") as file:
        for label in _labels(labels, rng):
            names.append((label["brand_name"][0], label["generic_name"][0]))
            file.write(json.dumps(label) + "\n")
    unfinished.replace(made.labels)
    asked = _questions(json_lines(options.data / QUESTIONS), names, rng)
    made.questions.write_text(json.dumps(asked, ensure_ascii=False, indent=1), encoding="utf-8")
    return made


def _labels(real: list[dict[str, Any]], rng: random.Random) -> Iterator[dict[str, Any]]:
    pools = _sentences(real)
    brands = _brands(real, rng)
    substances = _substances(real)
    rng.shuffle(substances)
    weights = [1 / (rank + _POPULAR) for rank in range(1, len(substances) + 1)]
    many = set(rng.sample(range(MEDICINES), PASSAGES - 10 * MEDICINES))
    for number in range(MEDICINES):
        substance = rng.choices(substances, weights)[0]
        kinds = rng.sample(SECTIONS, 11 if number in many else 10)
        yield {
            "set_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "effective_time": f"{rng.randint(2015, 2025)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}",
            "version": str(rng.randint(1, 30)),
            "brand_name": [brands[number]],
            "generic_name": [substance.upper()],
            "substance_name": [part.strip().upper() for part in substance.split(",")],
            "route": [rng.choice(("ORAL", "ORAL", "ORAL", "TOPICAL", "INTRAVENOUS", "OPHTHALMIC"))],
            "product_type": ["HUMAN PRESCRIPTION DRUG"],
            "sections": {kind: _text(pools[kind], rng) for kind in kinds},
        }


def _sentences(real: list[dict[str, Any]]) -> dict[str, list[list[str]]]:
    """The sentences of each section as words. A long one is cut."""
    pools: dict[str, list[list[str]]] = defaultdict(list)
    for label in real:
        for kind in SECTIONS:
            for sentence in re.split(r"(?<=[.;])\s+", label["sections"].get(kind, "")):
                words = sentence.split()[:40]
                if len(words) >= 4:
                    pools[kind].append(words)
    return pools


def _text(pool: list[list[str]], rng: random.Random) -> str:
    length = min(max(round(_WORDS * 2.718281828 ** rng.gauss(0, _SPREAD)), _FEWEST), _MOST)
    words: list[str] = []
    while len(words) < length:
        words += rng.choice(pool)
    return " ".join(words[:length])


def _substances(real: list[dict[str, Any]]) -> list[str]:
    found = {", ".join(s.lower() for s in label["substance_name"]) for label in real if label.get("substance_name")}
    return sorted(each for each in found if len(each) <= 80)


def _brands(real: list[dict[str, Any]], rng: random.Random) -> list[str]:
    """As many different names, each a beginning and an end of two real ones."""
    words = sorted({w.lower() for label in real for w in label.get("brand_name") or () if w.isascii() and w.isalpha()})
    heads = sorted({w[:n] for w in words for n in (3, 4, 5) if len(w) > n + 1})
    tails = sorted({w[-n:] for w in words for n in (3, 4, 5) if len(w) > n + 1})
    found: dict[str, None] = {}
    while len(found) < MEDICINES:
        found[(rng.choice(heads) + rng.choice(tails)).capitalize()] = None
    return list(found)


def _questions(real: list[dict[str, Any]], names: list[tuple[str, str]], rng: random.Random) -> dict[str, list[str]]:
    """The kinds of question: `as_asked`, the real ones; the others have another name of the corpus in its place."""
    asked: dict[str, list[str]] = defaultdict(list)
    for row in real:
        question = row["question"]
        asked["as_asked"].append(question)
        found = re.search(re.escape(row["medicine"]), question, re.IGNORECASE)
        if not found:
            continue
        before, after = question[: found.start()], question[found.end() :]
        brand, substance = rng.choice(names)
        asked["brand"].append(f"{before}{brand.lower()}{after}")
        asked["substance"].append(f"{before}{substance.split(',')[0].lower()}{after}")
        asked["misspelt"].append(f"{before}{_misspelt(brand.lower(), rng)}{after}")
        asked["no_name"].append(f"{before}{after}")
    return dict(asked)


def _misspelt(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    mistakes: tuple[Callable[[], str], ...] = (
        lambda: word[:at] + word[at + 1 :],
        lambda: word[:at] + word[at] + word[at:],
        lambda: word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        lambda: word[:at] + rng.choice("aeioust") + word[at + 1 :],
    )
    return rng.choice(mistakes)()


if __name__ == "__main__":
    given = options_parser(__doc__).parse_args()
    print(*make(Options(given.data, given.work)), sep="\n")
