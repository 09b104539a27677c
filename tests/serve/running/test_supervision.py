"""What systemd is told."""

import os
import socket
from pathlib import Path

import pytest

from maskdet.serve.running.supervision import Supervisor


def test_words_arrive_at_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness and life, each a datagram; what the service starts knows nothing of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
        system.bind(str(tmp_path / "notify"))
        system.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        supervisor = Supervisor()
        supervisor.tell("READY=1", "STATUS=serving")
        assert system.recv(100) == b"READY=1\nSTATUS=serving"
    assert supervisor.interval == 15
    assert "NOTIFY_SOCKET" not in os.environ
    # The supervisor has gone.
    supervisor.tell("WATCHDOG=1")


def test_without_a_supervisor_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that a person has started has no watchdog; nor has one whose parent has it."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    supervisor = Supervisor()
    supervisor.tell("READY=1")
    assert supervisor.interval is None
