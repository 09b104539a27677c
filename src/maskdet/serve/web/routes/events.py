"""What has happened, with its pictures and clips."""

from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import FileResponse

from maskdet.serve.hub import Hub
from maskdet.serve.web.content.moments import local_moment
from maskdet.serve.web.content.views import EventsView, EventView

# As the program makes them: looked up among what it remembers, never joined to a path.
Identity = Annotated[str, Path(pattern="^[0-9a-zA-Z-]{1,64}$")]
_LARGEST = 2**62  # what SQLite can compare
# Pictures and clips never change; whoever may see them keeps them for a day. Seconds.
_KEPT = {"cache-control": "private, max-age=86400"}


def events(hub: Hub) -> APIRouter:
    """Returns the routes."""
    router = APIRouter(prefix="/api/events", tags=["events"])

    @router.get("")
    def listed(
        camera: Annotated[str | None, Query(max_length=200)] = None,
        kind: Annotated[
            Literal["alert", "state"] | None, Query(description="both, if left out")
        ] = None,
        start: Annotated[datetime | None, Query(alias="from")] = None,
        end: Annotated[datetime | None, Query(alias="to")] = None,
        before: Annotated[
            int | None, Query(ge=0, le=_LARGEST, description="`next` of the page before")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> EventsView:
        """Alerts, and cameras that went and came back, the newest first."""
        if camera is not None and camera not in {one.name for one in hub.cameras()}:
            raise HTTPException(404, "there is no such camera")
        first, last = (None if one is None else local_moment(one) for one in (start, end))
        # One more tells whether there is another page.
        found = hub.store.events(first, last, camera, limit + 1, before, kind)
        shown = found[:limit]
        return EventsView(
            events=[EventView.of(event) for event in shown],
            next=shown[-1].number if len(found) > limit else None,
        )

    @router.get("/{identity}", responses={404: {}})
    def one(identity: Identity) -> EventView:
        """One event."""
        event = hub.store.event(identity)
        if event is None:
            raise HTTPException(404, "there is no such event")
        return EventView.of(event)

    @router.get(
        "/{identity}/snapshot.jpg", response_class=FileResponse, responses=_content("image/jpeg")
    )
    def snapshot(identity: Identity) -> FileResponse:
        """The picture of an event."""
        return _file(hub.store.snapshot_path(identity), "image/jpeg", f"{identity}.jpg")

    @router.get(
        "/{identity}/clip.mp4", response_class=FileResponse, responses=_content("video/mp4")
    )
    def clip(identity: Identity) -> FileResponse:
        """The video of an event; parts of it can be asked for (Range)."""
        return _file(hub.store.clip_path(identity), "video/mp4", f"{identity}.mp4")

    return router


def _content(kind: str) -> dict[int | str, dict[str, object]]:
    return {200: {"content": {kind: {}}}, 404: {}}


def _file(path: FilePath | None, kind: str, name: str) -> FileResponse:
    if path is None:
        raise HTTPException(404, "there is no such file, or not any more")
    return FileResponse(
        path, media_type=kind, filename=name, content_disposition_type="inline", headers=_KEPT
    )
