"""What our own page asks the server: what there is, turns as a stream of events, and what waits for a person.

The events are those of `graphs/events.py`, one a line. Of the final state only what is shown is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast

from fastapi import APIRouter, Query, Request
from langchain_core.messages import AnyMessage, HumanMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json, to_jsonable_python
from starlette.responses import Response
from starlette.types import Send

from ..corpora.patients.store import PatientStore
from ..errors import UserError
from ..graphs.events import Event
from . import wire
from .agents import UTILITY, Agent
from .callers import Caller
from .chat import errors
from .chat_request import ChatMessage, ChatRequest, conversation_of
from .gateway import Gateway
from .refusing import Refused
from .replying import Manner, Reply, error_response, send_json
from .telling import final_text
from .turns import Asked, Turn

_LONGEST_ID: Final = 200
_MOST_PATIENTS: Final = 500
_SHOWN: Final = ("answer", "differential", "reading", "letter", "records", "flags", "specialist")
"""What of a final state is shown beside its text. Everything else, such as what models were told, stays here."""


class Film(BaseModel):
    """An image of the last message."""

    model_config = ConfigDict(extra="forbid")
    label: str = Field(max_length=80)
    url: str = Field(description="`data:image/...;base64,...`")


class Said(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["user", "assistant"]
    content: str


class TurnRequest(BaseModel):
    """The body of `POST /api/turns`."""

    model_config = ConfigDict(extra="forbid")
    agent: str
    messages: list[Said] = Field(default=[], description="The whole conversation; left out for a decision.")
    films: list[Film] = Field(default=[], max_length=8)
    conversation: str = Field(default="", max_length=_LONGEST_ID)
    patient: str | None = Field(default=None, description="Checked against the key.")
    study: str | None = None
    resumes: str | None = Field(default=None, description="The run that waits.")
    decision: Any = Field(default=None, description="What it is given: `{decisions: [...]}`.")


class About(BaseModel):
    """What the page shows of the server."""

    model_config = ConfigDict(frozen=True)
    model: str
    corpus: str
    """In words: what it is and how much it holds."""


def turn_routes(gateway: Gateway, about: About, patients: PatientStore | None = None) -> APIRouter:
    """The routes over a gateway."""
    router = APIRouter(prefix="/api", tags=["our page"])

    @router.get("/page", responses=errors())
    async def page(request: Request) -> dict[str, Any]:
        """The agents that the caller may use with their graphs, the model, the corpus, and the patients it may read."""
        caller = gateway.doorkeeper.caller(request.headers)
        usable = [agent for agent in gateway.agents.values() if agent.name != UTILITY and caller.may_use(agent.name)]
        return {
            "agents": [_card(agent) for agent in usable],
            "patients": _readable(caller, patients),
            **about.model_dump(),
        }

    @router.post(
        "/turns",
        responses={
            200: {"content": {"text/event-stream": {}}, "description": "The events."},
            **errors(400, 404, 413, 415, 429, 500, 503, 504),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": TurnRequest.model_json_schema()}},
            }
        },
    )
    async def turns(request: Request) -> Response:
        """Run a turn; its events come as they happen. Closing the connection stops it."""
        try:
            return await _turn(gateway, request)
        except (Refused, UserError) as error:
            response = error_response(error)
            gateway.watch.refused(response.status_code)
            return response

    @router.get("/turns/{run}/waiting", responses=errors(404))
    async def waiting(request: Request, run: str, agent: str = Query(max_length=_LONGEST_ID)) -> dict[str, Any]:
        """What a run that waits asks its person."""
        caller = gateway.doorkeeper.caller(request.headers)
        return {"run": run, "data": await gateway.turns.waiting(caller, gateway.agent(agent, caller), run)}

    return router


async def _turn(gateway: Gateway, http: Request) -> Response:
    caller = gateway.doorkeeper.caller(http.headers)
    request = _read(await http.body())
    agent = gateway.agent(request.agent, caller)
    if request.resumes is None:
        messages = _messages(request, agent)
    elif not agent.asks or request.decision is None:
        raise Refused(400, "`decision` is missing: say what the waiting run shall do.", param="decision")
    else:
        messages = []
    asking = Asked(
        caller=caller,
        agent=agent,
        messages=messages,
        conversation=request.conversation,
        patient=request.patient or None,
        study=request.study or None,
        resumes=request.resumes,
        decision=request.decision,
        steps=True,
    )

    async def admit() -> Turn:
        return await gateway.turns.admit(asking)

    manner = Manner(model=request.agent, stream=True)
    return EventReply(admit, manner, gateway.options.patience, gateway.watch.refused)


def _read(body: bytes) -> TurnRequest:
    try:
        return TurnRequest.model_validate(from_json(body, allow_inf_nan=False))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(400, f"`{where or 'body'}`: {first['msg']}.", param=where or None) from None
    except ValueError as error:
        raise Refused(400, f"The body is no JSON that can be read: {error}.", code="invalid_json") from None


def _messages(request: TurnRequest, agent: Agent) -> list[AnyMessage]:
    """The conversation, the films of its last message each after its label."""
    if not request.messages:
        raise Refused(400, "`messages` is empty: send what the person says.", param="messages")
    *before, last = [ChatMessage(role=one.role, content=one.content) for one in request.messages]
    if request.films:
        shown: list[Any] = [{"type": "image_url", "image_url": {"url": film.url}} for film in request.films]
        last = ChatMessage(role=last.role, content=[*shown, {"type": "text", "text": last.content}])
    chat = ChatRequest(model=request.agent, messages=[*before, last])
    messages = conversation_of(chat, images=agent.images, whole=agent.whole)
    if not request.films:
        return messages
    parts = cast("list[Any]", messages[-1].content)
    labelled: list[Any] = []
    for film, part in zip(request.films, parts[:-1], strict=True):
        labelled += [{"type": "text", "text": f"{film.label}:"}, part]
    return [*messages[:-1], HumanMessage([*labelled, parts[-1]])]


class EventReply(Reply):
    """The events as they happen, one a line; the first says which run it is."""

    async def _stream(self, turn: Turn, send: Send) -> None:
        try:
            first = [await turn.next(self._patience.head_s)]
        except TimeoutError:
            first = []
        if first and first[0] is not None and first[0].kind == "error":  # up to here a fault has a status of its own
            self._refused(first[0].data["status"])
            await send_json(send, first[0].data["status"], {"error": _error(first[0])})
            return

        async def put(data: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        headers = [(name.encode(), value.encode()) for name, value in wire.STREAM_HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await put(wire.line({"kind": "begun", "data": {"run": turn.run}}))
        while True:
            try:
                event = first.pop() if first else await turn.next(self._patience.keep_alive_s)
            except TimeoutError:
                await put(wire.PING)
                continue
            if event is None:
                break
            await put(wire.line(shown_event(event)))
        await put(wire.DONE, more=False)


def shown_event(event: Event) -> dict[str, Any]:
    """An event for the page."""
    if event.kind == "error":
        data: Mapping[str, Any] = _error(event)
    elif event.kind == "final":
        shown = {name: event.data[name] for name in _SHOWN if event.data.get(name)}
        data = {"text": final_text(event.data), **shown}
    else:
        data = event.data
    return {"kind": event.kind, "data": to_jsonable_python(data, by_alias=True, fallback=str)}


def _error(event: Event) -> dict[str, Any]:
    return {name: event.data[name] for name in ("message", "type", "param", "code")}


def _card(agent: Agent) -> dict[str, Any]:
    drawn = agent.graph.get_graph()
    return {
        "name": agent.name,
        "title": agent.title,
        "images": agent.images,
        "patients": agent.context,
        "asks": agent.asks,
        "nodes": [name for name in drawn.nodes if not name.startswith("__")],
        "edges": [[edge.source, edge.target] for edge in drawn.edges],
    }


def _readable(caller: Caller, patients: PatientStore | None) -> Sequence[str]:
    """The patients to choose from."""
    if patients is None:
        return []
    if caller.patients is not None:
        return sorted(patient for patient in caller.patients if patients.has_patient(patient))
    ids: list[str] = []
    for patient in patients.patient_ids():
        if len(ids) == _MOST_PATIENTS:
            break
        ids.append(patient)
    return ids
