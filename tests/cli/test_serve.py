"""`maskdet serve` as a user runs it: an example, a check, a run that is ended, killed and begun."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from command_line import Cli, assert_user_error
from maskdet import extras

without_extra = pytest.mark.skipif(bool(extras.missing("serve")), reason="needs the extra serve")


def test_an_example_is_written_once(maskdet: Cli, tmp_path: Path) -> None:
    """It is a site file; another one is not replaced."""
    done = maskdet("serve", "--init", "site.toml")
    assert done.returncode == 0, done.stderr
    assert "[[cameras]]" in (tmp_path / "site.toml").read_text()
    assert_user_error(maskdet("serve", "--init", "site.toml"), "exists already")


def test_mistakes_are_one_line(maskdet: Cli, tmp_path: Path) -> None:
    """A wrong key, two ways to say what to watch, and nothing to export."""
    (tmp_path / "site.toml").write_text('[[cameras]]\nname = "door"\nsorce = "0"\n')
    assert_user_error(maskdet("serve", "site.toml"), "line 1", "source is missing", code=2)
    done = maskdet("serve", "site.toml", "--source", "0")
    assert (done.returncode, "not both" in done.stderr) == (2, True)
    assert_user_error(maskdet("serve", "--export", "events"), "nothing is remembered")


@without_extra
def test_a_page_that_must_not_be_served_is_refused(maskdet: Cli) -> None:
    """To a network without users, or with a certificate that is none."""
    source = "--source", "no-such.mp4"
    to_all = maskdet("serve", *source, "--host", "0.0.0.0")
    assert_user_error(to_all, "--add-user", code=2)
    assert_user_error(maskdet("serve", *source, "--key", "k.pem"), "k.pem", code=2)
    done = maskdet("serve", *source, "--certificate", "c.pem", "--key", "k.pem")
    assert_user_error(done, "c.pem: no such file")


def test_a_check_says_all_that_is_wrong(maskdet: Cli, tmp_path: Path, samples: Path) -> None:
    """A camera that answers, one that does not, and an alert that does not arrive."""
    (tmp_path / "site.toml").write_text(
        f'[[cameras]]\nname = "film"\nsource = "{samples / "astronaut.mp4"}"\n'
        '[[cameras]]\nname = "gate"\nsource = "no-such.mp4"\n'
        '[notifications]\ncommand = "false"\n'
    )
    done = maskdet("serve", "--check", "site.toml")
    assert done.returncode == 1
    assert "film: video, " in done.stdout
    assert "networks: tell with_mask, without_mask" in done.stdout
    assert "gate: " in done.stderr
    assert "false ended with exit code 1" in done.stderr


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """Runs the service of a folder's site; gives it, its address, and what it says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "maskdet", "serve", "site.toml"],
        cwd=folder, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    said: list[str] = []
    ready = threading.Event()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line.strip())
            if line.startswith("serving "):
                ready.set()
        ready.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        assert ready.wait(60)
        address = next((line.split()[1] for line in said if line.startswith("serving ")), "")
        assert address, said
        yield process, address, said
    finally:
        process.kill()
        process.wait()
        listener.join(5)


def ask(address: str, path: str) -> bytes:
    """Asks the page until it answers."""
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(address.rstrip("/") + path, timeout=5) as answer:
                data: bytes = answer.read()
                return data
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)


@without_extra
@pytest.mark.server
def test_a_service_is_ended_killed_and_begun_again(
    maskdet: Cli, tmp_path: Path, samples: Path
) -> None:
    """It shows a camera, reads its file again, loses nothing when killed, and ends when told to."""
    site = (
        '[[cameras]]\nname = "film"\nsource = "{film}"\nframe_rate = 4\n'
        "[cameras.alerts]\nafter = 0\n[server]\nport = 0\n"
        '[notifications]\ncommand = "tee -a told"\n'
    ).format(film=samples / "astronaut.mp4")
    (tmp_path / "site.toml").write_text(site)
    with running(tmp_path) as (process, address, said):
        assert ask(address, "/readyz")
        until = time.monotonic() + 30
        while not (tmp_path / "told").exists() or not (tmp_path / "told").read_text():
            assert time.monotonic() < until, said
            time.sleep(0.02)
        (tmp_path / "site.toml").write_text(site.replace('"film"', '"cinema"'))
        process.send_signal(signal.SIGHUP)
        while b"cinema" not in ask(address, "/api/cameras"):
            assert time.monotonic() < until, said
            time.sleep(0.02)
        process.kill()
        process.wait()
    with running(tmp_path) as (process, address, _):
        assert b"cinema" in ask(address, "/api/cameras")
        process.terminate()
        assert process.wait(timeout=60) == 0
    done = maskdet("serve", "site.toml", "--export", "events")
    assert done.returncode == 0, done.stderr
    known = [line.split(",")[1] for line in done.stdout.splitlines() if ",alert," in line]
    told = [json.loads(line)["id"] for line in (tmp_path / "told").read_text().splitlines()]
    # What was under way when it was killed may come twice; nothing else does, and none is lost
    # but the last, whose turn it was when the service ended.
    assert set(told) <= set(known)
    assert len(set(told)) >= len(known) - 1
    assert len(told) <= len(set(told)) + 1
