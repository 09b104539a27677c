"""Runs the RTSP server of the tests in a process that can be killed, stopped and begun again."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from command_line import ROOT

_SERVER = ROOT / "tests" / "rtsp_server.py"
_PYTHON = "/usr/bin/python3"


def skip_without_server() -> None:
    """Skips the test where the server cannot run."""
    if not Path(_PYTHON).exists():
        pytest.skip("needs the Python of a Debian system")
    done = subprocess.run([_PYTHON, _SERVER, ""], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs GStreamer's RTSP server: {done.stderr.splitlines()[-1]}")


def free_port() -> int:
    """Returns a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    return number


def address_at(port: int) -> str:
    """Returns the address of its stream."""
    return f"rtsp://127.0.0.1:{port}/door"


@contextmanager
def serving(port: int, *picture: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs the server, gives its process, and kills it.

    Args:
        port: where it serves.
        picture: path and side of what it shows; nothing for the clock alone.
    """
    server = subprocess.Popen(
        [_PYTHON, _SERVER, str(port), *picture], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield server
    finally:
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()
