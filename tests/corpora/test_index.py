"""Building an index: content, changes, hostile input."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import INVENTED, invented
from wardround.corpora import Corpus, SearchCall, change_index, write_index
from wardround.corpora.index import Manifest, SourceUsed
from wardround.corpora.medicines import Attribute, Medicine
from wardround.corpora.passages import MAX_CHARACTERS, passages_of
from wardround.errors import CorpusError

A = Attribute
HOSTILE = {
    "nul": "before\0after",
    "emoji": "take one 👩‍⚕️💊 a day 🇩🇪",
    "rtl": "\u202eنص عربي\u202c and English",
    "million": "x" * 1_000_000,
    "html": "<script>alert(1)</script>",
    "sql": "'); DROP TABLE medicine; --",
    "no words": "!!! ... ???",
    "separators": "a\u2028b\x1cc\x85d",
    "combining": "e" + "\u0301" * 5000,
}


def test_equal_content_has_one_hash_whatever_the_order(tmp_path: Path) -> None:
    hashes: set[str] = set()
    for i, medicines in enumerate(permutations(INVENTED[:3])):
        hashes.add(write_index(tmp_path / str(i), medicines).content_sha256)
    assert len(hashes) == 1
    other = INVENTED[0].model_copy(update={"texts": {A.DOSAGE: "Another text."}})
    assert write_index(tmp_path / "other", [other, *INVENTED[1:3]]).content_sha256 not in hashes


def test_of_two_medicines_with_one_id_the_later_counts(tmp_path: Path) -> None:
    first, second = invented("Twicol"), invented("Twicol", texts={A.OTHER: "The later one."})
    assert write_index(tmp_path, [first, second]).medicines == 1
    assert list(Corpus(tmp_path).all_medicines()) == [second]


def test_an_empty_corpus_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    write_index(tmp_path, INVENTED)
    with pytest.raises(CorpusError, match="no medicine was read"):
        write_index(tmp_path, [])
    assert len(list(Corpus(tmp_path).all_medicines())) == len(INVENTED)


def test_the_manifest_counts(tmp_path: Path) -> None:
    used = SourceUsed(source="table", path="a.csv", sha256=None, medicines=len(INVENTED), problems=2)
    manifest = write_index(tmp_path, INVENTED, sources=lambda: (used,))
    assert manifest.medicines == len(INVENTED)
    assert manifest.passages == sum(1 for m in INVENTED for _ in passages_of(m))
    assert manifest.sources == (used,)
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest


def test_adding_updating_and_removing(tmp_path: Path) -> None:
    write_index(tmp_path, INVENTED)
    added = invented("Addol")
    updated = INVENTED[2].model_copy(update={"texts": {A.OTHER: "Rewritten entirely."}})
    gone = INVENTED[0].id
    change_index(tmp_path, add=[added, updated], remove=frozenset({gone}))
    corpus = Corpus(tmp_path)
    assert {m.id for m in corpus.all_medicines()} == {m.id for m in INVENTED} - {gone} | {added.id}
    assert corpus.medicine(updated.id) == updated
    assert corpus.medicine(gone) is None
    assert corpus.search(SearchCall(medicine="addol"))[0].passage.medicine_id == added.id


def test_a_changed_index_equals_one_built_at_once(tmp_path: Path) -> None:
    write_index(tmp_path / "changed", INVENTED[:3])
    changed = change_index(tmp_path / "changed", add=INVENTED[3:])
    whole = write_index(tmp_path / "whole", INVENTED)
    assert changed.content_sha256 == whole.content_sha256
    assert {k: v for k, v in changed.files.items() if k != "corpus.sqlite"} == {
        k: v for k, v in whole.files.items() if k != "corpus.sqlite"
    }


def test_removing_what_is_not_there_is_refused(tmp_path: Path) -> None:
    write_index(tmp_path, INVENTED)
    with pytest.raises(CorpusError, match="holds no medicine `invented:none`"):
        change_index(tmp_path, remove=frozenset({"invented:none"}))
    assert len(list(Corpus(tmp_path).all_medicines())) == len(INVENTED)


def test_changing_an_index_that_does_not_exist_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is no corpus index"):
        change_index(tmp_path / "none", add=INVENTED)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_any_text_comes_back_exactly(tmp_path: Path, text: str) -> None:
    medicine = invented("Hostilol", texts={A.DOSAGE: text, A.OTHER: f"{text} again"})
    write_index(tmp_path, [medicine, invented("Calmol")])
    corpus = Corpus(tmp_path)
    assert corpus.medicine(medicine.id) == medicine
    hits = corpus.search(SearchCall(medicine="hostilol", attribute=A.DOSAGE), 2000)
    found = {h.passage.id: h.passage for h in hits}
    assert found == {p.id: p for p in passages_of(medicine)}
    assert all(medicine.texts[p.attribute][p.start : p.end] == p.text for p in found.values())
    assert all(len(p.text) <= MAX_CHARACTERS for p in found.values())


@pytest.mark.parametrize("name", ["nul\0name", "😀😀", "عقار", "'; DROP", "x" * 100_000, "!!!", "약물"])
def test_any_name_and_id_can_be_indexed(tmp_path: Path, name: str) -> None:
    slug = "".join(c for c in name if not c.isspace() and c != "#")[:500]
    medicine = invented(name, slug=slug)
    write_index(tmp_path, [medicine, invented("Calmol")])
    corpus = Corpus(tmp_path)
    assert corpus.medicine(medicine.id) == medicine
    ids = [p.id for p in passages_of(medicine)]
    assert [p.id for p in corpus.passages(ids)] == ids


def test_half_a_character_is_refused_and_the_old_index_stays(tmp_path: Path) -> None:
    write_index(tmp_path, INVENTED)
    with pytest.raises(CorpusError, match="the medicine 'invented:halfol' cannot be stored"):
        write_index(tmp_path, [invented("Halfol", texts={A.DOSAGE: "\ud800"})])
    assert len(list(Corpus(tmp_path).all_medicines())) == len(INVENTED)


TEXTS = st.dictionaries(
    st.sampled_from(list(A)),
    st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
    min_size=1,
    max_size=4,
)
MEDICINES = st.lists(
    st.tuples(st.text("abcdefgh", min_size=1, max_size=5), TEXTS), min_size=1, max_size=5, unique_by=lambda m: m[0]
)


@settings(max_examples=40, deadline=None)
@given(made=MEDICINES)
def test_what_goes_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, dict[Attribute, str]]]
) -> None:
    medicines: list[Medicine] = [invented(name, texts=texts) for name, texts in made]
    directory = tmp_path_factory.mktemp("any")
    manifest = write_index(directory, medicines)
    corpus = Corpus(directory)
    assert list(corpus.all_medicines()) == sorted(medicines, key=lambda m: m.id + "#")
    passages = [p for m in medicines for p in passages_of(m)]
    assert manifest.passages == len(passages)
    assert corpus.passages([p.id for p in passages]) == passages
