"""Who may read what: a `Grant` is the only key to a patient's records, and only `issue` makes one.

A model, a client's JSON and a retrieved text can write an id, but not a `Grant`: it can't be made from a dict, is not
read from a checkpoint, and the tools take it from the run context alone.

    caller (our code checked the credentials) -> issue(...) -> Grant -> RunContext(grant) -> tool
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict, final

from ...errors import AccessDenied, UserError
from .moments import clock_difference, span

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from .records import Study

_ISSUED: Final = object()


@dataclass(frozen=True)
class Caller:
    """Who asks, after our code has checked how they prove it: a bearer token, a login, or owning the file."""

    name: str
    patients: frozenset[str] | None = frozenset()
    """The patients they may read. None is all of a store: for a person who owns its file anyway."""


OWNER = Caller("owner of the file", None)
"""A person at a terminal. The rights of the file system decide what they can open."""


class Studies(Protocol):
    """What `issue` asks of a store."""

    @property
    def id(self) -> str:
        """Tells this store from any other."""
        ...

    def has_patient(self, patient: str) -> bool:
        """Whether it knows the patient."""
        ...

    def study(self, study: str, *, of: str) -> Study | None:
        """The study with this id if it is one of patient `of`, else None."""
        ...


@final
class Grant:
    """The right to read what is known of one patient before one moment. Made by `issue` only."""

    __slots__ = ("_before", "_caller", "_date", "_patient", "_store", "_study", "_zoned")

    def __init__(
        self,
        key: object,
        *,
        caller: Caller,
        store: str,
        patient: str,
        study: str | None,
        before: int,
        zoned: bool,
        date: date,
    ) -> None:
        if key is not _ISSUED:
            raise AccessDenied("a `Grant` cannot be made by hand: `issue` makes one from a checked caller")
        self._caller, self._store, self._patient, self._study = caller, store, patient, study
        self._before, self._zoned, self._date = before, zoned, date

    @property
    def caller(self) -> Caller:
        """Who it was issued to."""
        return self._caller

    @property
    def store(self) -> str:
        """The id of the store it opens."""
        return self._store

    @property
    def patient(self) -> str:
        """The one patient whose records it opens."""
        return self._patient

    @property
    def study(self) -> str | None:
        """The current study, None where a film is not in the store."""
        return self._study

    @property
    def before(self) -> int:
        """Only what ended before this moment may be read: microseconds since 1970, as in `moments.span`."""
        return self._before

    @property
    def zoned(self) -> bool:
        """Whether `before` counts in UTC; else in local time of an unknown zone."""
        return self._zoned

    @property
    def date(self) -> date:
        """The date of the current study as its source writes it; records are dated relative to it."""
        return self._date

    def __repr__(self) -> str:
        return "Grant(...)"  # ids are patient data, and what is printed ends up in logs

    def __reduce__(self) -> Any:
        raise TypeError("a Grant is neither copied nor written down")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Only a real one: what came as JSON is refused wherever pydantic checks it."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Nothing that a client could send."""
        return {"not": {}, "description": "Made by the server from the caller's credentials; cannot be sent."}


@dataclass(frozen=True)
class RunContext:
    """The context of a run (LangGraph's `context_schema`): what a node or tool may know that no message says.

    Raises:
        AccessDenied: `grant` is not one that `issue` made, such as the JSON of a client.
    """

    grant: Grant | None = None

    def __post_init__(self) -> None:
        if self.grant is not None and type(self.grant) is not Grant:
            raise AccessDenied(
                f"the run context's grant came as `{type(self.grant).__name__}`: a client cannot grant itself access, "
                "the server issues it from the caller's credentials"
            )


def issue(
    store: Studies, caller: Caller, *, patient: str, study: str | None = None, at: datetime | None = None
) -> Grant:
    """The right to read what `store` holds of `patient` before `study`, or before `at` for a film that isn't in it.

    Raises:
        AccessDenied: the caller may not read this patient. Says the same where there is no such patient.
        UserError: no such study of that patient, or neither or both of `study` and `at`.
    """
    if (study is None) == (at is None):
        raise UserError("give either the current study or the time of a film that is not among the studies")
    if caller.patients is not None and patient not in caller.patients:
        raise AccessDenied(f"`{caller.name}` may not read the patient `{patient}`, or there is no such patient")
    if not store.has_patient(patient):
        if caller.patients is None:
            raise UserError(f"there is no patient `{patient}`: see `wardround patients show`")
        raise AccessDenied(f"`{caller.name}` may not read the patient `{patient}`, or there is no such patient")
    if at is not None:
        day, (before, _, zoned) = at.date(), span(at, None)
    else:
        assert study is not None  # noqa: S101 - one of the two is given
        found = store.study(study, of=patient)
        if found is None:
            raise UserError(f"the patient `{patient}` has no study `{study}`: see `wardround patients show`")
        day, (before, _, zoned) = found.time.date(), span(found.time, found.until)
    return Grant(
        _ISSUED, caller=caller, store=store.id, patient=patient, study=study, before=before, zoned=zoned, date=day
    )


def granted(context: object) -> Grant:
    """The grant of a run context, whatever a client sent in its place.

    Raises:
        AccessDenied: there is none.
    """
    if type(context) is not RunContext:
        kind = "no run context" if context is None else f"the run context came as `{type(context).__name__}`"
        raise AccessDenied(f"{kind}: patient records need a `RunContext` that the server made")
    if context.grant is None:
        raise AccessDenied("the run context names no patient: give `RunContext(grant=issue(...))`")
    return context.grant


class Bound(TypedDict):
    """Which patient a conversation belongs to, and how far it may see; kept in its checkpoints."""

    store: str
    patient: str
    before: int
    zoned: bool


def binding(context: object) -> Bound:
    """What to put into a conversation's state when a turn begins.

    Raises:
        AccessDenied: the context holds no grant.
    """
    grant = granted(context)
    return Bound(store=grant.store, patient=grant.patient, before=grant.before, zoned=grant.zoned)


def keep_bound(old: Bound | None, new: Bound | None) -> Bound | None:
    """The reducer of the state's binding: set once, then only confirmed, or moved on to a later study.

    Going back to an earlier study is refused as well: the conversation already holds what came after it.

    Raises:
        AccessDenied: the conversation belongs to another patient, or knows more than the study asked about may.
    """
    if old is None or new is None:
        return new if old is None else old
    if (new["store"], new["patient"]) != (old["store"], old["patient"]):
        raise AccessDenied("this conversation belongs to another patient: start a new one")
    if new["before"] + clock_difference(new["zoned"], old["zoned"]) < old["before"]:
        raise AccessDenied("this conversation already holds what came after the study asked about: start a new one")
    return new
