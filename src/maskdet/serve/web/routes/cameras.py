"""The cameras, and their pictures: the newest one, or as they come."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from starlette.responses import StreamingResponse

from maskdet.serve.hub import Hub
from maskdet.serve.showing.status import CameraStatus
from maskdet.serve.web.content.views import CamerasView, CameraView
from maskdet.serve.web.streaming.streams import BOUNDARY, Streams, mjpeg_part, page_part

Width = Annotated[
    int | None, Query(ge=16, le=8192, description="at most, in pixels; its own, if left out")
]
Rate = Annotated[float, Query(gt=0.05, le=60, description="pictures a second, at most")]
_USUAL_RATE = 15.0
_MOST_CAMERAS = 64
# Proxies that wait for more before they pass something on are asked not to.
UNBUFFERED = {"x-accel-buffering": "no"}
# Tells whether the one who asks may go on watching.
Permission = Callable[[Request], Callable[[], bool]]


def cameras(hub: Hub, streams: Streams, permission: Permission) -> APIRouter:
    """Returns the routes."""
    router = APIRouter(prefix="/api", tags=["cameras"])

    def known(name: str) -> CameraStatus:
        status = hub.camera(name)
        if status is None:
            raise HTTPException(404, "there is no such camera")
        return status

    @router.get("/cameras")
    async def listed() -> CamerasView:
        """All cameras: how they are, whom they see now, whom they saw today."""
        return CamerasView.of(hub.cameras())

    @router.get("/cameras/{name}", responses={404: {}})
    async def one(name: str) -> CameraView:
        """One camera."""
        return CameraView.of(known(name))

    @router.get(
        "/cameras/{name}/picture.jpg", response_class=Response, responses=_content("image/jpeg")
    )
    async def picture(name: str, width: Width = None) -> Response:
        """The newest picture, with boxes; 404 before the first."""
        known(name)
        newest = hub.picture(name)
        if newest is None:
            raise HTTPException(404, "there is no picture yet")
        return Response(await streams.encoded(newest, width), media_type="image/jpeg")

    @router.get(
        "/cameras/{name}/live.mjpeg",
        response_class=StreamingResponse,
        responses=_content("multipart/x-mixed-replace"),
    )
    async def live(
        request: Request, name: str, width: Width = None, rate: Rate = _USUAL_RATE
    ) -> StreamingResponse:
        """Pictures as they come, as MJPEG: for players and home automation.

        A slow connection gets them smaller, coarser and fewer.
        """
        known(name)
        parts = streams.pictures([name], width, rate, mjpeg_part, permission(request))
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return StreamingResponse(parts, media_type=kind, headers=UNBUFFERED)

    @router.get("/pictures", response_class=StreamingResponse, include_in_schema=False)
    async def together(
        request: Request,
        camera: Annotated[list[str], Query(min_length=1, max_length=_MOST_CAMERAS)],
        width: Width = None,
        rate: Rate = _USUAL_RATE,
    ) -> StreamingResponse:
        """Pictures of several cameras over one connection, as the page reads them."""
        for name in camera:
            known(name)
        parts = streams.pictures(camera, width, rate, page_part, permission(request))
        return StreamingResponse(parts, media_type="application/octet-stream", headers=UNBUFFERED)

    return router


def _content(kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {}}}, 404: {}}
