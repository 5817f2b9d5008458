"""Medication consultation: was the right passage found, cited, and silence kept where nothing answers?

After MedicineQA (arXiv 2404.17897): HR@k by document (medicine) and by attribute, and the share of valid search calls.
Which medicines are the same: `evals/same_medicine.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from pydantic import JsonValue

from ...corpora.medicines import Attribute, Medicine
from ...corpora.sources.attributes import resolve
from ...corpora.words import has_chinese
from ...errors import UserError
from ..benchmark import Benchmark, Example, Metric, Output, Score, Values
from ..gold import Gold
from ..reading import Row, read_rows, sha256_of, text_field
from ..same_medicine import Identity, SameMedicine
from .consultation_scores import call_values, citation_values, silence_values

CUTS: Final = (1, 5, 10)
_METRICS: Final = (
    *(
        Metric(
            name=f"hr_document.{k}",
            title="right medicine first" if k == 1 else f"right medicine among the first {k}",
            headline=k == 1,
        )
        for k in CUTS
    ),
    *(
        Metric(
            name=f"hr_attribute.{k}",
            title="right medicine and attribute first"
            if k == 1
            else f"right medicine and attribute among the first {k}",
            headline=k == 1,
        )
        for k in CUTS
    ),
    Metric(name="instruction_following", title="the model's own search calls were valid", headline=True),
    Metric(name="medicine_right", title="a call names a right medicine"),
    Metric(name="attribute_right", title="a call names a right medicine and attribute"),
    Metric(name="redundant_calls", title="calls for no right medicine, or made before", kind="mean", better="lower"),
    Metric(name="missing_calls", title="right medicines that no call names", kind="mean", better="lower"),
    Metric(name="citation_validity", title="citations that stand in what was retrieved", kind="mean"),
    Metric(name="citation_precision", title="citations of a right passage", kind="mean"),
    Metric(name="citation_recall", title="right passages that are cited", kind="mean"),
    Metric(name="abstention", title="says so where nothing answers"),
    Metric(name="false_abstention", title="finds nothing although something answers", better="lower"),
)
_BY_TYPE: Final[dict[str, tuple[Attribute, ...]]] = {
    "Dose": (Attribute.DOSAGE,),
    "Dose/time": (Attribute.DOSAGE,),
    "Usage": (Attribute.DOSAGE,),
    "Usage/time": (Attribute.DOSAGE,),
    "Usage/duration": (Attribute.DOSAGE,),
    "Side effects": (Attribute.ADVERSE_REACTIONS,),
    "Indication": (Attribute.INDICATIONS,),
    "Interaction": (Attribute.INTERACTIONS,),
    "Action": (Attribute.PHARMACOLOGY,),
    "Action/time": (Attribute.PHARMACOLOGY,),
    "Ingredient": (Attribute.COMPOSITION, Attribute.DESCRIPTION),
    "Appearance": (Attribute.DESCRIPTION, Attribute.COMPOSITION),
    "Stopping/tapering": (Attribute.DOSAGE, Attribute.PRECAUTIONS),
    "Storage and disposal": (Attribute.STORAGE,),
    "Overdose": (Attribute.OVERDOSE,),
    "Contraindication": (Attribute.CONTRAINDICATIONS,),
}
"""MedicationQA's question types, and where a label answers them. Our reading of the types, not the data set's."""


def load(data: Path, *, medicines: Iterable[Medicine], corpus_sha256: str) -> Benchmark:
    """The benchmark over a file of ours (`id`, `dialogue`, `evidence`) or of MedicationQA (`question`, `medicine`).

    `medicines` are those of the corpus that the targets search, `corpus_sha256` its hash: they tell which names mean
    the same. MedicationQA's gold is the medicine in focus; its questions about no medicine of the corpus are left out,
    as its gold is defined by them, and counted in a note. Which attribute answers is read from its question types where
    a type stands for one (`_BY_TYPE`); the others are not scored by attribute.

    Raises:
        UserError: the file can't be read or holds something else.
    """
    same = SameMedicine(medicines)
    rows = read_rows(data)
    notes: list[str] = []
    if "dialogue" in rows[0].data:
        examples = [_dialogue(row) for row in rows]
        golds = {example.id: _gold(example, same) for example in examples}
        unheld = sum(bool(g.pairs) and not any(ids for ids, _ in g.pairs) for g in golds.values())
        if unheld:
            notes.append(f"{unheld} of {len(examples)} examples have gold only in labels that the corpus lacks.")
    elif "question" in rows[0].data and "medicine" in rows[0].data:
        asked = [_question(row) for row in rows]
        examples = [example for example in asked if same.knows(str(example.gold["medicine"]))]
        golds = {example.id: _gold(example, same) for example in examples}
        notes.append(f"{len(asked) - len(examples)} of {len(asked)} questions are about no medicine of the corpus.")
        typed = sum("attributes" in example.gold for example in examples)
        notes.append(f"The gold names no attributes; of {typed} questions the question type stands for some.")
    else:
        fields = ", ".join(f"`{name}`" for name in rows[0].data)
        raise UserError(f"{rows[0].where} has {fields}: medicineqa reads `dialogue` and `evidence`, or `question`")

    def score(example: Example, output: Output) -> Score:
        return _score(output, golds[example.id], same, asked=_asked_gold(example, golds[example.id]))

    return Benchmark(
        name="medicineqa",
        examples=examples,
        metrics=_METRICS,
        score=score,
        score_failed=lambda example: _failed(golds[example.id], asked=_asked_gold(example, golds[example.id])),
        options={"data": data.name, "data_sha256": sha256_of(data)[:16], "corpus": corpus_sha256[:16]},
        notes=notes,
    )


def _dialogue(row: Row) -> Example:
    turns, evidence = row.data.get("dialogue"), row.data.get("evidence", [])
    if not isinstance(turns, list) or not isinstance(evidence, list):
        raise UserError(f"{row.where}: `dialogue` and `evidence` must be lists")
    said = [(_named(turn, "role", row), _named(turn, "content", row)) for turn in turns]
    if not said:
        raise UserError(f"{row.where}: the dialogue is empty")
    gold = [{name: str(value) for name, value in _dict(entry, row).items()} for entry in evidence]
    for entry in gold:
        if "medicine" not in entry or resolve(entry.get("attribute", "")) is None:
            raise UserError(f"{row.where}: evidence `{entry}` names no medicine, or no known attribute")
    groups: dict[str, tuple[str, ...]] = {"language": ("zh" if has_chinese(said[-1][1]) else "en",)}
    if category := row.data.get("category"):
        groups["category"] = (str(category),)
    if traits := row.data.get("traits"):
        groups["trait"] = tuple(map(str, traits))
    note = row.data.get("reference_answer") or row.data.get("answer_note")
    extra = {"answer": str(note)} if note else {}
    kept = cast("dict[str, JsonValue]", {"evidence": gold, **extra})
    messages = tuple[dict[str, JsonValue], ...]({"role": role, "content": content} for role, content in said)
    return Example(id=text_field(row, "id"), messages=messages, gold=kept, groups=groups)


def _question(row: Row) -> Example:
    question = text_field(row, "question")
    kind = row.data.get("question_type")
    attributes = cast("list[JsonValue]", [a.value for a in _BY_TYPE.get(str(kind), ())])
    return Example(
        id=text_field(row, "id"),
        messages=({"role": "user", "content": question},),
        gold={"medicine": text_field(row, "medicine"), **({"attributes": attributes} if attributes else {})},
        groups={"category": (str(kind),)} if kind else {},
    )


def _gold(example: Example, same: SameMedicine) -> Gold:
    if "medicine" in example.gold:
        return Gold(((same.of_name(str(example.gold["medicine"])), None),))
    pairs: list[tuple[frozenset[Identity], Attribute | None]] = []
    entries: Any = example.gold["evidence"]
    for entry in entries:
        label = entry.get("set_id")
        identities = same.of_label(label) if label else same.of_name(entry["medicine"])
        pairs.append((identities, resolve(entry["attribute"])))
    return Gold(tuple(pairs))


def _asked_gold(example: Example, gold: Gold) -> Gold:
    """The gold by which `hr_attribute` is scored: MedicationQA's gets the attributes of its question types."""
    attributes: Any = example.gold.get("attributes")
    if not attributes:
        return gold
    return Gold(tuple((identities, Attribute(a)) for identities, _ in gold.pairs for a in attributes))


def _score(output: Output, gold: Gold, same: SameMedicine, *, asked: Gold) -> Score:
    evidence: Sequence[Mapping[str, Any]] = _list(output, "evidence")
    found = [
        (same.of_id(item["medicine_id"]) or frozenset({item["medicine"]}), Attribute(item["attribute"]), item)
        for item in evidence
    ]
    values: Values = {}
    documents = _distinct([(item["medicine_id"], gold.medicine(identity)) for identity, _, item in found])
    passages = _distinct(
        [((item["medicine_id"], attribute), asked.pair(identity, attribute)) for identity, attribute, item in found]
    )
    for k in CUTS:
        values[f"hr_document.{k}"] = float(any(documents[:k])) if gold.pairs else None
        values[f"hr_attribute.{k}"] = float(any(passages[:k])) if asked.by_attribute else None
    calls = _list(output, "calls")
    values |= call_values(calls, output.data, gold, same)
    values |= citation_values(_list(output, "citations"), evidence, gold, same)
    values |= silence_values(output, has_gold=bool(gold.pairs))
    flags = tuple(str(flag["kind"]) for flag in _list(output, "flags"))
    return Score(values=values, why=_why(documents, passages, gold, silent=values), flags=flags)


def _failed(gold: Gold, *, asked: Gold) -> Values:
    """A failure finds nothing, cites nothing, and does not say that nothing answers."""
    has_gold = bool(gold.pairs)
    values: Values = {}
    for k in CUTS:
        values[f"hr_document.{k}"] = 0.0 if has_gold else None
        values[f"hr_attribute.{k}"] = 0.0 if asked.by_attribute else None
    values |= dict.fromkeys(("instruction_following", "redundant_calls", "citation_validity", "citation_precision"))
    values |= {"medicine_right": 0.0 if has_gold else None, "attribute_right": 0.0 if gold.by_attribute else None}
    values |= {"missing_calls": None, "citation_recall": 0.0 if has_gold else None}
    values |= {"abstention": None if has_gold else 0.0, "false_abstention": 1.0 if has_gold else None}
    return values


def _why(documents: Sequence[bool], passages: Sequence[bool], gold: Gold, *, silent: Values) -> str:
    if not gold.pairs:
        return "Nothing answers, and the answer says so." if silent["abstention"] else "Nothing answers; it answered."
    if not documents:
        return "Nothing was retrieved."

    def rank(right: Sequence[bool]) -> str:
        return f"number {right.index(True) + 1} of {len(right)}" if True in right else f"not among {len(right)}"

    said = f"The first right medicine is {rank(documents)}"
    return f"{said}; with its attribute, {rank(passages)}." if gold.by_attribute else f"{said}."


def _distinct(ranked: Sequence[tuple[object, bool]]) -> list[bool]:
    """Rank counts each document (or pair) once, where it comes first."""
    first: dict[object, bool] = {}
    for name, right in ranked:
        first.setdefault(name, right)
    return list(first.values())


def _list(output: Output, name: str) -> list[Any]:
    value = output.data.get(name)
    return list(value) if isinstance(value, list) else []


def _dict(value: object, row: Row) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{row.where}: `{value}` is no JSON object")
    return value


def _named(turn: object, name: str, row: Row) -> str:
    value = _dict(turn, row).get(name)
    if not isinstance(value, str):
        raise UserError(f"{row.where}: a turn has no text `{name}`")
    return value
