"""Live numbers as server-sent events: how the cameras are, and what happens."""

import asyncio
from collections.abc import AsyncIterator, Callable

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from maskdet.serve.hub import Hub
from maskdet.serve.web.content.views import CamerasView, EventView
from maskdet.serve.web.routes.cameras import UNBUFFERED, Permission
from maskdet.serve.web.streaming.pulse import Pulse

# Numbers are sent so often at most; without any news a sign of life after so long. Seconds.
_INTERVAL, _LIFE = 0.5, 15.0
# Events that happen between two looks, at most.
_MOST_EVENTS = 20


def live(hub: Hub, pulse: Pulse, permission: Permission) -> APIRouter:
    """Returns the route."""
    router = APIRouter(prefix="/api", tags=["cameras"])

    @router.get(
        "/live",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def numbers(request: Request) -> StreamingResponse:
        """Server-sent events.

        `cameras` bears what `/api/cameras` answers, whenever it changes, twice a second at most;
        `alert` bears an event, as `/api/events` has them, when it happens.
        """
        stream = events_of(hub, pulse, permission(request))
        return StreamingResponse(stream, media_type="text/event-stream", headers=UNBUFFERED)

    return router


async def events_of(hub: Hub, pulse: Pulse, may_go_on: Callable[[], bool]) -> AsyncIterator[str]:
    """Yields server-sent events.

    Args:
        hub: what they are of.
        pulse: tells when something has changed.
        may_go_on: asked every half second.
    """
    loop = asyncio.get_running_loop()
    last, sent_at = "", loop.time()
    last_event = await asyncio.to_thread(lambda: hub.last_event)
    with pulse.watched() as changed:
        changed.set()
        while may_go_on():
            if changed.is_set():
                changed.clear()
                text = CamerasView.of(hub.cameras()).model_dump_json()
                if text != last:
                    last, sent_at = text, loop.time()
                    yield f"event: cameras\ndata: {text}\n\n"
                for number, event in await asyncio.to_thread(_news, hub, last_event):
                    last_event, sent_at = number, loop.time()
                    yield _event("alert", event)
            if loop.time() - sent_at > _LIFE:
                sent_at = loop.time()
                yield ": still here\n\n"
            await asyncio.sleep(_INTERVAL)


def _event(name: str, view: BaseModel) -> str:
    return f"event: {name}\ndata: {view.model_dump_json()}\n\n"


def _news(hub: Hub, known: int) -> list[tuple[int, EventView]]:
    """Returns events above a number, the oldest first."""
    found = [event for event in hub.store.events(limit=_MOST_EVENTS) if event.number > known]
    return [(event.number, EventView.of(event)) for event in reversed(found)]
