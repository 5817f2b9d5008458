"""Text to search terms, for English and Chinese.

English words are lower-cased, stop words dropped, and stemmed with Snowball. Chinese has no spaces, so runs of Chinese
characters go through a word segmenter (jieba's dictionary, in Rust); a segmented word longer than two characters also
gives its pairs of characters, since the dictionary splits names of medicines arbitrarily and differently by context.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

_STOP_WORDS = frozenset(
    "a an and any are as at be been being but by can could did do does for from had has have he her his how i if in "
    "into is it its me my no nor not of on or our out over own she should so some such than that the their them then "
    "there these they this those to too up was we were what when where which while who whom why will with would you "
    "your am im ive dont cant 的 了 是 吗 呢 啊 和 与 或 在 有 我 你 他 她 它 这 那 吧 呀 什么 怎么 请问 可以 能 会 "
    "要 就 也 都 还 很 不 没 没有 一个 这个 那个".split()
)
CHINESE = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUNS = re.compile(rf"[{CHINESE}]+|[0-9]+(?:\.[0-9]+)?|[^\W\d_{CHINESE}]+(?:['’][^\W\d_{CHINESE}]+)?")
_HAS_CHINESE = re.compile(f"[{CHINESE}]")
_PAIRS_FROM = 3


def fold(text: str) -> str:
    """Compatibility-normalised, lower-cased text without accents: full-width forms, ligatures and case made alike."""
    text = unicodedata.normalize("NFKC", text).lower()
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    marks = [ord(c) for c in set(decomposed) if unicodedata.category(c) == "Mn"]
    return unicodedata.normalize("NFC", decomposed.translate(dict.fromkeys(marks)) if marks else decomposed)


def has_chinese(text: str) -> bool:
    """Whether any Chinese character stands in `text`."""
    return _HAS_CHINESE.search(text) is not None


def chinese_run(run: str) -> bool:
    """Whether a run found by `word_runs` is one of Chinese characters: runs are of one kind throughout."""
    return _HAS_CHINESE.match(run) is not None


def plain_word(run: str) -> str:
    """A word without its possessive s and apostrophes: "metformin's" is metformin, "L’Oréal" is loreal."""
    return run.replace("’", "'").removesuffix("'s").replace("'", "")


def word_runs(text: str) -> list[tuple[str, int, int]]:
    """Words, numbers and runs of Chinese characters of a folded text, with their offsets in it."""
    return [(m.group(), m.start(), m.end()) for m in _RUNS.finditer(text)]


@lru_cache(maxsize=1)
def _stemmer() -> Callable[[str], str]:
    from Stemmer import Stemmer

    return Stemmer("english").stemWord


@lru_cache(maxsize=1 << 17)
def _terms_of_word(word: str) -> tuple[str, ...]:
    if word in _STOP_WORDS:
        return ()
    if word[0].isdigit():
        return (word,)
    word = plain_word(word)
    return () if word in _STOP_WORDS else (_stemmer()(word),)


def _terms_of_chinese(run: str) -> list[str]:
    import rjieba

    terms: list[str] = []
    for word in rjieba.cut(run):
        if word in _STOP_WORDS:
            continue
        terms.append(word)
        if len(word) >= _PAIRS_FROM:
            terms.extend(word[i : i + 2] for i in range(len(word) - 1))
    return terms


def terms(text: str) -> list[str]:
    """The search terms of `text` in order, repetitions kept: what BM25 counts, in passages and queries alike."""
    folded = fold(text)
    if not has_chinese(folded):  # most of what is indexed; saves a question a word
        return [term for word in _RUNS.findall(folded) for term in _terms_of_word(word)]
    found: list[str] = []
    for run in _RUNS.findall(folded):
        if chinese_run(run):
            found.extend(_terms_of_chinese(run))
        else:
            found.extend(_terms_of_word(run))
    return found


def everyday_use(word: str) -> float:
    """How common an English word is: the Zipf frequency (log10 of uses in a billion words), 0 for a rare one."""
    from wordfreq import zipf_frequency

    return zipf_frequency(word, "en", wordlist="small")
