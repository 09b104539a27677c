"""Pictures that are posted: taken in bounds of bytes, pixels and time, one after another."""

import asyncio
import io
from collections.abc import Callable
from typing import TypeVar

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from maskdet.errors import SourceError, TooLargeError
from maskdet.files.heif import open_heif
from maskdet.media.frames import UInt8Array
from maskdet.media.inputs import jpeg
from maskdet.media.inputs.decoding import decode_picture, refuse_large
from maskdet.media.inputs.formats import HEAD, picture_format
from maskdet.media.inputs.pillow import DAMAGED, DecodingError, opened_by_pillow
from maskdet.serve.web.access.limits import UploadLimits

T = TypeVar("T")

# What cameras, phones and browsers save. Each says its size in its header; of TIFF and JPEG 2000,
# which can hold much in little, nobody has asked for any here.
_FORMATS = frozenset({"jpeg", "png", "gif", "webp", "heif", "avif"})
_NAME = "the picture"
_SCAN = b"\xff\xda"


async def posted_picture(request: Request) -> bytes:
    """Returns the picture of a request: its whole body, or the one file of a form.

    Raises:
        HTTPException: there is none.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        data = await request.body()
    else:
        try:
            async with request.form(max_files=1, max_fields=4) as form:
                files = [value for value in form.values() if isinstance(value, UploadFile)]
                data = await files[0].read() if files else b""
        except MultiPartException:
            raise HTTPException(400, "the form cannot be read") from None
    if not data:
        raise HTTPException(422, "there is no picture in the request")
    return data


def decode_posted(data: bytes, limits: UploadLimits) -> UInt8Array:
    """Decodes a posted picture once its header has said that it is within bounds.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        SourceError: it is none, is damaged, or of a format that is not taken.
        TooLargeError: it has too many pixels, or is a JPEG with too many scans.
    """
    found = picture_format(data[:HEAD])
    if found not in _FORMATS:
        raise SourceError("takes JPEG, PNG, GIF, WebP, HEIC and AVIF pictures")
    refuse_large(_size_of(data, found), _NAME, limits.pixels)
    # In a scan's own data 0xFF is never followed by this byte; previews add a few.
    if found == "jpeg" and data.count(_SCAN) > limits.scans:
        raise TooLargeError(f"{_NAME}: is a JPEG of more than {limits.scans} scans")
    return decode_picture(data, _NAME, limits.pixels)


def _size_of(data: bytes, found: str) -> tuple[int, int]:
    """Returns width and height by the header, which must say them."""
    size: tuple[int, int] | None = None
    try:
        if found == "jpeg":
            size = jpeg.size_of(data)
        elif found == "heif":
            size = open_heif(data).size
        else:
            with opened_by_pillow(io.BytesIO(data)) as picture:
                size = picture.size
    except (DecodingError, *DAMAGED):
        size = None
    if size is None:
        raise SourceError(f"{_NAME}: is damaged")
    return size


class Queue:
    """Does heavy work of requests one after another, in a thread, beside the cameras' own.

    Args:
        limits: how many may wait, and how long one may take.
    """

    def __init__(self, limits: UploadLimits) -> None:
        self._limits = limits
        self._inside = 0
        self._one = asyncio.Lock()

    async def do(self, work: Callable[[], T]) -> T:
        """Does what a request asks for.

        Raises:
            HTTPException: too many wait (503), or it takes too long (503). What has begun goes on
                to its end all the same, and the next one waits for it: threads cannot be stopped,
                and must not pile up.
        """
        if self._inside > self._limits.waiting:
            raise HTTPException(503, "too many pictures are waiting", {"retry-after": "5"})
        self._inside += 1
        task = asyncio.create_task(self._in_turn(work))
        # If whoever asked has gone, nobody sees its error.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(self._limits.answer_time):
                return await asyncio.shield(task)
        except TimeoutError:
            raise HTTPException(503, "this took too long", {"retry-after": "30"}) from None

    async def _in_turn(self, work: Callable[[], T]) -> T:
        try:
            async with self._one:
                return await asyncio.to_thread(work)
        finally:
            self._inside -= 1
