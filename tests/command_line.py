"""The command line as tests see it: where the project lies, how a user's mistake looks."""

import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"
# What the film among the fixture `samples` has: the beginning of the bundled one.
FRAMES = 12

Cli = Callable[..., subprocess.CompletedProcess[str]]


def assert_user_error(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """Checks that a command failed as it should: the exit code, one line, no traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]
