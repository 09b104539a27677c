"""Bounds what a request may bring: bytes, and the time they take to arrive."""

import asyncio

from fastapi import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maskdet.serve.web.access.limits import UploadLimits

# A log-in is a few words. Bytes.
_USUAL_SIZE = 16 * 1024
_UPLOADS = "/api/detect"
# What has not been read stands in the way of the next request.
_CLOSE = {"connection": "close"}


class BodyLimits:
    """Refuses large and slow bodies before an application has held them in memory.

    Args:
        app: the application, which answers `HTTPException`s that are raised while it reads.
        limits: of pictures; other bodies may have 16 kB.
    """

    def __init__(self, app: ASGIApp, limits: UploadLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request: 413 if its body is too large, 408 if it is too slow."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limits.size if scope["path"] == _UPLOADS else _USUAL_SIZE
        if _announced(scope) > most:
            refused = _too_large(most)
            answer = JSONResponse({"detail": refused.detail}, refused.status_code, _CLOSE)
            await answer(scope, receive, send)
            return
        await self._app(scope, _bounded(receive, most, self._limits.read_time), send)


def _announced(scope: Scope) -> int:
    """Returns how many bytes a request says it brings, 0 where it does not."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    # A number of so many digits is too large, whatever it is.
    return max((int(value[:20]) for value in lengths if value[:20].isdigit()), default=0)


def _bounded(receive: Receive, most: int, seconds: float) -> Receive:
    """Returns what counts the bytes of a body; when it is whole, one may wait for ever."""
    count = 0
    is_whole = False
    deadline = asyncio.get_running_loop().time() + seconds

    async def receive_bounded() -> Message:
        nonlocal count, is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "the request took too long to arrive", _CLOSE) from None
        count += len(message.get("body", b""))
        if count > most:
            raise _too_large(most)
        is_whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return receive_bounded


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"more than {most} bytes are not taken", _CLOSE)
