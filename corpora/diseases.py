"""Names of diseases: which are the same, and which code a name has.

Two names are the same disease if nothing tells them apart once spelling (British and American, accents, hyphens), the
order around "of", possessives, brackets and words that say nothing ("probable") are out of the way, or if the shipped
list of names has them on one line. Kind and site stay: "small cell carcinoma of the lung" is not "lung carcinoma".
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ..errors import MissingExtra
from .words import fold

_BRACKETS: Final = re.compile(r"\s*[(\[（][^()\[\]（）]{0,80}[)\]）]")
_OF: Final = re.compile(r"^(?P<what>[\w ]+?) (?:of|in) (?:the )?(?P<site>[\w ]+)$")
_SAYS_NOTHING: Final = re.compile(
    r"\b(?:a|an|the|probable|possible|likely|suspected|presumed|patient with|diagnosis of|consistent with|new onset|"
    r"newly diagnosed|nos|unspecified|not otherwise specified)\b"
)
_SPELLINGS: Final = (
    (re.compile(r"ae(?=[mdsr])"), "e"),
    (re.compile(r"oe(?=[adlmnst])"), "e"),
    (re.compile(r"tumour"), "tumor"),
    (re.compile(r"fibre"), "fiber"),
    (re.compile(r"(?<=[a-z]{3})ise(?=[ds]?\b)"), "ize"),
    (re.compile(r"yse(?=d?\b)"), "yze"),
)
"""British to American, on both sides of a comparison; what it does to a word that is neither does no harm there."""
_ROMAN: Final = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6"}
_NUMBERED: Final = re.compile(r"\b(type|stage|grade|class|factor) (i{1,3}|iv|vi?)\b")
_S: Final = re.compile(r"['’`]s?(?=\s|$)")


@cache
def disease_key(name: str) -> str:
    """What names of one disease have in common; empty for a text without letters."""
    return _same_names().get(plain := _plain(name), plain)


def same_disease(a: str, b: str) -> bool:
    """Whether two names stand for one disease. An abbreviation in brackets is read, too: "GCA (temporal arteritis)"."""
    return bool(_keys(a) & _keys(b))


def _keys(name: str) -> set[str]:
    inside = [text for text in re.findall(r"[(\[（]([^()\[\]（）]{2,80})[)\]）]", name) if text.strip()]
    known = _same_names()
    found = {disease_key(name)} | {known[key] for text in inside if (key := _plain(text)) in known}
    return found - {""}


def _plain(name: str) -> str:
    text = _S.sub("", _BRACKETS.sub(" ", name).replace("’", "'"))
    text = " ".join(re.findall(r"\w+", fold(text)))
    for pattern, plain in _SPELLINGS:
        text = pattern.sub(plain, text)
    text = " ".join(_SAYS_NOTHING.sub(" ", text).split())
    text = _NUMBERED.sub(lambda m: f"{m[1]} {_ROMAN[m[2]]}", text)
    if turned := _OF.match(text):
        text = f"{turned['site']} {turned['what']}"
    return text


@cache
def _same_names() -> dict[str, str]:
    """Every plain name of the list -> the plain first name of its line."""
    found: dict[str, str] = {}
    lines = (files("wardround.corpora") / "disease_names.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.strip() and not line.startswith("#"):
            first, *others = (_plain(name) for name in line.split("|"))
            for name in (first, *others):
                found.setdefault(name, first)
    return found


@cache
def _codes() -> dict[str, str]:
    """Plain name -> ICD-10-CM code, from the classification's own titles and inclusion terms.

    Raises:
        MissingExtra: the package with the classification is not installed.
    """
    try:
        import simple_icd_10_cm as icd
    except ImportError:
        raise MissingExtra(
            "ICD-10-CM codes need the package `simple-icd-10-cm`: run `pip install 'wardround[icd]'`"
        ) from None
    tree: Any = icd
    found: dict[str, str] = {}
    included: dict[str, str] = {}
    for code in tree.get_all_codes():
        if tree.is_chapter_or_block(code) or tree.is_extended_subcategory(code):
            continue
        found.setdefault(disease_key(tree.get_description(code)), code)
        for term in tree.get_inclusion_term(code):
            included.setdefault(disease_key(term), code)
    return included | found


def icd10cm(name: str) -> str | None:
    """The ICD-10-CM code that is titled so, or lists the name as included; None where there is none of this name.

    The first call reads the classification, which takes some seconds.

    Raises:
        MissingExtra: `simple-icd-10-cm` is not installed.
    """
    codes = _codes()
    return next((codes[key] for key in (disease_key(name), *sorted(_keys(name))) if key in codes), None)
