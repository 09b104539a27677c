"""Runs a service until it is told to end, and reads its site file again when told to."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from maskdet.errors import MaskdetError
from maskdet.extras import require
from maskdet.media.heaps import save_memory
from maskdet.serve.running.service import Service
from maskdet.serve.running.supervision import Supervisor
from maskdet.serve.site.reading import read_site
from maskdet.serve.site.settings import Site

# How often it is looked whether all goes well. Seconds.
_LOOK = 0.5


def run(site: Site, log: Callable[[str], None]) -> None:
    """Watches a site until SIGTERM or Ctrl-C; SIGHUP reads the site file again.

    Args:
        site: what is watched.
        log: told, a line at a time, what happens.

    Raises:
        MaskdetError: it cannot begin.
        Exception: a fault of the program, once all is written.
    """
    require("serve", "serve")
    from maskdet.serve.web.running import PageServer

    save_memory()
    supervisor = Supervisor()
    stop, again = threading.Event(), threading.Event()
    with _signals(stop, again):
        service = Service(site, log)
        try:
            page = PageServer(service.hub, site.server)
        except MaskdetError:
            service.close()
            raise
        with page, service:
            log(f"serving {page.address}")
            supervisor.tell("READY=1", f"STATUS=serving {page.address}")
            _wait(service, site, supervisor, stop, again, log)
            supervisor.tell("STOPPING=1")
            # Streams end first: they hold what is to be closed.
            page.stop()
    if service.fault is not None:
        raise service.fault


def _wait(
    service: Service,
    site: Site,
    supervisor: Supervisor,
    stop: threading.Event,
    again: threading.Event,
    log: Callable[[str], None],
) -> None:
    told = 0.0
    while not stop.wait(_LOOK):
        if service.fault is not None:
            return
        if again.is_set():
            again.clear()
            supervisor.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            _read_again(service, site, log)
            supervisor.tell("READY=1")
        now = time.monotonic()
        if supervisor.interval and now - told >= supervisor.interval and service.is_alive:
            told = now
            supervisor.tell("WATCHDOG=1")


def _read_again(service: Service, site: Site, log: Callable[[str], None]) -> None:
    """Takes the site file as it is now; one with a mistake changes nothing."""
    if site.path is None:
        log("there is no site file to read again")
        return
    try:
        service.reload(read_site(site.path))
    except MaskdetError as error:
        log(f"{error}; all stays as it was")
    else:
        log(f"{site.path}: read again")


@contextmanager
def _signals(stop: threading.Event, again: threading.Event) -> Iterator[None]:
    """Sets events on signals; a second one to end has its usual effect."""

    def end(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    def read(_: int, __: FrameType | None) -> None:
        again.set()

    wanted: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
        signal.SIGINT: end,
        signal.SIGTERM: end,
    }
    if hasattr(signal, "SIGHUP"):
        wanted[signal.SIGHUP] = read
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
