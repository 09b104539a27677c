"""Bounds what a request may bring: bytes, and the time they take to arrive."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maskdet.serve.web.limits import UploadLimits

# A log-in is a few words. Bytes.
_USUAL_SIZE = 16 * 1024
_UPLOADS = "/api/detect"


class _RefusedError(Exception):
    """A body is too large or too slow."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class BodyLimits:
    """Refuses large and slow bodies before an ASGI application has held them in memory.

    Args:
        app: the application.
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
        started = False

        async def noted_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            _refuse_announced(scope, most)
            bounded = _bounded(receive, most, self._limits.read_time)
            await self._app(scope, bounded, noted_send)
        except _RefusedError as refused:
            if started:
                raise
            answer = JSONResponse({"detail": str(refused)}, refused.status)
            # What has not been read stands in the way of the next request.
            answer.headers["connection"] = "close"
            await answer(scope, receive, send)


def _refuse_announced(scope: Scope, most: int) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value[:20]) > most:
            raise _too_large(most)


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
            raise _RefusedError(408, "the request took too long to arrive") from None
        count += len(message.get("body", b""))
        if count > most:
            raise _too_large(most)
        is_whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return receive_bounded


def _too_large(most: int) -> _RefusedError:
    return _RefusedError(413, f"more than {most} bytes are not taken")
