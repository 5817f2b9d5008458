"""Words of a text that look like the name of a medicine which the corpus does not hold.

So that "is zolgensma safe" can be met with "no zolgensma in this database" instead of with what other medicines say. No
list of all names exists: a word counts that general English hardly uses and that is neither a misspelt everyday word
nor built like the name of a disease. Only Latin letters: Chinese has no spaces that would show where a name begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from .aliases import words_elsewhere
from .linking import Mention
from .names import SALTS, is_form
from .spelling import most_edits
from .words import fold, plain_word, terms, word_runs

_SHORTEST: Final = 5
_RARE: Final = 2.0
"""Zipf frequency from which a word needs the ending of a medicine's name to be taken for one."""
_COMMON: Final = 3.5
_VERY_COMMON: Final = 5.3
_LIKE_A_MEDICINE: Final = re.compile(
    r".{2,}(?:cillin|mycin|micin|floxacin|azole|sartan|pril|statin|mab|nib|vir|gliptin|gliflozin|parin|caine|codeine|"
    r"dronate|codone|contin|morphone|barbital|zepam|zolam|tidine|triptan|setron|profen|oxicam|fibrate|olol|dipine|thiazide|"
    r"semide|lukast|terol|cort|sone|solone|onide|cycline|xaban|grel|glutide|cept|platin|rubicin|taxel|mectin|codin)$"
)
_NO_MEDICINE: Final = re.compile(
    r".*(?:itis|osis|oses|oma|omas|emia|aemia|uria|algia|pathy|pathic|ectomy|ology|ological|graphy|genic|plasia|plegia|"
    r"trophy|rrhea|rrhoea|monale|alis|ness|ment|ments|tion|tions|tioned|ingly|able|ible|less|ful|ously|shape|tabs?|ache|"
    r"aches|pain|logist|ological|s[iy]ndrome)$"
)


def unknown_names(text: str, mentions: Sequence[Mention], known: Callable[[str], bool]) -> list[str]:
    """The words of `text` (folded), in order and once each, that look like a medicine's name and are unknown.

    `mentions` are the names found in `text`; `known` tells whether a search term stands in any passage; that
    alone does not make a word with a medicine's ending known.
    """
    found: dict[str, None] = {}
    for run, start, _ in word_runs(fold(text)):
        word = plain_word(run)
        if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()) or is_form(word) or word in SALTS:
            continue
        if any(m.start <= start < m.end for m in mentions):
            continue
        # A medicine may be spoken of in the leaflets of others and still have none of its own.
        if any(known(term) for term in terms(word)) and not _LIKE_A_MEDICINE.match(word):
            continue
        if _like_a_name(word):
            found[word] = None
    return list(found)


def _like_a_name(word: str) -> bool:
    from wordfreq import zipf_frequency

    if len(word) > 30 or zipf_frequency(word, "en", wordlist="small") > 0:
        return False
    if word in words_elsewhere() or _LIKE_A_MEDICINE.match(word):
        return True
    if zipf_frequency(word, "en", wordlist="large") >= _RARE or _NO_MEDICINE.match(word):
        return False
    return not _run_together(word) and not _misspelt(word)


def _run_together(word: str) -> bool:
    """Whether a word is two everyday words without the space ("howmuch")."""
    from wordfreq import zipf_frequency

    return any(
        min(zipf_frequency(part, "en", wordlist="small") for part in (word[:at], word[at:])) >= _VERY_COMMON
        for at in range(2, len(word) - 1)
    )


@lru_cache(maxsize=1)
def _common_words() -> tuple[str, ...]:
    from wordfreq import get_frequency_dict

    least = 10 ** (_COMMON - 9)
    frequencies = get_frequency_dict("en", wordlist="small")
    return tuple(w for w, f in frequencies.items() if f >= least and len(w) >= _SHORTEST - 1 and w.isalpha())


def _misspelt(word: str) -> bool:
    """Whether a common word is within a typing mistake or two."""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extractOne

    limit = most_edits(word)
    return extractOne(word, _common_words(), scorer=OSA.distance, score_cutoff=limit) is not None
