"""What MCP hosts get: the medicine search, what is known of a medicine, patient history, and each agent as one tool.

The host's model writes the arguments. So no argument names a patient: whose records may be read is said by the
caller's key, or by whoever started a server for one person (`Seat`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from pydantic import BaseModel, ConfigDict, Field

from ..agents.turn import MedicineSearch
from ..corpora.medicines import Attribute, SearchCall
from ..corpora.patients.access import issue
from ..corpora.patients.history import HistoryQuery, history
from ..corpora.patients.records import History, Scope
from ..corpora.patients.region_words import asked_regions
from ..corpora.patients.store import PatientStore
from ..errors import UserError
from ..tools.patient_history import history_text
from .agents import UTILITY, Agent
from .callers import Caller
from .gateway import Gateway
from .refusing import Refused
from .telling import Teller, final_text
from .turns import Asked

MOST_PASSAGES: Final = 10
_LONGEST_QUESTION: Final = 20_000


@dataclass(frozen=True)
class Seat:
    """Who calls, and about whom: from credentials, never from a tool's arguments."""

    caller: Caller
    patient: str | None = None
    study: str | None = None


class FoundPassage(BaseModel):
    """A passage of a medicine's leaflet."""

    model_config = ConfigDict(frozen=True)
    passage_id: str
    medicine: str
    attribute: str
    text: str
    source: str
    source_id: str
    date: str | None
    """None where the label's date is unknown."""


class KnownMedicine(BaseModel):
    """What the database has of a medicine."""

    model_config = ConfigDict(frozen=True)
    medicine_id: str
    name: str
    other_names: list[str]
    attributes: list[str]
    """The subjects that there are texts on."""


class Turn(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["user", "assistant"]
    content: str = Field(max_length=_LONGEST_QUESTION)


class CitedSource(BaseModel):
    """A passage or record that an answer cites by its number."""

    model_config = ConfigDict(frozen=True)
    n: int
    title: str
    text: str
    source: str
    date: str | None


class Answered(BaseModel):
    """An agent's answer."""

    model_config = ConfigDict(frozen=True)
    answer: str
    sources: list[CitedSource]
    waits_for: str | None = None
    """Where a person must decide first: the run that waits. There is no answer yet."""


Progress = Callable[[str], Any]
"""Told a line for people while an agent works; may be a coroutine function's call."""


class Tools:
    """The functions behind the tools, over a gateway.

    Args:
        gateway: admits, keeps, audits and bounds turns as for every other way in.
        medicines: the medicine database.
        patients: the patient records, if any are served.
    """

    def __init__(self, gateway: Gateway, medicines: MedicineSearch, patients: PatientStore | None = None) -> None:
        self._gateway = gateway
        self._medicines = medicines
        self.patients = patients

    @property
    def agents(self) -> list[Agent]:
        """Those that become tools: all but the plain model."""
        return [agent for agent in self._gateway.agents.values() if agent.name != UTILITY]

    async def search_medicine(
        self, medicine: str | None, attribute: Attribute | None, keywords: str, limit: int
    ) -> list[FoundPassage]:
        """The best passages.

        Raises:
            UserError: neither a medicine nor keywords.
        """
        if not (medicine or "").strip() and not keywords.strip():
            raise UserError("give a `medicine`, or `keywords` to search all texts with")
        call = SearchCall(medicine=medicine, attribute=attribute, keywords=keywords)
        hits = await asyncio.to_thread(self._medicines.search, call, limit)
        return [
            FoundPassage(
                passage_id=hit.passage.id,
                medicine=hit.passage.medicine,
                attribute=hit.passage.attribute.value,
                text=hit.passage.text,
                source=hit.passage.source.name,
                source_id=hit.passage.source.id,
                date=hit.passage.source.date,
            )
            for hit in hits
        ]

    async def look_up(self, name: str) -> list[KnownMedicine]:
        """The medicines that a text names, the likeliest record of each."""
        return await asyncio.to_thread(self._look_up, name)

    def _look_up(self, name: str) -> list[KnownMedicine]:
        records = [self._medicines.medicine_of(mention) for mention in self._medicines.mentions(name)]
        unique = {record.id: record for record in records if record is not None}
        return [
            KnownMedicine(
                medicine_id=record.id,
                name=record.names.display,
                other_names=sorted({*record.names.generic, *record.names.brands, *record.names.aliases}),
                attributes=[attribute.value for attribute in record.texts],
            )
            for record in unique.values()
        ]

    async def patient_history(self, seat: Seat, region: str | None, scope: Scope, limit: int) -> str:
        """Earlier records of the seat's patient, as blocks of text.

        Raises:
            AccessDenied: the caller may not read this patient.
            UserError: no records are served, no patient is set, or a region is needed and unknown.
        """
        if self.patients is None or seat.patient is None:
            raise UserError(
                "this connection is bound to no patient: use a key that is bound to one, or name one in the header "
                "`X-Wardround-Patient`, or start the server with `--patients FILE --patient ID`"
            )
        regions = asked_regions(region) if region else ()
        if scope is not Scope.GLOBAL and not regions:
            raise UserError(f"`{region or ''}` names no region of the chest: name one, or take the scope `global`")
        at = None if seat.study else datetime.now(UTC)
        grant = issue(self.patients, seat.caller.reader, patient=seat.patient, study=seat.study, at=at)
        query = HistoryQuery(scope=scope, regions=regions, limit=limit)
        found: History = await asyncio.to_thread(history, self.patients, grant, query)
        return history_text(found)

    async def ask(
        self, seat: Seat, agent: str, question: str, conversation: list[Turn], progress: Progress
    ) -> Answered:
        """An agent's answer to a question after a conversation.

        Raises:
            Refused: the caller may not, a limit is reached, or the turn failed.
        """
        said: list[AnyMessage] = [
            HumanMessage(turn.content) if turn.role == "user" else AIMessage(turn.content) for turn in conversation
        ]
        asked = Asked(
            caller=seat.caller,
            agent=self._gateway.agent(agent, seat.caller),
            messages=[*said, HumanMessage(question)],
            patient=seat.patient if self._gateway.agents[agent].context else None,
            study=seat.study,
        )
        turn = await self._gateway.turns.admit(asked)
        teller, answer, waits = Teller(), "", None
        try:
            async for event in turn.events():
                for piece in teller.tell(event):
                    if piece.kind == "progress":
                        await progress(piece.text)
                if event.kind == "error":
                    raise Refused(int(event.data["status"]), str(event.data["message"]), type=event.data["type"])
                if event.kind == "interrupt":
                    waits = turn.run
                elif event.kind == "final":
                    answer = final_text(event.data)
        finally:
            await turn.stop()
        sources = [
            CitedSource(n=n, title=one["title"], text=one["text"], source=one["source"], date=one["date"])
            for n, one in teller.sources.items()
        ]
        return Answered(answer=answer or teller.content, sources=sources, waits_for=waits)


ScopeArgument = Annotated[Scope, Field(description="global: whole reports; regional: only the region; both.")]
