"""The page, the log-in, the API's page, and the files they need."""

from fastapi import APIRouter, HTTPException, Request, Response

from maskdet.serve.web.content.assets import asset

_PAGES = {"/": "index.html", "/login": "login.html", "/docs": "docs.html"}


def pages() -> APIRouter:
    """Returns the routes."""
    router = APIRouter(include_in_schema=False)

    def add(path: str, name: str) -> None:
        @router.get(path)
        @router.head(path)
        def page(request: Request) -> Response:
            return _answer(request, name)

    for path, name in _PAGES.items():
        add(path, name)

    @router.get("/favicon.ico")
    def icon(request: Request) -> Response:
        return _answer(request, "icon.svg")

    @router.get("/static/{name:path}")
    def static(request: Request, name: str) -> Response:
        return _answer(request, name)

    return router


def _answer(request: Request, name: str) -> Response:
    found = asset(name)
    if found is None:
        raise HTTPException(404, "there is no such file")
    return found.answer(request)
