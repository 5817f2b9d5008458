"""The routes over conversations: a caller lists, reads and deletes its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Query, Request

from .chat import errors
from .gateway import Gateway
from .refusing import Refused
from .store import Turn


def conversation_routes(gateway: Gateway) -> APIRouter:
    """The routes over a gateway."""
    router = APIRouter(prefix="/api/conversations", tags=["conversations"])

    @router.get("", responses=errors())
    async def list_conversations(request: Request, limit: int = Query(default=100, ge=1, le=1000)) -> dict[str, Any]:
        """The caller's conversations, the latest first."""
        caller = gateway.doorkeeper.caller(request.headers)
        found = await gateway.store.conversations(caller.owner, limit=limit)
        return {"data": [asdict(one) for one in found]}

    @router.get("/{name}", responses=errors(404))
    async def show_conversation(request: Request, name: str) -> dict[str, Any]:
        """One of them, turn by turn."""
        caller = gateway.doorkeeper.caller(request.headers)
        turns = await gateway.store.turns(caller.owner, name)
        if not turns:
            raise Refused(404, "There is no such conversation.", code="not_found")
        return {"id": name, "data": [shown_turn(turn) for turn in turns]}

    @router.delete("/{name}", responses=errors(404))
    async def delete_conversation(request: Request, name: str) -> dict[str, Any]:
        """Delete one, with all that waits in it; a turn that runs stays until it has ended."""
        caller = gateway.doorkeeper.caller(request.headers)
        deleted = await gateway.turns.purge(before=float("inf"), owner=caller.owner, conversation=name)
        if not deleted:
            raise Refused(404, "There is no such conversation.", code="not_found")
        return {"id": name, "deleted": deleted}

    return router


def shown_turn(turn: Turn) -> dict[str, Any]:
    """A turn for people; one without an end is `unfinished`."""
    begun, ended = turn.begun, turn.ended
    return {
        "run": begun.run,
        "at": begun.at,
        "agent": begun.agent,
        "status": ended.status if ended else "unfinished",
        "question": begun.body.get("question"),
        "answer": ended.body.get("answer") if ended else None,
        "sources": ended.body.get("sources", []) if ended else [],
        "why": ended.body.get("why") if ended else None,
        "usage": {"input_tokens": ended.input_tokens, "output_tokens": ended.output_tokens} if ended else None,
    }
