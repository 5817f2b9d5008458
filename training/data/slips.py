"""Mistyping, as people do it: `fragments/slips.json` applied to a text, the names of medicines left alone."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from . import phrases

_KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NUMBERS: Final = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "eight": "8"}
_MOST_WORDS: Final = 3


def slipped(text: str, rng: random.Random, *, keep: Sequence[str]) -> str:
    """`text` with one or two habits of typing and a few misspelt words; `keep` (names) stays as it is."""
    entries = phrases.slips()
    for name in rng.sample(sorted(_RULES), k=rng.randint(1, 2)):
        text = _apart(text, keep, lambda part, rule=_RULES[name]: rule(part, rng))
    wrong = [e for e in entries if e["kind"] == "word"]
    rng.shuffle(wrong)
    done = 0
    for entry in wrong:
        if done < _MOST_WORDS and re.search(rf"\b{re.escape(entry['from'])}\b", text):
            text = _apart(text, keep, lambda part, e=entry: _replaced(part, e))
            done += 1
    return text


def _replaced(text: str, entry: dict[str, Any]) -> str:
    return re.sub(rf"\b{re.escape(entry['from'])}\b", lambda _: str(entry["to"]), text, count=1)


def _apart(text: str, keep: Sequence[str], change: Callable[[str], str]) -> str:
    """`change` applied to what stands between the names."""
    kept = [re.escape(name) for name in keep if name]
    if not kept:
        return change(text)
    parts = re.split(f"({'|'.join(kept)})", text)
    return "".join(part if i % 2 else change(part) for i, part in enumerate(parts))


def _on_long_word(change: Callable[[str, int], str]) -> Callable[[str, random.Random], str]:
    def rule(text: str, rng: random.Random) -> str:
        words = list(re.finditer(r"[A-Za-z]{5,}", text))
        if not words:
            return text
        word = rng.choice(words)
        at = rng.randrange(1, len(word.group()) - 1)
        return text[: word.start()] + change(word.group(), at) + text[word.end() :]

    return rule


def _neighbour(word: str, at: int) -> str:
    row = next((keys for keys in _KEYS if word[at].lower() in keys), None)
    if row is None:
        return word
    place = row.index(word[at].lower())
    return word[:at] + row[place - 1 if place else 1] + word[at + 1 :]


_RULES: Final[dict[str, Callable[[str, random.Random], str]]] = {
    "drop_final_mark": lambda text, _: re.sub(r"[.?!]\s*$", "", text),
    "drop_commas": lambda text, _: text.replace(",", ""),
    "drop_apostrophes": lambda text, _: text.replace("'", ""),
    "double_mark": lambda text, _: re.sub(r"([?!])\s*$", r"\1\1", text),
    "space_before_mark": lambda text, _: text.replace("?", " ?"),
    "drop_article": lambda text, _: re.sub(r"\b(?:a|an|the) ", "", text),
    "dots_for_pauses": lambda text, _: re.sub(r"\. ", "... ", text, count=1),
    "run_on": lambda text, _: re.sub(r"\. ", " and ", text),
    "sms_numbers": lambda text, _: re.sub(
        r"\b(?:one|two|three|four|five|six|eight)\b", lambda m: _NUMBERS[m.group()], text
    ),
    "swap_neighbours": _on_long_word(lambda w, at: w[:at] + w[at + 1] + w[at] + w[at + 2 :]),
    "drop_letter": _on_long_word(lambda w, at: w[:at] + w[at + 1 :]),
    "double_letter": _on_long_word(lambda w, at: w[:at] + w[at] + w[at:]),
    "neighbour_key": _on_long_word(_neighbour),
}
"""Of the rules in `slips.json` those that change something once case is folded, and no names: these have their own."""
