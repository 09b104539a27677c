"""Bars, lines and tables, on a real pseudo-terminal and in a pipe."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="needs pseudo-terminals, which Windows has under no name")

LINES = """
import time
from maskdet.cli.terminal import log, progress, share_bar
with progress(3) as advance:
    for number in range(3):
        log(f"line [bold]{number}[/bold] of rtsp://user:secret@door/x")
        advance()
with share_bar() as show:
    show(0.25, "[a] quarter")
    time.sleep(0.3)
    log("between")
    show(1.0, "done")
"""
WHILE_SILENT = """
import os, threading, time
from maskdet.cli.terminal import log
from maskdet.standard_error import silent_standard_error
silent = threading.Event()
def load():
    with silent_standard_error():
        silent.set()
        time.sleep(0.3)
        os.write(2, b"native noise")
loading = threading.Thread(target=load)
loading.start()
silent.wait()
log("not lost")
loading.join()
"""
TABLE = """
from maskdet.cli.terminal import print_table
print_table("Title", ("name", "count"), [("mask [x]", "3"), ("x" * 120, "14")])
"""


def on_terminal(program: str) -> str:
    """Runs a program with all standard streams on a pseudo-terminal; returns what it drew."""
    main, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=end, stdout=end, stderr=end, close_fds=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(end)
    drawn = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # the terminal is gone with the last process on it
            break
        if not part:
            break
        drawn += part
    os.close(main)
    assert process.wait() == 0, drawn
    return drawn.decode()


def plain(text: str) -> str:
    """Returns what was drawn without colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def in_pipe(program: str) -> tuple[str, str]:
    """Runs a program in pipes; returns standard output and error."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def test_lines_stay_above_the_bar() -> None:
    """On a terminal each line is whole, as it was given, with the bar drawn again below it."""
    drawn = on_terminal(LINES)
    text = plain(drawn)
    for number in range(3):
        assert f"line [bold]{number}[/bold] of rtsp://" in text
    assert "secret" not in text
    assert "3/3" in text
    assert "[a] quarter" in text
    assert "between" in text
    # The cursor that a bar hides is shown again.
    assert drawn.rfind("\x1b[?25h") > drawn.rfind("\x1b[?25l") > 0


def test_no_bar_in_a_pipe() -> None:
    """Lines alone, without a colour; nothing on standard output."""
    output, errors = in_pipe(LINES)
    assert output == ""
    assert errors.splitlines()[-1] == "between"
    assert len(errors.splitlines()) == 4
    assert "\x1b" not in errors


def test_tables() -> None:
    """Ruled on a terminal; in a pipe bare columns, however wide, brackets as they are."""
    output, _ = in_pipe(TABLE)
    title, head, first, second = output.splitlines()
    assert (title, head.split()) == ("Title", ["name", "count"])
    assert first.split() == ["mask", "[x]", "3"]
    assert second.startswith("x" * 120)
    assert second.endswith("14")
    assert "─" in plain(on_terminal(TABLE))


def test_a_lost_terminal_does_not_end_a_run(tmp_path: Path) -> None:
    """The terminal closes while the bar is drawn: the run goes on to its end."""
    program = f"""
import os, pathlib, time
from maskdet.cli.terminal import log, progress
with progress(50) as advance:
    for number in range(50):
        if number == 10:
            pathlib.Path({str(tmp_path / "begun")!r}).touch()
        log(f"line {{number}}")
        advance()
        time.sleep(0.02)
pathlib.Path({str(tmp_path / "ended")!r}).touch()
"""
    main, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
        # What is not written at once fails a second time at the end.
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    os.close(end)
    while not (tmp_path / "begun").exists() and process.poll() is None:
        os.read(main, 4096)
    os.close(main)
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "ended").exists()


def test_lines_are_not_lost_while_native_code_is_kept_silent() -> None:
    """A thread that loads a network silences standard error for all; lines wait for it."""
    done = subprocess.run(
        [sys.executable, "-c", WHILE_SILENT], capture_output=True, text=True, check=True
    )
    assert done.stderr == "not lost\n"
