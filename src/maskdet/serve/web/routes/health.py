"""Whether the service lives, is ready, and what it has counted: for those who watch over it."""

from fastapi import APIRouter, HTTPException, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from maskdet.serve.hub import Hub
from maskdet.serve.web.content.metrics import registry


def health(hub: Hub) -> APIRouter:
    """Returns the routes."""
    router = APIRouter(tags=["health"])
    collected = registry(hub.cameras, lambda: hub.counters)

    @router.get("/healthz")
    async def lives() -> dict[str, str]:
        """Answers as long as the server does. Needs no log-in."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {}})
    async def ready() -> dict[str, str]:
        """Answers 200 once the networks are loaded and cameras are being watched. No log-in."""
        if not hub.is_ready:
            raise HTTPException(503, "not ready")
        return {"status": "ready"}

    @router.get(
        "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}
    )
    def metrics() -> Response:
        """Counters and gauges for Prometheus."""
        return Response(generate_latest(collected), media_type=CONTENT_TYPE_LATEST)

    return router
