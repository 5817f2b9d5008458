"""What a consultation's calls, citations and silence are worth against the gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...agents.turn import DistilledBy
from ...corpora.medicines import Attribute
from ...corpora.words import fold
from ..benchmark import Output, Values
from ..gold import Gold
from ..same_medicine import SameMedicine

_BY_MODEL: Final = frozenset({DistilledBy.MODEL.value, DistilledBy.REPAIR.value, DistilledBy.FALLBACK.value})
_SILENT: Final = frozenset({"nothing_found", "medicine_not_found", "attribute_missing"})
"""Flags of an answer that says what the database lacks."""


def call_values(calls: Sequence[Mapping[str, Any]], data: Mapping[str, Any], gold: Gold, same: SameMedicine) -> Values:
    """Instruction following, and whether the calls name what answers.

    `instruction_following`: whether every call that the model was asked for was valid as it first wrote it; None where
    no model was asked. `medicine_right`, `attribute_right`: of any call, whoever made it. `redundant_calls`: calls for
    no right medicine, or for what an earlier one asked. `missing_calls`: right medicines that no call names. A target
    that searches without calls (it has evidence and no call) is judged by none of these.
    """
    asked = [call for call in calls if call["distilled_by"] in _BY_MODEL]
    values: Values = {
        "instruction_following": float(all(c["distilled_by"] == DistilledBy.MODEL for c in asked)) if asked else None
    }
    named = [(call, same.of_name(call["medicine"])) for call in calls if call.get("medicine")]
    by_other_means = not calls and bool(data.get("evidence"))
    if not gold.pairs or "calls" not in data or by_other_means:
        return values | dict.fromkeys(("medicine_right", "attribute_right", "redundant_calls", "missing_calls"))
    right = [(call, any(gold.medicine(identity) for identity in identities)) for call, identities in named]
    pairs = [
        any(gold.pair(identity, Attribute(call["attribute"])) for identity in identities)
        for call, identities in named
        if call.get("attribute")
    ]
    values["medicine_right"] = float(any(ok for _, ok in right))
    values["attribute_right"] = float(any(pairs)) if gold.by_attribute else None
    seen: set[tuple[object, ...]] = set()
    redundant = 0
    for call, ok in right:
        place = (fold(call["medicine"]), call.get("attribute"), call.get("keywords"))
        redundant += not ok or place in seen
        seen.add(place)
    values["redundant_calls"] = float(redundant)
    wanted = {identities for identities, _ in gold.pairs}
    named_all = frozenset().union(*(identities for _, identities in named)) if named else frozenset()
    values["missing_calls"] = float(sum(not identities & named_all for identities in wanted))
    return values


def citation_values(
    citations: Sequence[Mapping[str, Any]], evidence: Sequence[Mapping[str, Any]], gold: Gold, same: SameMedicine
) -> Values:
    """Of an answer's citations: the share that stands in what was retrieved, the share that is gold, and the share of
    the gold that is cited. Checked again here, from passage and quote, whatever the graph says."""
    texts = {item["passage_id"]: item for item in evidence}
    values: Values = dict.fromkeys(("citation_validity", "citation_precision", "citation_recall"))
    if citations:
        valid = [
            c["passage_id"] in texts and _plain(c["quote"]) in _plain(texts[c["passage_id"]]["text"]) for c in citations
        ]
        values["citation_validity"] = sum(valid) / len(valid)
    if not gold.pairs:
        return values
    cited = {
        (same.of_id(texts[c["passage_id"]]["medicine_id"]), Attribute(c["attribute"]))
        for c in citations
        if c["passage_id"] in texts
    }
    known = [(identity, attribute) for identity, attribute in cited if identity is not None]
    if gold.by_attribute:
        good = [gold.pair(identity, attribute) for identity, attribute in known]
        met = [any(i in ids and a == wanted for i, a in known) for ids, wanted in gold.pairs]
    else:
        good = [gold.medicine(identity) for identity, _ in known]
        met = [any(i in ids for i, _ in known) for ids, _ in gold.pairs]
    values["citation_precision"] = sum(good) / len(good) if good else None
    values["citation_recall"] = sum(met) / len(met)
    return values


def silence_values(output: Output, *, has_gold: bool) -> Values:
    """Whether the answer says that nothing was found: it is flagged so, or cites nothing at all."""
    flags: Any = output.data.get("flags") or []
    silent = any(flag["kind"] in _SILENT for flag in flags) or not output.data.get("citations")
    if has_gold:
        return {"abstention": None, "false_abstention": float(silent)}
    return {"abstention": float(silent), "false_abstention": None}


def _plain(text: str) -> str:
    return " ".join(fold(text).split())
