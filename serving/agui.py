"""AG-UI (CopilotKit, assistant-ui and others): `POST /agui/{agent}`, its events made of ours.

Of what a client sends, the messages are read and the answer to what waits; its `state`, `context`, `tools` and
`forwardedProps` give it nothing. Why the package that serves LangGraph over AG-UI is not used:
docs/decisions/0045-agui-from-our-events.md.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, cast

from ag_ui.core import (
    AssistantMessage,
    BaseEvent,
    CustomEvent,
    Interrupt,
    MessagesSnapshotEvent,
    ReasoningEndEvent,
    ReasoningMessageContentEvent,
    ReasoningMessageEndEvent,
    ReasoningMessageStartEvent,
    ReasoningStartEvent,
    RunAgentInput,
    RunErrorEvent,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunFinishedSuccessOutcome,
    RunStartedEvent,
    StateSnapshotEvent,
    StepFinishedEvent,
    StepStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)
from fastapi import APIRouter, FastAPI, Request
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import Send

from ..errors import UserError
from ..graphs.events import Event
from . import wire
from .agents import Agent
from .callers import Caller
from .chat import errors
from .chat_request import ChatMessage, ChatRequest, conversation_of
from .gateway import Gateway
from .page_turns import shown_event
from .refusing import Refused
from .replying import Manner, Reply, error_response
from .telling import Teller
from .turns import Asked, Turn

PATH: Final = "/agui"
_LONGEST_ID: Final = 200


@asynccontextmanager
async def mounted_agui(app: FastAPI, gateway: Gateway) -> AsyncGenerator[None]:
    """Serve every agent at `/agui/NAME` for as long as this is open, behind the keys of the gateway."""
    app.include_router(_routes(gateway))
    yield


def _routes(gateway: Gateway) -> APIRouter:
    router = APIRouter(prefix=PATH, tags=["AG-UI"])

    @router.post(
        "/{name}",
        responses={
            200: {"content": {"text/event-stream": {}}, "description": "AG-UI's events."},
            **errors(400, 404, 413, 415, 429, 500, 503, 504),
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    )
    async def run(request: Request, name: str) -> Response:
        """Run an agent; the body is AG-UI's `RunAgentInput`. Closing the connection stops it."""
        try:
            return await _run(gateway, request, name)
        except (Refused, UserError) as error:
            response = error_response(error)
            gateway.watch.refused(response.status_code)
            return response

    return router


async def _run(gateway: Gateway, http: Request, name: str) -> Response:
    caller = gateway.doorkeeper.caller(http.headers)
    agent = gateway.agent(name, caller)
    try:
        given = RunAgentInput.model_validate_json(await http.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(400, f"`{where or 'body'}`: {first['msg']}.", param=where or None) from None
    conversation = given.thread_id[:_LONGEST_ID]
    waits = await _waiting(gateway, caller, agent, conversation, given) if agent.asks else None
    asking = Asked(
        caller=caller,
        agent=agent,
        messages=[] if waits else _messages(given, agent),
        conversation=conversation,
        patient=http.headers.get("x-wardround-patient"),
        study=http.headers.get("x-wardround-study"),
        resumes=waits[0] if waits else None,
        decision=waits[1] if waits else None,
        steps=True,
    )

    async def admit() -> Turn:
        return await gateway.turns.admit(asking)

    manner = Manner(model=name, stream=True)
    return _AguiReply(given, admit, manner, gateway.options.patience, gateway.watch.refused)


async def _waiting(
    gateway: Gateway, caller: Caller, agent: Agent, conversation: str, given: RunAgentInput
) -> tuple[str, Any] | None:
    """The run that waits in this thread and what it is given; None where nothing is answered.

    Raises:
        Refused: an answer came, and nothing waits.
    """
    answers = {entry.interrupt_id: entry.payload for entry in given.resume or () if entry.status == "resolved"}
    command: Any = _dict(_dict(given.forwarded_props).get("command"))
    if not answers and "resume" not in command:
        return None
    turns = await gateway.store.turns(caller.owner, conversation)
    run = turns[-1].begun.run if turns else ""
    asked = await gateway.turns.waiting(caller, agent, run)
    if answers:
        decision: Any = answers if len(asked) > 1 else next(iter(answers.values()))
    else:
        decision = command["resume"]
    if isinstance(decision, str):  # older clients send what their form returned as text
        with suppress(ValueError):
            decision = json.loads(decision)
    return run, decision


def _messages(given: RunAgentInput, agent: Agent) -> list[Any]:
    chat: list[ChatMessage] = []
    for message in given.messages:
        content: Any = getattr(message, "content", None)
        if isinstance(content, list):
            content = [_part(part.model_dump()) for part in cast("list[Any]", content)]
        chat.append(ChatMessage(role=message.role, content=content if isinstance(content, (str, list)) else None))
    if not chat:
        raise Refused(400, "`messages` is empty: send what the person says.", param="messages")
    request = ChatRequest(model=agent.name, messages=chat)
    return list(conversation_of(request, images=agent.images, whole=agent.whole))


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a message as the chat protocol has it."""
    source = _dict(part.get("source"))
    if part.get("type") == "image" and source.get("type") == "data":
        url = f"data:{source.get('mime_type')};base64,{source.get('value')}"
        return {"type": "image_url", "image_url": {"url": url}}
    return dict(part)


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


class _AguiReply(Reply):
    def __init__(self, given: RunAgentInput, *rest: Any) -> None:
        super().__init__(*rest)
        self._given = given

    async def _stream(self, turn: Turn, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in wire.STREAM_HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        teller = AguiTeller(self._given, turn.run)

        async def put(events: list[BaseEvent]) -> None:
            data = b"".join(wire.line(e.model_dump(mode="json", by_alias=True, exclude_none=True)) for e in events)
            if data:
                await send({"type": "http.response.body", "body": data, "more_body": True})

        await put([RunStartedEvent(thread_id=self._given.thread_id, run_id=self._given.run_id)])
        while True:
            try:
                event = await turn.next(self._patience.keep_alive_s)
            except TimeoutError:
                await send({"type": "http.response.body", "body": wire.PING, "more_body": True})
                continue
            if event is None:
                break
            await put(list(teller.tell(event)))
        await put(list(teller.end()))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class AguiTeller:
    """Makes AG-UI's events of the events of one run."""

    def __init__(self, given: RunAgentInput, run: str) -> None:
        self._given = given
        self._message, self._thought = f"{run}-answer", f"{run}-thought"
        self._searches = f"{run}-searches"  # a message of its own: the answer stands after what the tools gave
        self._teller = Teller()
        self._text_open = self._thought_open = False
        self._withdrawn = False
        self._calls = 0
        self._asked: list[Mapping[str, Any]] = []
        self._final: Mapping[str, Any] | None = None
        self._failed = False

    def tell(self, event: Event) -> Generator[BaseEvent]:
        """What an event becomes."""
        data = event.data
        if event.kind == "status" and "begins" in data and not data["path"]:
            yield (StepStartedEvent if data["begins"] else StepFinishedEvent)(step_name=data["node"])
        elif event.kind == "tool_start":
            yield from self._close_thought()
            self._calls += 1
            call = f"{self._searches}-{self._calls}"
            yield ToolCallStartEvent(tool_call_id=call, tool_call_name=data["tool"], parent_message_id=self._searches)
            yield ToolCallArgsEvent(tool_call_id=call, delta=json.dumps(data.get("arguments"), ensure_ascii=False))
            yield ToolCallEndEvent(tool_call_id=call)
        elif event.kind == "tool_end":
            call = f"{self._searches}-{self._calls}"
            found = {key: data[key] for key in ("hits",) if key in data}
            yield ToolCallResultEvent(message_id=f"{call}-result", tool_call_id=call, content=json.dumps(found))
        elif event.kind == "hand_over":
            yield CustomEvent(name="hand_over", value={"to": data["to"]})
        elif event.kind == "source":
            self._teller.sources[data["n"]] = data
            yield CustomEvent(name="source", value=dict(data))
        elif event.kind == "interrupt":
            self._asked.append(data)
        elif event.kind == "error":
            self._failed = True
            yield from self._close()
            yield RunErrorEvent(message=data["message"], code=data["code"])
        else:
            self._withdrawn = self._withdrawn or event.kind == "withdrawn"
            if event.kind == "final":
                self._final = data
            for piece in self._teller.tell(event):
                yield from self._said(piece.kind, piece.text)

    def end(self) -> Generator[BaseEvent]:
        """What follows the last event."""
        if self._failed:
            return
        yield from self._close()
        thread, run = self._given.thread_id, self._given.run_id
        if self._asked:
            for one in self._asked:  # how clients of before the structured outcome learn of it
                yield CustomEvent(name="on_interrupt", value=json.dumps(one["value"], ensure_ascii=False, default=str))
            interrupts = [
                Interrupt(id=str(one["id"]), reason="human_in_the_loop", metadata={"value": one["value"]})
                for one in self._asked
            ]
            yield RunFinishedEvent(
                thread_id=thread,
                run_id=run,
                outcome=RunFinishedInterruptOutcome(type="interrupt", interrupts=interrupts),
            )
            return
        if self._final is not None:
            if self._withdrawn:  # what was streamed cannot be taken back, but be replaced as a whole
                answer = AssistantMessage(id=self._message, content=self._teller.whole(self._final))
                yield MessagesSnapshotEvent(messages=[*self._given.messages, answer])
            yield StateSnapshotEvent(snapshot=shown_event(Event(kind="final", data=dict(self._final)))["data"])
        yield RunFinishedEvent(thread_id=thread, run_id=run, outcome=RunFinishedSuccessOutcome(type="success"))

    def _said(self, kind: str, text: str) -> Generator[BaseEvent]:
        if kind == "content" and text:
            yield from self._close_thought()
            if not self._text_open:
                self._text_open = True
                yield TextMessageStartEvent(message_id=self._message, role="assistant")
            yield TextMessageContentEvent(message_id=self._message, delta=text)
        elif kind == "reasoning" and text:
            if not self._thought_open:
                self._thought_open = True
                yield ReasoningStartEvent(message_id=self._thought)
                yield ReasoningMessageStartEvent(message_id=self._thought, role="reasoning")
            yield ReasoningMessageContentEvent(message_id=self._thought, delta=text)

    def _close_thought(self) -> Generator[BaseEvent]:
        if self._thought_open:
            self._thought_open = False
            yield ReasoningMessageEndEvent(message_id=self._thought)
            yield ReasoningEndEvent(message_id=self._thought)
            self._thought += "+"

    def _close(self) -> Generator[BaseEvent]:
        yield from self._close_thought()
        if self._text_open:
            self._text_open = False
            yield TextMessageEndEvent(message_id=self._message)
