"""What may stand in a checkpoint: our own records, messages, and what LangGraph itself keeps there. Nothing else.

LangGraph's serializer imports and calls whatever type a row names (CVE-2026-28277); even in its strict mode it hands
back the bare contents of a type that it refuses, so that a run goes on with something that is not what was stored.
Here both ends fail: what nobody allowed is neither written nor read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import ormsgpack
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from ..agents.checking import Citation, EvidenceItem
from ..agents.differential import Diagnosis, Differential, Finding, Sample
from ..agents.reader import Draft
from ..agents.reading_records import NumberedRecord, Reading, RecordCitation
from ..agents.router import Specialist
from ..agents.turn import Answer, AnsweredBy, Call, DistilledBy, Flag
from ..agents.urgency import Urgency, UrgencyKind
from ..corpora.medicines import Attribute, Passage, SourceRef
from ..corpora.patients import HistoryRecord, Region, Scope, SectionName, Sentence
from ..errors import UserError, WardroundError

_OURS: Final = (
    Answer, AnsweredBy, Attribute, Call, Citation, Diagnosis, Differential, DistilledBy, Draft, EvidenceItem, Finding,
    Flag, HistoryRecord, NumberedRecord, Passage, Reading, RecordCitation, Region, Sample, Scope, SectionName, Sentence,
    SourceRef, Specialist, Urgency, UrgencyKind,
)  # fmt: skip
_THEIRS: Final = (
    ("datetime", "datetime"),
    ("langchain_core.messages.ai", "AIMessage"),
    ("langchain_core.messages.human", "HumanMessage"),
    ("langchain_core.messages.modifier", "RemoveMessage"),
    ("langchain_core.messages.system", "SystemMessage"),
    ("langchain_core.messages.tool", "ToolMessage"),
    ("langgraph.types", "Interrupt"),
    ("langgraph.types", "Overwrite"),
    ("langgraph.types", "Send"),
)
_KINDS: Final = ("null", "bytes", "bytearray", "msgpack")
"""Forms of a row; `json` and `pickle` come only from older or other serializers."""
_NUMPY: Final = 6
_SNAPSHOT: Final = 7
"""Extension codes of LangGraph's that name no type; all others begin with a module and a name."""


class CheckpointError(WardroundError):
    """A checkpoint names a type that nobody allowed. Its row was changed, or is another program's."""


class StrictSerializer(JsonPlusSerializer):
    """LangGraph's serializer for allowed types only; made by `serializer`."""

    def __init__(self, allowed: frozenset[tuple[str, ...]]) -> None:
        super().__init__(allowed_msgpack_modules=sorted(allowed))
        self._allowed = allowed

    def with_msgpack_allowlist(self, extra_allowlist: object) -> StrictSerializer:  # noqa: ARG002
        """Itself: a compiled graph adds the types of its state, and what is allowed is decided by `serializer`."""
        return self

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """As LangGraph's. Raises `UserError` for a value of a type that could not be read back."""
        row = super().dumps_typed(obj)
        if refused := self._refused(row):
            raise UserError(
                f"a checkpoint cannot hold `{refused}`: allow the type with `serializer(also=[...])`, or keep it out "
                "of the graph's state"
            )
        return row

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """As LangGraph's. Raises `CheckpointError` where a row is of another form or names a type not allowed."""
        if data[0] not in _KINDS:
            raise CheckpointError(f"a checkpoint has a row of the form `{data[0]}`: it was not written by wardround")
        if refused := self._refused(data):
            raise CheckpointError(
                f"a checkpoint names the type `{refused}`, which is not allowed: it was changed, or is not wardround's"
            )
        return super().loads_typed(data)

    def _refused(self, row: tuple[str, bytes]) -> str | None:
        """The first type in a row that is not allowed, found without importing or calling anything."""
        refused: list[str] = []

        def look(code: int, data: bytes) -> None:
            inner = ormsgpack.unpackb(data, ext_hook=look, option=ormsgpack.OPT_NON_STR_KEYS)
            if code == _SNAPSHOT:
                return
            named = (str(inner[0]), str(inner[1])) if code != _NUMPY else ("numpy", "ndarray")
            if named not in self._allowed:
                refused.append(".".join(named))

        if row[0] == "msgpack":
            ormsgpack.unpackb(row[1], ext_hook=look, option=ormsgpack.OPT_NON_STR_KEYS)
        return refused[0] if refused else None


def allowed_types(also: Sequence[type] = ()) -> frozenset[tuple[str, ...]]:
    """Module and name of every type that may stand in a checkpoint: ours, LangGraph's, and `also`."""
    return frozenset({*((t.__module__, t.__qualname__) for t in (*_OURS, *also)), *_THEIRS})


def serializer(*, also: list[type] | None = None) -> StrictSerializer:
    """A serializer for the state of the graphs here: `InMemorySaver(serde=serializer())`.

    Args:
        also: further types, for the state of a graph of your own.

    Built-in values (text, numbers, lists, dicts) need no permission.
    """
    return StrictSerializer(allowed_types(also or ()))
