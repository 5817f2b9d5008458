"""The OpenAI-compatible routes: the list of models, and chat completions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, cast
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from langchain_core.messages import AnyMessage, HumanMessage
from pydantic import BaseModel

from ..errors import UserError
from .agents import UTILITY, Agent
from .asking import ASK_USER, Answered, answer_in, decision_of
from .callers import CHAT_HEADER, Caller
from .chat_request import ChatRequest, conversation_of, read_request
from .gateway import Gateway
from .refusing import Refused
from .replying import Fixed, Manner, Reply, error_response
from .turns import Asked, Turn

_NATIVE: Final = "x-openwebui-"
_CONVERSATION: Final = (CHAT_HEADER, "x-conversation-id")
_LONGEST_ID: Final = 200


class ModelCard(BaseModel):
    """A line of the list of models."""

    id: str
    object: str = "model"
    created: int
    owned_by: str = "wardround"
    name: str
    context_length: int | None = None


class ModelList(BaseModel):
    """The list."""

    object: str = "list"
    data: list[ModelCard]


class ErrorBody(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorReply(BaseModel):
    """OpenAI's form of an error."""

    error: ErrorBody


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": ErrorReply, "description": "The request cannot be answered."},
    401: {"model": ErrorReply, "description": "No key, or an unknown one."},
    403: {"model": ErrorReply, "description": "The key may not do this."},
    404: {"model": ErrorReply, "description": "There is no such thing."},
    413: {"model": ErrorReply, "description": "The request is too large."},
    415: {"model": ErrorReply, "description": "The body is not declared as JSON."},
    429: {"model": ErrorReply, "description": "A limit of the key is reached."},
    500: {"model": ErrorReply, "description": "A fault here."},
    503: {"model": ErrorReply, "description": "The model server cannot answer."},
    504: {"model": ErrorReply, "description": "The turn took too long."},
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error replies of a route, for its description."""
    return {status: ERRORS[status] for status in (401, 403, *statuses)}


def chat_routes(gateway: Gateway) -> APIRouter:
    """The routes over a gateway."""
    router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

    @router.get("/models", response_model=ModelList, response_model_exclude_none=True, responses=errors())
    async def list_models(request: Request) -> Any:
        """The agents that the caller may use, and the plain model `utility`."""
        caller = gateway.doorkeeper.caller(request.headers)
        return ModelList(data=[_card(gateway, a) for a in gateway.agents.values() if caller.may_use(a.name)])

    @router.get("/models/{name}", response_model=ModelCard, response_model_exclude_none=True, responses=errors(404))
    async def one_model(request: Request, name: str) -> Any:
        """One of them."""
        return _card(gateway, gateway.agent(name, gateway.doorkeeper.caller(request.headers)))

    @router.post(
        "/chat/completions",
        responses={
            200: {"content": {"application/json": {}, "text/event-stream": {}}, "description": "The answer."},
            **errors(400, 404, 413, 415, 429, 500, 503, 504),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _self_contained(ChatRequest.model_json_schema())}},
            }
        },
    )
    async def chat_completions(request: Request) -> Response:
        """Answer a conversation, whole or as a stream."""
        try:
            return await _completions(gateway, request)
        except (Refused, UserError) as error:
            response = error_response(error)
            gateway.watch.refused(response.status_code)
            return response

    return router


def _self_contained(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, which would point nowhere from inside the description."""
    parts: dict[str, Any] = schema.pop("$defs", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, dict):
            held = cast("dict[str, Any]", node)
            if name := str(held.get("$ref", "")).rpartition("/")[2]:
                return resolved(parts[name])
            return {key: resolved(value) for key, value in held.items()}
        return [resolved(one) for one in cast("list[Any]", node)] if isinstance(node, list) else node

    return resolved(schema)


def _card(gateway: Gateway, agent: Agent) -> ModelCard:
    return ModelCard(
        id=agent.name, created=gateway.started, name=f"{agent.name}: {agent.title}", context_length=agent.context_tokens
    )


async def _completions(gateway: Gateway, http: Request) -> Response:
    caller = gateway.doorkeeper.caller(http.headers)
    request = read_request(await http.body())
    agent = gateway.agent(request.model, caller)
    if request.is_side_task and UTILITY in gateway.agents:
        agent = gateway.agents[UTILITY]
    native = any(name.startswith(_NATIVE) for name in http.headers)
    manner = Manner(
        model=request.model,
        stream=bool(request.stream),
        usage=request.wants_usage,
        native=native,
        sources_text=gateway.options.sources_text and not native,
        asks_user=request.offers(ASK_USER),
    )
    answered = answer_in(request) if agent.asks else None
    decision: Any = None
    messages: list[AnyMessage] = []
    if answered is not None:
        asked = await gateway.turns.waiting(caller, agent, answered.run)
        decision = decision_of(answered.said, asked)
        if decision is None:
            return _still_waits(answered, manner)
        messages = [HumanMessage(answered.said)]
    else:
        messages = conversation_of(request, images=agent.images, whole=agent.whole)
    asking = Asked(
        caller=caller,
        agent=agent,
        messages=messages,
        conversation=_conversation(request, http.headers, caller, agent),
        patient=request.named("patient") or http.headers.get("x-wardround-patient"),
        study=request.named("study") or http.headers.get("x-wardround-study"),
        resumes=answered.run if answered else None,
        decision=decision,
    )

    async def admit() -> Turn:
        return await gateway.turns.admit(asking)

    return Reply(admit, manner, gateway.options.patience, gateway.watch.refused)


def _still_waits(answered: Answered, manner: Manner) -> Response:
    text = (
        "This decides nothing, so it still waits. Answer `approve`, `reject: why`, or `edit: what shall stand instead`."
        f"\n\n(It waits as `{answered.run}`.)"
    )
    return Fixed(text, manner, f"run-{uuid4().hex}")


def _conversation(request: ChatRequest, headers: Mapping[str, str], caller: Caller, agent: Agent) -> str:
    """The name of the conversation: the frontend's, or one made of how it began; none for the plain model."""
    if agent.name == UTILITY:
        return ""
    named = request.named("conversation") or next((headers[name] for name in _CONVERSATION if headers.get(name)), "")
    if named:
        return named[:_LONGEST_ID]
    first = next((message for message in request.messages if message.role == "user"), None)
    said = repr(first.content if first is not None else "")
    patient = request.named("patient") or headers.get("x-wardround-patient") or ""
    beginning = "\x00".join((caller.owner, agent.name, patient, said))
    return "c-" + hashlib.sha256(beginning.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def json_error(refused: Refused) -> JSONResponse:
    """A refusal as a reply."""
    return JSONResponse(refused.body, status_code=refused.status, headers=refused.headers)
