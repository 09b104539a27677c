"""Pictures that are posted: taken in bounds of bytes, pixels and time, one after another."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from maskdet.serve.web.access.limits import UploadLimits

T = TypeVar("T")


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
