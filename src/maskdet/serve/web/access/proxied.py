"""What a proxy says of the client it speaks for, where one stands before the page."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class Proxied:
    """Puts the client's address and scheme, as the proxy says them, into an application's requests.

    Only what the nearest proxy added is believed: the last address of the list, which clients may
    have begun themselves.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            scope = dict(scope)
            client = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            if client:
                scope["client"] = (client, 0)
            scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                scope["scheme"] = scheme
        await self._app(scope, receive, send)
