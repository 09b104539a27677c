"""Looks at a posted picture with the networks that watch the cameras."""

import base64
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from starlette.responses import JSONResponse

from maskdet.detections import Detections
from maskdet.errors import NoMapsError, SourceError, TooLargeError
from maskdet.media.drawing import draw_detections
from maskdet.media.frames import UInt8Array
from maskdet.serve.hub import Hub
from maskdet.serve.showing.jpeg import jpeg
from maskdet.serve.web.access.limits import UploadLimits
from maskdet.serve.web.content.decoder import Decoder
from maskdet.serve.web.content.uploads import Queue, posted_picture

Drawn = Literal["annotated", "heatmap"]

_QUALITY = 90
# What a browser shows is seldom wider; a larger picture takes long to send. Pixels.
_WIDEST = 1920

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["picture"],
                    "properties": {"picture": {"type": "string", "format": "binary"}},
                }
            },
            "image/*": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the record of the picture as `maskdet detect --json` writes it, with "
        "`pictures` if any are included; or a JPEG",
        "content": {"application/json": {}, "image/jpeg": {}},
    },
    **{status: {} for status in (400, 413, 415, 422, 503)},
}


def detect(hub: Hub, limits: UploadLimits) -> APIRouter:
    """Returns the route."""
    router = APIRouter(prefix="/api", tags=["detect"])
    queue, decoder = Queue(limits), Decoder(limits)

    @router.post("/detect", response_class=Response, responses=_ANSWERS, openapi_extra=_BODY)
    async def look(
        request: Request,
        answer: Annotated[
            Literal["json", "annotated", "heatmap"],
            Query(alias="as", description="a record, or the picture drawn on, as JPEG"),
        ] = "json",
        include: Annotated[
            list[Drawn],
            Query(max_length=2, description="drawn pictures in the record, JPEG in base64"),
        ] = [],  # noqa: B006 - FastAPI copies it
    ) -> Response:
        """Finds the faces of a picture and tells who wears a mask. Nothing of it is kept."""
        data = await posted_picture(request)
        if answer != "json":
            drawn = await queue.do(partial(_drawn, hub, data, decoder, answer))
            return Response(drawn, media_type="image/jpeg")
        wanted: list[Drawn] = list(dict.fromkeys(include))
        return JSONResponse(await queue.do(partial(_record, hub, data, decoder, wanted)))

    return router


def _record(hub: Hub, data: bytes, decoder: Decoder, wanted: list[Drawn]) -> dict[str, Any]:
    image = _decoded(data, decoder)
    detections, pictures = _looked(hub, image, wanted)
    height, width = image.shape[:2]
    record: dict[str, Any] = {"width": width, "height": height, "faces": detections.to_records()}
    if wanted:
        record["pictures"] = {
            name: base64.b64encode(jpeg(drawn, _QUALITY, _WIDEST)).decode()
            for name, drawn in pictures.items()
        }
    return record


def _drawn(hub: Hub, data: bytes, decoder: Decoder, name: Drawn) -> bytes:
    pictures = _looked(hub, _decoded(data, decoder), [name])[1]
    if name not in pictures:
        raise HTTPException(422, "these networks were exported without heat maps")
    return jpeg(pictures[name], _QUALITY, _WIDEST)


def _decoded(data: bytes, decoder: Decoder) -> UInt8Array:
    try:
        return decoder.decode(data)
    except TooLargeError as error:
        raise HTTPException(413, str(error)) from None
    except SourceError as error:
        raise HTTPException(415, str(error)) from None


def _looked(
    hub: Hub, image: UInt8Array, wanted: list[Drawn]
) -> tuple[Detections, dict[Drawn, UInt8Array]]:
    """Returns a picture's faces, and those of the wanted drawings that the networks can give."""
    detections: Detections | None = None
    pictures: dict[Drawn, UInt8Array] = {}
    if "heatmap" in wanted:
        with suppress(NoMapsError):
            detections, heat = hub.explain(image)
            pictures["heatmap"] = draw_detections(heat, detections)
    if detections is None:
        detections = hub.analyse(image)
    if "annotated" in wanted:
        pictures["annotated"] = draw_detections(image.copy(), detections)
    return detections, pictures
