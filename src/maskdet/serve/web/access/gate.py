"""The gate before every route: whose browser asks, from which page, and whether they may.

Routes are closed unless they are named here, so that a new one is not open by being forgotten.
"""

import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from maskdet.serve.web.access.identity import Identity, Visitor, WaitError
from maskdet.serve.web.access.opening import LOCAL_NAMES

CSRF_HEADER = "x-csrf-token"
_VISITOR = "visitor"
# What is shown before a log-in: the program's own files, and whether it lives.
_OPEN = frozenset({"/login", "/api/login", "/healthz", "/readyz", "/favicon.ico"})
_OPEN_FOLDER = "/static/"
# Pages for people, who are led to the log-in; programs are told.
_PAGES = frozenset({"/", "/docs"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})


class Gate:
    """Lets requests through to an ASGI application, or not.

    Args:
        app: the application; ``request.state.visitor`` tells it who asks.
        identity: who may.
        host: address that is listened on.
    """

    def __init__(self, app: ASGIApp, identity: Identity, host: str) -> None:
        self._app = app
        self._identity = identity
        self._hosts = LOCAL_NAMES | {host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope)
        refusal = self._refused_by_origin(request)
        if refusal is None and not is_open(scope["path"]):
            refusal = await self._refused_by_visitor(request)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refused_by_origin(self, request: Request) -> Response | None:
        """Refuses what the page of another site sends through the browser of someone here."""
        host = request.headers.get("host", "")
        # A foreign name that is made to point here (DNS rebinding) would share its page's rights
        # where nobody has to log in; a cookie it would not have.
        if not self._identity.is_asked and _hostname(f"//{host}") not in self._hosts:
            return _said(421, "this address is not served here")
        site = request.headers.get("sec-fetch-site")
        if request.method in _READING:
            # Links from elsewhere may lead here; pictures and scripts elsewhere may not.
            is_link = request.headers.get("sec-fetch-mode") == "navigate"
            is_foreign = site in ("cross-site", "same-site") and not is_link
            return _said(403, "asked for by another site") if is_foreign else None
        origin = request.headers.get("origin")
        if origin is not None and _place(origin) != host.lower():
            return _said(403, "sent by another site")
        if site is not None and site not in _OWN_SITES:
            return _said(403, "sent by another site")
        return None

    async def _refused_by_visitor(self, request: Request) -> Response | None:
        try:
            visitor = await self._identity.visitor(request)
        except WaitError as error:
            return waiting(error)
        if visitor is None:
            if request.url.path in _PAGES and request.method in _READING:
                return RedirectResponse("/login", 303)
            answer = _said(401, "log in first")
            # Programs send name and password when they are asked; a browser would show its own
            # form for them, and send them from then on with what other sites make it ask.
            if "sec-fetch-site" not in request.headers:
                answer.headers["www-authenticate"] = 'Basic realm="maskdet", charset="UTF-8"'
            return answer
        if request.method not in _READING and not _has_word(request, visitor):
            return _said(403, f"the header {CSRF_HEADER} is missing or wrong")
        request.scope.setdefault("state", {})[_VISITOR] = visitor
        return None


def is_open(path: str) -> bool:
    """Tells whether a path is shown to those who have not logged in."""
    return path in _OPEN or path.startswith(_OPEN_FOLDER)


def visitor_of(request: Request) -> Visitor:
    """Returns who asks, in a route behind the gate."""
    visitor: Visitor = getattr(request.state, _VISITOR)
    return visitor


def waiting(error: WaitError) -> Response:
    """Returns the answer to someone who tries too often."""
    answer = _said(429, str(error))
    answer.headers["retry-after"] = f"{error.seconds:.0f}"
    return answer


def _place(address: str) -> str:
    """Returns host and port of an address, in small letters, empty if it has none."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _has_word(request: Request, visitor: Visitor) -> bool:
    """Tells whether a browser's request bears the session's word; programs have no session."""
    if visitor.session is None:
        return True
    given = request.headers.get(CSRF_HEADER, "").encode("utf-8", "replace")
    return secrets.compare_digest(given, visitor.session.csrf.encode())


def _hostname(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _said(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)
