"""Runs the page's server in a thread of its own, and ends it though streams are open."""

import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from maskdet.serve.site.settings import ServerSettings
from maskdet.serve.web.access.opening import ServerError, check_server, page_address
from maskdet.serve.web.closing import Closing

if TYPE_CHECKING:
    import uvicorn

    from maskdet.serve.hub import Hub

# Connections at once, streams among them; further ones are sent away. Number.
_MOST_CONNECTIONS = 200
_BACKLOG = 100
# What is being answered when the server ends has so long. Seconds.
_GRACE = 2
# Till its thread is given up; it holds nothing that is not written. Seconds.
_LONGEST_END = 4.0
# Of a connection: what is sent and not yet taken, beyond which sending waits. It bounds how late a
# picture can be that is sent over a slow connection. Bytes.
_SEND_BUFFER = 128 * 1024


class PageServer:
    """The page and the API of a hub, served while the context lasts.

    Signals are the caller's: `stop` ends it from any thread.

    Args:
        hub: what is shown.
        settings: where, and to whom.

    Raises:
        OptionError: others could see the cameras without a log-in.
        ServerError: the address cannot be listened on, or the certificate cannot be used.
        UsersError: the users file is damaged.
    """

    def __init__(self, hub: "Hub", settings: ServerSettings) -> None:
        check_server(settings)
        self._hub = hub
        self._settings = settings
        self._closing = Closing()
        self._socket = _listening(settings)
        self._port: int = self._socket.getsockname()[1]
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        return page_address(self._settings, self._port)

    def start(self) -> None:
        """Begins to answer. The port is open already: what asks earlier waits."""
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends it, streams included. May be called twice."""
        self._closing.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_LONGEST_END)
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        # Loading them takes half a second, in which the cameras are being opened.
        import uvicorn

        from maskdet.serve.web.app import create_app

        settings = self._settings
        config = uvicorn.Config(
            create_app(self._hub, settings, self._closing),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE,
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.key,
        )
        self._server = uvicorn.Server(config)
        if not self._closing.is_closed:
            self._server.run(sockets=[self._socket])


def _listening(settings: ServerSettings) -> socket.socket:
    """Opens the port."""
    where = f"{settings.host}:{settings.port}"
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, number)
    except OSError as error:
        raise ServerError(f"{where}: cannot be listened on ({error.strerror})") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Taken over by the connections that are accepted.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise ServerError(
            f"{where}: cannot be listened on ({error.strerror}); name another port, or end what "
            "listens there"
        ) from None
    return listening
