"""The page and the API as a plain ASGI application, which tests call without a socket."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from maskdet import __version__
from maskdet.serve.hub import Hub
from maskdet.serve.site.settings import ServerSettings
from maskdet.serve.web.access.bodies import BodyLimits
from maskdet.serve.web.access.gate import Gate, visitor_of
from maskdet.serve.web.access.headers import SecurityHeaders
from maskdet.serve.web.access.identity import Identity
from maskdet.serve.web.access.limits import UploadLimits
from maskdet.serve.web.access.proxied import Proxied
from maskdet.serve.web.access.users import Users
from maskdet.serve.web.closing import Closing
from maskdet.serve.web.routes.cameras import cameras
from maskdet.serve.web.routes.detect import detect
from maskdet.serve.web.routes.events import events
from maskdet.serve.web.routes.health import health
from maskdet.serve.web.routes.live import live
from maskdet.serve.web.routes.pages import pages
from maskdet.serve.web.routes.settings import settings as settings_routes
from maskdet.serve.web.routes.signing_in import signing_in
from maskdet.serve.web.routes.statistics import statistics
from maskdet.serve.web.streaming.pulse import Pulse
from maskdet.serve.web.streaming.streams import Streams

_DESCRIPTION = """What `maskdet serve` sees and remembers. Programs send name and password with each
request (HTTP Basic); browsers log in and send the header `X-CSRF-Token` with what is posted."""


def create_app(
    hub: Hub,
    settings: ServerSettings,
    closing: Closing,
    limits: UploadLimits | None = None,
    identity: Identity | None = None,
) -> ASGIApp:
    """Makes the application.

    Args:
        hub: what is shown.
        settings: where, and to whom.
        closing: ends streams.
        limits: of posted pictures.
        identity: who may see it; by default the users of the settings' file.
    """
    limits = limits or UploadLimits()
    identity = identity or Identity(Users(settings.users))
    inner = FastAPI(
        title="maskdet",
        description=_DESCRIPTION,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        # Paths are as they are written; a redirect would speak for the host that the request names.
        redirect_slashes=False,
    )

    def permission(request: Request) -> Callable[[], bool]:
        visitor = visitor_of(request)
        return lambda: not closing.is_closed and identity.is_still(visitor)

    pulse = Pulse(hub)
    for router in (
        pages(),
        signing_in(identity),
        cameras(hub, Streams(hub, pulse), permission),
        live(hub, pulse, permission),
        events(hub),
        statistics(hub),
        detect(hub, limits),
        settings_routes(hub),
        health(hub),
    ):
        inner.include_router(router)
    inner.add_exception_handler(RequestValidationError, _invalid)
    inner.add_exception_handler(Exception, _failed)
    gate = Gate(BodyLimits(inner, limits), identity, settings.host)
    outer = SecurityHeaders(gate)
    return Proxied(outer) if settings.behind_proxy else outer


async def _invalid(_: Request, error: Exception) -> Response:
    """Says what is wrong with a request, without repeating it: it may hold a password."""
    assert isinstance(error, RequestValidationError)
    wrong = [
        {"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]} for one in error.errors()
    ]
    return JSONResponse({"detail": wrong}, 422)


async def _failed(_: Request, __: Exception) -> Response:
    """Says nothing of what went wrong to whoever asked; the server's log has it."""
    return JSONResponse({"detail": "something went wrong here; the log says what"}, 500)
