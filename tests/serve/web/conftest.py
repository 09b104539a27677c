"""What the tests of the page have in common: a shop, and whoever asks its application."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

for _module in ("fastapi", "prometheus_client", "multipart", "uvicorn"):
    pytest.importorskip(_module, reason="needs the extra serve")
httpx = pytest.importorskip("httpx", reason="needs httpx, to ask the application")

from maskdet.serve.site.settings import ServerSettings  # noqa: E402, TC001
from maskdet.serve.watching.networks import Networks  # noqa: E402
from maskdet.serve.web.access.identity import Identity  # noqa: E402
from maskdet.serve.web.access.limits import UploadLimits  # noqa: E402
from maskdet.serve.web.app import create_app  # noqa: E402
from maskdet.serve.web.closing import Closing  # noqa: E402
from maskdet.vision.networks import NetworkOptions  # noqa: E402
from serve_site import PASSWORD, USER, Shop, add_cheap_user  # noqa: E402

HOST = "127.0.0.1:8000"


@dataclass
class Asker:
    """Asks an application without a socket, and keeps its cookies.

    Attributes:
        app: the application.
        cookies: as a browser keeps them.
    """

    app: Any
    cookies: dict[str, str]

    def __call__(self, method: str, path: str, **more: Any) -> "httpx.Response":
        """Sends a request and returns the answer."""

        async def ask() -> "httpx.Response":
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport,
                base_url=f"http://{HOST}",
                cookies=self.cookies,
                # Looking for proxies and certificates takes longer than the request.
                trust_env=False,
                verify=False,
            ) as client:
                answer = await client.request(method, path, **more)
                self.cookies = dict(client.cookies)
                return answer

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> "httpx.Response":
        """Sends a GET."""
        return self("GET", path, **more)

    def post(self, path: str, **more: Any) -> "httpx.Response":
        """Sends a POST."""
        return self("POST", path, **more)

    def log_in(self, name: str = USER, password: str = PASSWORD, **more: Any) -> "httpx.Response":
        """Logs in."""
        return self.post("/api/login", json={"name": name, "password": password}, **more)


@pytest.fixture(scope="session")
def networks() -> Networks:
    """The bundled networks."""
    return Networks(NetworkOptions())


@pytest.fixture
def shop(tmp_path: Path, networks: Networks) -> Iterator[Shop]:
    """A shop with two cameras of which one has shown a frame."""
    made = Shop(tmp_path, networks)
    made.show()
    yield made
    made.hub.store.close()


@pytest.fixture
def asking(shop: Shop) -> Callable[..., Asker]:
    """Makes an application of the shop, with users or without, and one who asks it."""

    def make(
        *,
        users: bool = False,
        limits: UploadLimits | None = None,
        identity: Identity | None = None,
        **settings: Any,
    ) -> Asker:
        server: ServerSettings = replace(shop.site.server, **settings)
        if users:
            add_cheap_user(server.users)
        return Asker(create_app(shop.hub, server, Closing(), limits, identity), {})

    return make


@pytest.fixture
def asker(asking: Callable[..., Asker]) -> Asker:
    """Someone at the machine itself, where nobody has to log in."""
    return asking()


@pytest.fixture
def stranger(asking: Callable[..., Asker]) -> Asker:
    """Someone who has not logged in, where one has to."""
    return asking(users=True)


@pytest.fixture
def anna(stranger: Asker) -> Asker:
    """Someone who has logged in."""
    assert stranger.log_in().status_code == 200
    return stranger
