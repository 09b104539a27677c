"""Logging in and out."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from maskdet.serve.web.access.gate import CSRF_HEADER, visitor_of, waiting
from maskdet.serve.web.access.identity import Identity, WaitError, cookie_name
from maskdet.serve.web.access.users import LONGEST_PASSWORD

_LONGEST_NAME = 64


class Given(BaseModel):
    """A name and a password."""

    name: Annotated[str, Field(max_length=_LONGEST_NAME)]
    password: Annotated[str, Field(max_length=LONGEST_PASSWORD)]


class Who(BaseModel):
    """Who one is to the server."""

    user: str | None = Field(description="name; null where there is no log-in")
    csrf: str | None = Field(
        description=f"what the header {CSRF_HEADER} of changing requests must hold; null where "
        "none is asked for"
    )


def signing_in(identity: Identity) -> APIRouter:
    """Returns the routes."""
    router = APIRouter(prefix="/api", tags=["log-in"])

    @router.post("/login", responses={401: {}, 404: {}, 429: {}})
    async def log_in(request: Request, given: Given) -> Who:
        """Begins a session, which a cookie holds. Too many failures have to wait."""
        if not identity.is_asked:
            raise HTTPException(404, "there is no log-in")
        try:
            is_right = await identity.log_in(request, given.name, given.password)
        except WaitError as error:
            return waiting(error)  # type: ignore[return-value]  # FastAPI takes answers as they are
        begun = identity.sessions.begin(given.name) if is_right else None
        if begun is None:
            raise HTTPException(401, "name or password is wrong")
        token, session = begun
        who = Who(user=session.user, csrf=session.csrf)
        answer = JSONResponse(who.model_dump())
        answer.set_cookie(
            cookie_name(request),
            token,
            max_age=int(identity.sessions.longest),
            httponly=True,
            secure=request.url.scheme == "https",
            # A link in an alert's mail leads to the page; what changes something asks for more.
            samesite="lax",
        )
        return answer  # type: ignore[return-value]

    @router.post("/logout", status_code=204, response_class=Response)
    async def log_out(request: Request) -> Response:
        """Ends the session, and the streams it has open."""
        visitor = visitor_of(request)
        if visitor.token is not None:
            identity.sessions.end(visitor.token)
        answer = Response(status_code=204)
        answer.delete_cookie(
            cookie_name(request),
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )
        return answer

    @router.get("/session")
    async def session(request: Request) -> Who:
        """Tells who one is, and the word for requests that change something."""
        visitor = visitor_of(request)
        csrf = None if visitor.session is None else visitor.session.csrf
        return Who(user=visitor.user, csrf=csrf)

    return router
